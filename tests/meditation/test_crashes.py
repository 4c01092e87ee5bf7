"""Wherever a worker is cut off, the run is finished by the next one, and nothing is done twice or half."""

from contextlib import suppress
from datetime import timedelta

import pytest

from kimberly.lib import clock
from memory.models import MeditationDecision, MeditationRun
from memory.rules.meditation import HEARTBEAT_LIMIT, RunState, ShardState
from memory.rules.tiers import Tier
from memory.services import meditation, reconcile
from memory.services import meditationruns as runs
from memory.services.meditationbrakes import AlreadyMeditating
from ops.services import invariants
from tests.api.plans import make_plan
from tests.crashes import cut_off, points_in
from tests.meditation.alone import nobody_else
from tests.meditation.runs import begin, do_all
from tests.personas import Person, content_of

pytestmark = [pytest.mark.slow, pytest.mark.promise("M1"), pytest.mark.usefixtures("committed_db")]
DAY = timedelta(days=1)
POINTS = [point for _, point in points_in(meditation, runs)] + [f"meditation-{step}" for step in meditation.STEPS]


@pytest.fixture
def people(committed_db):
    """People with something to promote, to archive and to purge."""
    # Little enough goes that no brake holds: a twelfth of what is there.
    plan, now = make_plan(hard_bytes=40_000, soft_bytes=23_500), clock.utc_now()
    with nobody_else():
        people = [Person.register(f"crash{n}", plan=plan, at=now - 60 * DAY) for n in range(3)]
        for person in people:
            for n in range(6):
                person.writes(f"rare{n} " * (n + 1), tier=Tier.SHORT_TERM, at=now - 2 * DAY)
                for m in range(2):
                    person.writes(content_of(2_000 + 2 * n + m), tier=Tier.LONG_TERM, at=now - 2 * DAY)
        yield people


@pytest.mark.parametrize("point", POINTS)
def test_cut_off_there_it_is_finished_by_the_next(people, point):
    cut_off("meditate", "--wait", at=point)

    later = clock.utc_now() + HEARTBEAT_LIMIT
    runs.watch(now=later)
    with suppress(AlreadyMeditating):
        begin(now=later)
    do_all(now=later)
    runs.watch(now=later)

    run = MeditationRun.objects.latest("created_at", "pk")
    assert run.state == RunState.SUCCEEDED
    assert not run.shards.exclude(state=ShardState.SUCCEEDED).exists()
    found = [one for one in invariants.check(now=later) if one.invariant in ("I1", "I2", "I4", "I7", "I8")]
    assert found == []
    for person in people:
        decided = list(MeditationDecision.objects.filter(user_id=person.id).values_list("item", flat=True))
        assert decided
        assert len(decided) == len(set(decided)), "no item was decided twice"
        assert reconcile.drifts([person.id]) == []
