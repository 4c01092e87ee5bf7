"""How far a run is, for whoever waits for it."""

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings

from kimberly.audit.trail import Why
from memory.queries import operations
from memory.rules.meditation import MOST_TRIES, RunState, Trigger
from memory.services import meditationruns as runs
from tests.personas import NOON, TESTER, Person

SECOND = timedelta(seconds=1)


@pytest.fixture
def run(db, monkeypatch):
    """Of five people, in shards of two; begun at noon."""
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 2)
    for n in range(5):
        Person.register(f"person{n}").writes("Prefers the window seat.")
    return runs.begin(Trigger.MANUAL, actor=TESTER, why=Why(), now=NOON)


def does_one(at):
    shard = runs.take(now=at)
    assert shard is not None
    runs.do(shard, tell_time=lambda: at)


def seen(run, at):
    found = operations.of_any(run.pk, now=at)
    assert found is not None
    return found


def test_before_anything_is_done_nobody_knows_how_long_it_takes(run):
    found = seen(run, NOON + 10 * SECOND)

    assert (found.state, found.external_id) == (RunState.RUNNING, None)
    assert (found.progress.shards, found.progress.users) == (3, 5)
    assert (found.progress.users_done, found.seconds_left) == (0, None)


def test_what_is_left_goes_by_the_rate_so_far(run):
    does_one(NOON + 10 * SECOND)

    found = seen(run, NOON + 10 * SECOND)
    progress = found.progress

    assert (progress.shards_done, progress.users_done, progress.items_scored) == (1, 1, 1)
    assert found.seconds_left == 40


def test_who_is_put_off_to_a_later_shard_is_one_user(run):
    first = run.shards.get(number=1).user_ids[0]
    with psycopg.connect(settings.KIMBERLY.database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('meditation ' || %s::uuid, 0))", [first])
        does_one(NOON + SECOND)

    progress = seen(run, NOON + SECOND).progress

    assert (progress.shards, progress.users, progress.users_done) == (4, 5, 0)


def test_the_end_is_told_with_its_error(run):
    for _ in range(MOST_TRIES):
        shard = runs.take(now=NOON)
        assert shard is not None
        runs.fail(shard, "MemoryError", now=NOON)
    for _ in range(2):
        does_one(NOON + SECOND)

    found = seen(run, NOON + 9 * SECOND)

    assert (found.state, found.error, found.ended_at) == (RunState.FAILED, "1 of 3 shards failed", NOON + SECOND)
    assert (found.progress.shards_done, found.progress.shards_failed, found.seconds_left) == (2, 1, 0)
