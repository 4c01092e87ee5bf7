import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from memory.models import MemoryUser
from memory.rules.tiers import UserState
from memory.services import users
from memory.services.quotas import UserGone, UserSuspended
from tests.personas import TESTER

WHY = Why("The owner reported a stolen phone", "HD-1")


def suspend(person, noon):
    return users.suspend(person.id, actor=TESTER, why=WHY, now=noon)


def test_a_suspended_user_writes_no_more_and_the_trail_says_why(alice, noon):
    suspend(alice, noon)

    with pytest.raises(UserSuspended):
        alice.writes("One more thing")
    entry = AuditEntry.objects.get(action="user.suspended", subject_id=str(alice.id))
    assert (entry.text.reason, entry.text.ticket) == (WHY.reason, WHY.ticket)
    assert MemoryUser.objects.get(pk=alice.id).state == UserState.SUSPENDED


def test_who_is_suspended_cannot_be_suspended_again(alice, noon):
    suspend(alice, noon)

    with pytest.raises(UserGone):
        suspend(alice, noon)
