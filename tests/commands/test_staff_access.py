"""What an administrator does at the command line for somebody who cannot get in."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from ops.models import Authenticator, RecoveryCode
from ops.roles import Role
from tests.ops.signing import Visitor
from tests.personas import hire

pytestmark = pytest.mark.promise("P2")

WHY = "She called from her desk, HD-77"


@pytest.fixture
def olivia(db, settings):
    settings.KIMBERLY = settings.KIMBERLY.__class__(**{**vars(settings.KIMBERLY), "second_factor": True})
    return Visitor(hire("olivia", Role.OPERATOR)).signs_in()


def runs(command, visitor, reason=WHY):
    output = StringIO()
    call_command(command, visitor.staff.username, "--reason", reason, stdout=output)
    return output.getvalue()


def test_unlocking_lets_the_person_try_at_once(olivia):
    visitor = olivia.elsewhere()
    for _ in range(5):
        visitor.gives_password("wrong")

    assert "can try again at once" in runs("unlock_staff", olivia)

    assert visitor.gives_password().status_code == 302
    assert AuditEntry.objects.select_related("text").get(action="staff.unlocked").text.reason == WHY
    assert "was not locked" in runs("unlock_staff", olivia)


def test_a_lost_second_factor_is_removed_with_its_codes_and_sessions(olivia):
    assert "has no second factor any more" in runs("reset_second_factor", olivia)

    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not olivia.is_in()
    entry = AuditEntry.objects.select_related("text").get(action="staff.second_factor_removed")
    assert (entry.after, entry.text.reason) == ({"was_on": True, "sessions_ended": 1}, WHY)
    again = Visitor(olivia.staff).signs_in()
    assert again.is_in()


@pytest.mark.parametrize("command", ["unlock_staff", "reset_second_factor"])
def test_a_reason_that_says_nothing_and_a_name_that_nobody_has_are_refused(olivia, command):
    with pytest.raises(CommandError, match="at least 10 characters"):
        runs(command, olivia, "lost")
    with pytest.raises(CommandError, match="Nobody of the staff is called nobody"):
        call_command(command, "nobody", "--reason", WHY)

    assert olivia.is_in()
