from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from kimberly.clients import keys
from kimberly.clients.models import ApiKey
from tests.personas import unique


def created(*arguments):
    """The key's text, as a script would take it, and its row."""
    output = StringIO()
    call_command("create_api_key", *arguments, stdout=output, stderr=StringIO())
    text = output.getvalue().strip()
    return text, ApiKey.objects.select_related("client").get(sha256=keys.sha256_of(text))


def test_prints_nothing_but_the_key_to_standard_output(db):
    text, key = created("--client", unique("importer"))

    assert text.startswith("kmb_")
    assert text.count("\n") == 0
    assert key.prefix == text[:12]


def test_gives_the_scopes_of_an_ordinary_client_unless_others_are_named(db):
    _, usual = created("--client", unique("assistant"))
    _, narrow = created("--client", unique("reader"), "--scope", "memory:read", "metrics:read")

    assert usual.scopes == ["memory:query", "memory:read", "memory:write", "metrics:read"]
    assert narrow.scopes == ["memory:read", "metrics:read"]


def test_binds_the_key_to_the_user_named(alice):
    _, key = created("--client", unique("app"), "--user", alice.external_id)

    assert key.bound_user_id == alice.id


def test_makes_a_key_that_expires(db):
    _, key = created("--client", unique("trial"), "--expires-days", "30")

    assert key.expires_at == key.created_at + timedelta(days=30)


def test_writes_who_made_it_into_the_audit_trail_but_not_the_key(db):
    text, key = created("--client", unique("app"))

    entry = AuditEntry.objects.get(subject_kind="api-key", subject_id=str(key.pk))
    assert (entry.actor_kind, entry.actor_id, entry.action) == ("command", "create_api_key", "key.issued")
    assert text not in str(entry.after)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--user", "nobody-of-this-name"], "There is no user nobody-of-this-name"),
        (["--scope", "memory:everything"], "invalid choice: 'memory:everything'"),
        (["--expires-days", "0"], "must be a number of days from 1 to 3650"),
    ],
)
def test_says_what_is_wrong_and_makes_nothing(db, wrong, said):
    name = unique("app")

    with pytest.raises(CommandError, match=said):
        created("--client", name, *wrong)

    assert not ApiKey.objects.filter(client__name=name).exists()


@pytest.mark.parametrize("name", ["", "x" * 81, "two\nlines", "\x1b[31mred"])
def test_refuses_a_client_name_that_could_not_be_shown(db, name):
    with pytest.raises(CommandError, match="1 to 80 printable characters"):
        created("--client", name)
