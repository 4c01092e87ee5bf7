"""Every counter equals the sum over its items; where one does not, the reconcile says so and mends it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection

from kimberly.audit.models import AuditEntry
from memory.rules.tiers import Tier
from memory.services import items, reconcile
from memory.services.quotas import QuotaExceeded
from tests import sql
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, content_of


def reconciled(person: Person) -> list[reconcile.Drift]:
    return [drift for drift in reconcile.run(actor=TESTER, now=NOON) if drift.user_id == person.id]


def counted(person: Person, tier: Tier) -> tuple[int, ...]:
    row = person.usage(tier)
    return row.active_bytes, row.active_items, row.archived_bytes, row.archived_items


@pytest.fixture
def busy(alice):
    """Alice with two active items and one archived one."""
    for size_bytes in (100, 200, 300):
        stored = alice.writes(content_of(size_bytes))
    items.delete_item(stored.id, user_id=alice.id, actor=TESTER, now=NOON)
    return alice


def test_what_is_right_is_left_alone(busy):
    assert reconcile.drifts([busy.id]) == []
    assert reconciled(busy) == []
    assert not AuditEntry.objects.filter(action="usage.reconciled", subject_id=str(busy.id)).exists()


@pytest.mark.parametrize("column", reconcile.COLUMNS)
@pytest.mark.parametrize("by", [1, 10_000])
def test_a_counter_that_drifted_is_found_named_and_mended(busy, column, by):
    right = counted(busy, Tier.LONG_TERM)
    sql.change(
        f"UPDATE usage_counter SET {column} = {column} + %s WHERE user_id = %s AND tier = 'long-term'", by, busy.id
    )

    (drift,) = reconciled(busy)

    assert (drift.tier, drift.summed) == (Tier.LONG_TERM, right)
    was, is_now = right[reconcile.COLUMNS.index(column)] + by, right[reconcile.COLUMNS.index(column)]
    assert drift.text == f"user {busy.id} long-term: {column} {was} instead of {is_now}"
    assert counted(busy, Tier.LONG_TERM) == right
    assert reconciled(busy) == []


def test_items_that_changed_past_the_counter_are_found(busy):
    sql.change("UPDATE memory_item SET size_bytes = size_bytes + 5 WHERE user_id = %s AND size_bytes = 100", busy.id)

    (drift,) = reconciled(busy)

    assert drift.counted == (300, 2, 300, 1)
    assert counted(busy, Tier.LONG_TERM) == (305, 2, 300, 1)


def test_missing_counters_are_found_and_made_also_where_there_are_no_items(busy):
    right = counted(busy, Tier.LONG_TERM)
    sql.change("DELETE FROM usage_counter WHERE user_id = %s", busy.id)

    found = reconciled(busy)

    assert [drift.text for drift in sorted(found, key=lambda drift: drift.tier)] == [
        f"user {busy.id} has no counter for {tier}" for tier in ("long-term", "permanent", "short-term")
    ]
    assert counted(busy, Tier.LONG_TERM) == right
    assert counted(busy, Tier.PERMANENT) == (0, 0, 0, 0)


def test_one_user_is_one_entry_with_what_was_and_what_is(busy):
    sql.change("UPDATE usage_counter SET active_items = 7 WHERE user_id = %s", busy.id)

    reconciled(busy)

    entry = AuditEntry.objects.get(action="usage.reconciled", subject_id=str(busy.id))
    assert entry.before == {"long-term": [300, 7, 300, 1], "permanent": [0, 7, 0, 0], "short-term": [0, 7, 0, 0]}
    assert entry.after == {"long-term": [300, 2, 300, 1], "permanent": [0, 0, 0, 0], "short-term": [0, 0, 0, 0]}


def test_only_who_drifted_is_touched(busy, bob):
    bob.writes(content_of(50))
    sql.change("UPDATE usage_counter SET active_bytes = 0 WHERE user_id = %s AND tier = 'long-term'", busy.id)

    reconciled(busy)

    assert counted(bob, Tier.LONG_TERM) == (50, 1, 0, 0)
    assert not AuditEntry.objects.filter(action="usage.reconciled", subject_id=str(bob.id)).exists()


def test_the_command_says_what_it_mended(busy, capsys):
    sql.change("UPDATE usage_counter SET active_bytes = 1 WHERE user_id = %s AND tier = 'long-term'", busy.id)

    call_command("reconcile_usage")

    said = capsys.readouterr().out
    assert f"mended: user {busy.id} long-term: active_bytes 1 instead of 300\n" in said


DRIFT = "UPDATE usage_counter SET active_items = active_items + 5 WHERE user_id = %s AND tier = %s"


@pytest.mark.slow
@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_writers_at_work_are_no_drift_and_are_not_disturbed(committed_db, nth):
    people = [Person.register(name) for name in ("alice", "bob", "carol")]
    over = threading.Event()

    def writer(number):
        with closing(connection):
            person, written = people[number % len(people)], 0
            while not over.is_set():
                written += writes_and_deletes(person)
            return written

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(writer, number) for number in range(6)]
        try:
            looked = [reconcile.drifts([person.id for person in people]) for _ in range(rounds(40, 100))]
            for tier in Tier:  # one by one: an order of its own would wait for writers who wait for it
                sql.change(DRIFT, people[0].id, tier)
            mended = reconciled(people[0])
        finally:
            over.set()  # else whatever failed would wait for the writers for ever

    assert all(job.result() for job in jobs)
    assert looked == [[]] * len(looked)
    assert {drift.tier for drift in mended} == set(Tier)
    assert reconcile.drifts([person.id for person in people]) == []


def writes_and_deletes(person):
    try:
        kept = person.writes(content_of(40_000))
    except QuotaExceeded:
        return 0
    items.purge_item(kept.id, user_id=person.id, actor=TESTER, now=NOON)
    person.writes(content_of(10), tier=Tier.SHORT_TERM)
    return 1
