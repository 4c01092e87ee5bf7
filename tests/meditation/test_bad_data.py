"""What the data of one user does to a worker stops nobody else, is tried three times, and has a name in the end."""

from datetime import timedelta

import pytest

from kimberly.lib import clock
from memory import tasks
from memory.models import UserScoring
from memory.rules.meditation import MOST_TRIES, UNFINISHED, RunState, ShardState
from memory.rules.tiers import Tier
from memory.services import reconcile
from tests.counts import FULL, rounds
from tests.meditation.alone import nobody_else
from tests.meditation.runs import begin
from tests.meditation.workers import WATCHED_SECONDS, Worker, watch
from tests.personas import Person
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("M7"), pytest.mark.usefixtures("committed_db")]
DAY = timedelta(days=1)
NAMED = {"raises": "ArithmeticError", "exits": "silent", "memory": "MemoryError", "sleeps": "silent"}
KINDS = tuple(NAMED) if FULL else ("raises", "exits")


@pytest.fixture
def people(committed_db):
    now = clock.utc_now()
    with nobody_else():
        made = [Person.register(f"badly{n}", at=now - 60 * DAY) for n in range(6)]
        for person in made:
            for n in range(3):
                person.writes(f"rare{n}", tier=Tier.SHORT_TERM, at=now - 2 * DAY)
        yield made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nth", range(rounds(1, 5)))
def test_it_is_tried_three_times_and_everybody_else_is_done(people, kind, nth):
    bad = people[-1]
    # A message has the time limit of whoever sends it: the watch sends, in the worker, whose limit is short.
    run = begin(now=clock.utc_now())

    with Worker(module="tests.meditation.poisoned", environment={"KIMBERLY_POISON": f"{kind}:{bad.id}"}):
        until(lambda: has_ended(run), what="the run to end", limit_seconds=150, every_seconds=WATCHED_SECONDS)

    assert run.state == RunState.FAILED
    failed = run.shards.get(state=ShardState.FAILED)
    assert (failed.user_ids, failed.tries, failed.error) == ([bad.id], MOST_TRIES, NAMED[kind])
    done = UserScoring.objects.filter(user_id__in=[person.id for person in people], scored_at__gte=run.created_at)
    assert set(done.values_list("user_id", flat=True)) == {person.id for person in people[:-1]}
    assert reconcile.drifts([person.id for person in people]) == []


def test_a_user_who_takes_longer_than_a_web_request_may_is_done(people):
    run = begin(now=clock.utc_now())
    tasks.send_lanes()

    environment = {"KIMBERLY_POISON": f"slow:{people[-1].id}", "KIMBERLY_STATEMENT_TIMEOUT_SECONDS": "1"}
    with Worker(module="tests.meditation.poisoned", environment=environment):
        until(lambda: has_ended(run), what="the run to end", limit_seconds=60, every_seconds=WATCHED_SECONDS)

    assert (run.state, run.error) == (RunState.SUCCEEDED, "")


def has_ended(run):
    watch()
    run.refresh_from_db()
    return run.state not in UNFINISHED
