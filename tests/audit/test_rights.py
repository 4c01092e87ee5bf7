"""Nobody changes what the trail says: the app's role has no right to, and triggers refuse everybody else."""

import psycopg
import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from kimberly.local.databases import APP
from ops.services import databaseroles
from tests import plugin
from tests.audit.acts import act, findings, sealed_acts

CHANGES = {
    "UPDATE": "UPDATE {table} SET {column} = {column}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}
COLUMNS = {"audit_entry": "action", "audit_seal": "hash", "audit_text": "reason"}
REFUSED = [
    (table, change)
    for table in COLUMNS
    for change in CHANGES
    if (table, change) != ("audit_text", "UPDATE")  # an erasure may
]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.promise("F11")
@pytest.mark.parametrize(("table", "change"), REFUSED)
def test_the_app_has_no_right_to_change_the_trail(committed_db, table, change):
    statement = CHANGES[change].format(table=table, column=COLUMNS[table])

    with plugin.postgres().connect(APP) as app, pytest.raises(psycopg.errors.InsufficientPrivilege) as refusal:
        app.execute(statement)

    assert "permission denied for table" in str(refusal.value)


@pytest.mark.promise("F11")
@pytest.mark.parametrize(("table", "change"), [(table, change) for table in COLUMNS for change in CHANGES])
def test_triggers_refuse_the_owner_too(as_owner, table, change):
    sealed_acts(1, reason="a reason for it")
    run("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises((InternalError, ProgrammingError), match=r"append-only|only ever emptied"):
        run(CHANGES[change].format(table=table, column=COLUMNS[table]))


@pytest.mark.promise("F11")
def test_a_text_can_be_erased_but_not_rewritten(db):
    entry = act(reason="a reason for it", ticket="T-1")
    at = f"WHERE entry_id = '{entry.pk}'"

    with pytest.raises(ProgrammingError, match="only ever emptied"):
        run(f"UPDATE audit_text SET reason = 'another one' {at}")
    with pytest.raises(Exception, match="audit_text_erased_is_empty_ck"):
        run(f"UPDATE audit_text SET reason = 'another one', erased_at = now() {at}")
    run(f"UPDATE audit_text SET reason = '', ticket = '', erased_at = now() {at}")
    with pytest.raises(ProgrammingError, match="only ever emptied"):
        run(f"UPDATE audit_text SET erased_at = NULL {at}")


@pytest.mark.promise("F11")
def test_an_erased_text_leaves_a_trail_that_verifies(as_owner):
    _, (entry,) = sealed_acts(1, reason="a reason for it", ticket="T-1")
    run(f"UPDATE audit_text SET reason = '', ticket = '', erased_at = now() WHERE entry_id = '{entry.pk}'")

    assert findings() == []


@pytest.mark.django_db(databases=["default", "owner"])
def test_it_is_known_whose_rights_protect_the_trail():
    assert databaseroles.audit_is_protected_by_role("default")
    assert not databaseroles.audit_is_protected_by_role("owner")
