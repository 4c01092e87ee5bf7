"""Real workers: what they were doing when they were killed is done by the next ones, and the run ends by itself."""

import random
from datetime import timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from kimberly.lib import clock
from kimberly.web import redisclient
from memory import tasks
from memory.models import MeditationDecision, MemoryItem
from memory.rules.meditation import UNFINISHED, RunState, ShardState
from memory.rules.tiers import Tier
from memory.services import meditationruns as runs
from memory.services import reconcile
from ops.services import invariants, schedules
from tests.api.plans import make_plan
from tests.counts import rounds
from tests.meditation.alone import nobody_else
from tests.meditation.runs import begin
from tests.meditation.workers import WATCHED_SECONDS, Worker, lose_the_queues, watch
from tests.personas import Person
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("M2"), pytest.mark.usefixtures("committed_db")]
DAY = timedelta(days=1)


@pytest.fixture
def run(committed_db, monkeypatch):
    """A run of everybody in shards of one user each."""
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 1)
    now = clock.utc_now()
    plan = make_plan(hard_bytes=40_000, soft_bytes=20_000)
    with nobody_else():
        for n in range(12):
            person = Person.register(f"worker{n}", plan=plan, at=now - 60 * DAY)
            for m in range(8):
                person.writes(f"rare{m} " * (m + 1), tier=Tier.SHORT_TERM, at=now - 2 * DAY)
        yield begin(now=now)


def ends(run):
    """The watchdog is asked again and again, as beat does, until the run has ended."""

    def ended():
        watch()
        run.refresh_from_db()
        return run.state not in UNFINISHED

    until(ended, what=f"the run ends, it is {run.state}", limit_seconds=60, every_seconds=WATCHED_SECONDS)


def is_whole(run):
    assert run.state == RunState.SUCCEEDED, run.error
    assert not run.shards.exclude(state=ShardState.SUCCEEDED).exists()
    decided = list(MeditationDecision.objects.filter(run=run).values_list("item", flat=True))
    assert len(decided) == len(set(decided)) > 0
    assert reconcile.drifts() == []
    found = invariants.check(now=clock.utc_now())
    assert [one for one in found if one.invariant in ("I1", "I2", "I4", "I7", "I8")] == []


def test_workers_do_a_run_from_its_beginning_to_its_end(run):
    tasks.send_lanes()

    with Worker():
        ends(run)

    is_whole(run)


def test_once_the_canary_is_done_every_lane_is_asked(run):
    """Those that came before found nothing to take; the watch would ask them a minute later."""
    lose_the_queues()

    tasks.meditate_shard()

    assert run.shards.get(is_canary=True).state == ShardState.SUCCEEDED
    assert redisclient.client().llen("meditation") == runs.LANES


@pytest.mark.parametrize("seed", range(rounds(5, 50)))
def test_killed_at_any_moment_it_is_finished_by_the_next(run, seed):
    done = random.Random(seed).randrange(len(run.shards.all()))
    tasks.send_lanes()
    with Worker() as worker:
        until(lambda: finished(run) >= done, what=f"{done} shards are done", limit_seconds=60)
        worker.kill()

    with Worker():
        ends(run)

    is_whole(run)


@pytest.mark.parametrize("nth", range(rounds(1, 5)))
def test_a_broker_that_lost_everything_is_filled_again(run, nth):
    tasks.send_lanes()
    lose_the_queues()

    with Worker():
        ends(run)

    is_whole(run)


@pytest.fixture
def schedule(committed_db):
    """The night is wanted, so that what beat sends counts."""
    schedules.sync()
    yield
    PeriodicTask.objects.all().delete()


@pytest.mark.promise("M3")
@pytest.mark.usefixtures("schedule")
def test_messages_that_come_twice_and_too_often_change_nothing_more(run):
    for _ in range(5):
        tasks.send_lanes()
        tasks.meditate_nightly.apply_async()

    with Worker():
        ends(run)
        items = list(MemoryItem.objects.order_by("pk").values_list("pk", "state", "version"))
        for _ in range(5):
            tasks.meditate_shard.apply_async()
        until(lambda: not runs.idle_lanes(), what="nothing waits")

    is_whole(run)
    assert list(MemoryItem.objects.order_by("pk").values_list("pk", "state", "version")) == items


def finished(run):
    return run.shards.filter(state=ShardState.SUCCEEDED).count()
