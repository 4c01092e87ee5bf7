from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from kimberly.clients.models import ApiKey
from tests.commands.test_create_api_key import created
from tests.personas import unique


def revoked(beginning, reason="It stood in a public log."):
    output = StringIO()
    call_command("revoke_api_key", beginning, "--reason", reason, stdout=output)
    return output.getvalue()


def test_ends_the_key_that_begins_so_and_no_other(db):
    (text, key), (_, other) = created("--client", unique("app")), created("--client", unique("app"))

    assert f"of {key.client.name} is revoked" in revoked(text[:12])
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None
    assert ApiKey.objects.get(pk=other.pk).revoked_at is None


def test_keeps_why_in_the_audit_trail(db):
    text, key = created("--client", unique("app"))
    revoked(text[:12])

    entry = AuditEntry.objects.select_related("text").get(subject_id=str(key.pk), action="key.revoked")
    assert entry.text.reason == "It stood in a public log."


def test_says_so_when_it_was_revoked_before(db):
    text, _ = created("--client", unique("app"))
    revoked(text[:12])

    assert "was revoked before" in revoked(text[:12])


@pytest.mark.parametrize("reason", ["", "  ", "leaked"])
def test_a_reason_that_says_nothing_is_refused_and_the_key_goes_on(db, reason):
    text, key = created("--client", unique("app"))

    with pytest.raises(CommandError, match="at least 10 characters"):
        revoked(text[:12], reason)
    assert ApiKey.objects.get(pk=key.pk).revoked_at is None


@pytest.mark.parametrize("beginning", ["", "kmb_", "kmb_00000000", "nonsense"])
def test_a_beginning_of_no_key_is_refused(db, beginning):
    with pytest.raises(CommandError, match="No key begins like that"):
        revoked(beginning)
