"""Whoever switches the triggers off and changes the trail is found: each edit, by the number of its seal."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from kimberly.audit import sealing
from kimberly.audit.models import AuditEntry, AuditSeal
from kimberly.audit.sealing import Anchor
from kimberly.lib import clock
from tests import sql
from tests.audit.acts import findings, sealed_acts
from tests.counts import rounds

pytestmark = pytest.mark.promise("F11")

# Column -> an SQL expression that gives another value than the one that stands there.
OF_ENTRY = {
    "id": "uuidv7()",
    "at": "at + interval '1 microsecond'",
    "actor_kind": "'job'",
    "actor_id": "actor_id || 'x'",
    "action": "'other.act'",
    "subject_kind": "'item'",
    "subject_id": "'bob'",
    "before": """jsonb_set(before, '{limit_bytes}', '101')""",
    "after": """after || '{"more": null}'""",
    "reason_sha256": "repeat('0', 64)",
    "ticket_sha256": "repeat('1', 64)",
    "request_id": "'req_other'",
    "incident_id": "'inc_other'",
    "step": "'another step'",
}
OF_SEAL = {
    "number": "number + 100000",
    "sealed_at": "sealed_at - interval '1 second'",
    "entry_ids": "array_append(entry_ids, uuidv7())",
    "rows_sha256": "repeat('2', 64)",
    "previous_hash": "repeat('3', 64)",
    "hash": "repeat('4', 64)",
}
OF_TEXT = {"reason": "'another reason'", "ticket": "'T-2'"}


@dataclass
class Trail:
    """Three seals of three acts each."""

    seals: list[AuditSeal]
    entries: list[list[AuditEntry]]

    def anchor(self) -> Anchor:
        return Anchor(self.seals[-1].number, self.seals[-1].hash)


@pytest.fixture
def chain(as_owner):
    made = [sealed_acts(3), sealed_acts(3), sealed_acts(3)]
    sql.change("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("audit_entry", "audit_seal", "audit_text"):
        sql.change(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return Trail([seal for seal, _ in made], [entries for _, entries in made])


def found_at(anchor: Anchor | None = None) -> set[int]:
    """The numbers of the seals at which a verification finds something."""
    return {finding.seal for finding in sealing.verify(now=clock.utc_now(), anchor=anchor)}


def test_an_untouched_chain_has_no_finding(chain):
    assert findings(chain.anchor()) == []


def test_every_column_is_tried():
    assert set(OF_ENTRY) == {field.attname for field in AuditEntry._meta.concrete_fields}
    assert set(OF_SEAL) == {field.attname for field in AuditSeal._meta.concrete_fields}


@pytest.mark.parametrize("column", OF_ENTRY)
def test_an_edited_entry_is_found(chain, column):
    sql.change(f"UPDATE audit_entry SET {column} = {OF_ENTRY[column]} WHERE id = %s", chain.entries[1][1].pk)

    assert chain.seals[1].number in found_at()


@pytest.mark.parametrize("column", OF_SEAL)
def test_an_edited_seal_is_found(chain, column):
    sql.change(f"UPDATE audit_seal SET {column} = {OF_SEAL[column]} WHERE number = %s", chain.seals[1].number)

    # A seal that took another number is found there, and as missing at the one after its place.
    assert found_at() & {chain.seals[1].number, chain.seals[2].number}


@pytest.mark.parametrize("column", OF_TEXT)
def test_an_edited_text_is_found(as_owner, column):
    _, (entry,) = sealed_acts(1, reason="a reason for it", ticket="T-1")
    sql.change("SET CONSTRAINTS ALL IMMEDIATE")
    sql.change("ALTER TABLE audit_text DISABLE TRIGGER USER")

    sql.change(f"UPDATE audit_text SET {column} = {OF_TEXT[column]} WHERE entry_id = %s", entry.pk)

    assert findings() == [f"the text of entry {entry.pk} was changed"]


def test_a_text_that_was_taken_away_or_put_there_is_found(as_owner):
    _, (explained,) = sealed_acts(1, reason="a reason for it")
    _, (silent,) = sealed_acts(1)
    sql.change("SET CONSTRAINTS ALL IMMEDIATE")
    sql.change("ALTER TABLE audit_text DISABLE TRIGGER USER")

    sql.change("DELETE FROM audit_text WHERE entry_id = %s", explained.pk)
    sql.change("INSERT INTO audit_text (entry_id, reason, ticket) VALUES (%s, 'an invented reason', '')", silent.pk)

    assert findings() == [
        f"the text of entry {explained.pk} is gone",
        f"the text of entry {silent.pk} was changed",
    ]


def delete_entry(chain: Trail, at: int) -> None:
    sql.change("DELETE FROM audit_entry WHERE id = %s", chain.entries[at][0].pk)


def delete_seal(chain: Trail, at: int) -> None:
    sql.change("DELETE FROM audit_seal WHERE number = %s", chain.seals[at].number)


def swap_two_entries(chain: Trail, at: int) -> None:
    """What one says, the other says."""
    one, two = chain.entries[at][:2]
    sql.change("UPDATE audit_entry SET id = uuidv7() WHERE id = %s", one.pk)
    sql.change("UPDATE audit_entry SET id = %s WHERE id = %s", one.pk, two.pk)
    sql.change("UPDATE audit_entry SET id = %s WHERE id NOT IN (SELECT unnest(entry_ids) FROM audit_seal)", two.pk)


def swap_the_order(chain: Trail, at: int) -> None:
    swapped = [chain.seals[at].entry_ids[place] for place in (1, 0, 2)]
    sql.change("UPDATE audit_seal SET entry_ids = %s WHERE number = %s", swapped, chain.seals[at].number)


def move_an_entry(chain: Trail, at: int) -> None:
    other = chain.seals[(at + 1) % 3]
    ids = chain.seals[at].entry_ids
    sql.change("UPDATE audit_seal SET entry_ids = %s WHERE number = %s", ids[1:], chain.seals[at].number)
    sql.change("UPDATE audit_seal SET entry_ids = entry_ids || %s WHERE number = %s", ids[:1], other.number)


def insert_a_seal(chain: Trail, at: int) -> None:
    """One that takes the place of another, whole in itself."""
    seal = AuditSeal.objects.get(number=chain.seals[at].number)
    seal.entry_ids = seal.entry_ids[1:]
    seal.rows_sha256 = sealing.rows_sha256(AuditEntry.objects.filter(id__in=seal.entry_ids).order_by("id"))
    seal.hash = sealing.seal_hash(seal)
    seal.save()
    delete_entry(chain, at)


def edit_an_entry(chain: Trail, at: int) -> None:
    column = random.choice(list(OF_ENTRY))
    sql.change(
        f"UPDATE audit_entry SET {column} = {OF_ENTRY[column]} WHERE id = %s", random.choice(chain.entries[at]).pk
    )


def edit_a_seal(chain: Trail, at: int) -> None:
    column = random.choice(list(OF_SEAL))
    sql.change(f"UPDATE audit_seal SET {column} = {OF_SEAL[column]} WHERE number = %s", chain.seals[at].number)


TAMPERINGS: list[Callable[[Trail, int], None]] = [
    delete_entry,
    delete_seal,
    swap_two_entries,
    swap_the_order,
    move_an_entry,
    insert_a_seal,
    edit_an_entry,
    edit_a_seal,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_each_way_to_tamper_is_found_at_its_seal_or_the_next(chain, tamper):
    tamper(chain, 1)

    assert found_at() & {chain.seals[1].number, chain.seals[2].number}


def test_random_tampering_anywhere_is_found(chain):
    for _ in range(rounds(20, 100)):
        untouched = transaction.savepoint()
        tamper, at = random.choice(TAMPERINGS), random.randrange(3)
        tamper(chain, at)

        near = {chain.seals[at].number, chain.seals[at].number + 1}
        assert found_at(chain.anchor()) & near, f"{tamper.__name__} at {at}"
        transaction.savepoint_rollback(untouched)


@pytest.mark.parametrize("entry_id", ["uuidv7()", "gen_random_uuid()", "uuidv7(interval '1 year')"])
def test_an_entry_put_in_past_the_queue_is_found_at_once(chain, entry_id):
    columns = ", ".join(column for column in OF_ENTRY if column != "id")
    copied = f"SELECT {entry_id}, {columns} FROM audit_entry WHERE id = %s"
    sql.change(f"INSERT INTO audit_entry (id, {columns}) {copied}", chain.entries[0][0].pk)

    (finding,) = findings()
    assert finding.endswith("is in no seal and waits for none")


def test_an_entry_that_is_queued_again_is_found(chain):
    entry = chain.entries[0][0]
    sql.change("INSERT INTO audit_pending (entry_id) VALUES (%s)", entry.pk)

    assert findings() == [f"entry {entry.pk} is sealed, and waits to be sealed again"]


def test_a_cut_tail_is_found_by_an_anchor(chain):
    sql.change("DELETE FROM audit_seal WHERE number = %s", chain.seals[2].number)
    sql.change("DELETE FROM audit_entry WHERE id = ANY(%s)", chain.seals[2].entry_ids)

    assert findings() == []
    assert findings(chain.anchor()) == [f"seal {chain.seals[2].number} is missing: it was cut off"]


def test_a_tail_that_grew_again_is_found_by_an_anchor(chain):
    sql.change("DELETE FROM audit_seal WHERE number = %s", chain.seals[2].number)
    sql.change("DELETE FROM audit_entry WHERE id = ANY(%s)", chain.seals[2].entry_ids)
    sql.change("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    sealed_acts(2)

    assert findings(chain.anchor()) == [f"seal {chain.seals[2].number} has another hash than the anchor"]


def test_the_anchor_of_a_cut_tail_is_not_overwritten(chain, tmp_path):
    sealing.remember(chain.seals[2], folder=tmp_path)
    sql.change("DELETE FROM audit_seal WHERE number = %s", chain.seals[2].number)
    sql.change("ALTER TABLE audit_entry ENABLE TRIGGER USER")

    for _ in range(3):
        sealing.remember(sealed_acts(1)[0], folder=tmp_path)

    assert sealing.remembered(folder=tmp_path) == chain.anchor()
