"""What stops a run: the day's cap, the run's cap, the canary, and what is far more than usual."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from memory.models import MeditationDecision, MeditationRun, UserScoring
from memory.rules import brakes
from memory.rules.brakes import Held, Seen
from memory.rules.meditation import Reason, RunState, ShardState, Trigger
from memory.rules.tiers import Tier
from memory.services import meditationbrakes, reconcile
from memory.services import meditationruns as runs
from memory.services.meditationbrakes import NoSuchRun, NotInThatState
from tests.api.plans import make_plan
from tests.counts import rounds, thrown_away
from tests.meditation.runs import JOB, begin, do_all, taken
from tests.personas import NOON, Person, content_of

DAY = timedelta(days=1)
LOOKED = Why("Looked at twenty of them, all stale")

pytestmark = pytest.mark.promise("M6")


@pytest.fixture
def crowd(db, monkeypatch):
    """Three people whose long-term is far above its soft limit, one in a shard."""
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 1)
    plan = make_plan(hard_bytes=20_000, soft_bytes=5_000)
    people = [Person.register(f"person{n}", plan=plan) for n in range(3)]
    for person in people:
        for _ in range(15):
            person.writes(content_of(1_000), tier=Tier.LONG_TERM)
    return people


def brought_down():
    rows = MeditationDecision.objects.filter(reason=Reason.SOFT_LIMIT)
    return sum(rows.values_list("size_bytes", flat=True))


def test_a_run_that_would_exceed_its_cap_is_held_and_nothing_is_above_it(crowd):
    run = begin()
    assert run.cap_bytes == 4_500

    do_all()

    run.refresh_from_db()
    assert (run.state, run.held_reason) == (RunState.HELD, Held.RUN_CAP)
    assert brought_down() == run.spent_bytes == 0, "five thousand each would be more than the cap"
    assert run.shards.filter(state=ShardState.QUEUED, tries=0).count() == 3
    assert reconcile.drifts() == []


def test_approved_it_goes_on_where_it_stopped(crowd):
    run = begin()
    do_all()

    meditationbrakes.approve(run.pk, actor=JOB, why=LOOKED, now=NOON)
    do_all()

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert brought_down() == 15_000, "no brake but the daily cap, a quarter of 20,000 each"
    assert AuditEntry.objects.get(action="meditation.approved").text.reason == LOOKED.reason


def test_aborted_it_ends_and_keeps_what_was_done(crowd, monkeypatch):
    monkeypatch.setattr(brakes, "RUN_CAP_SHARE", 0.2)
    run = begin()
    do_all()

    meditationbrakes.abort(run.pk, actor=JOB, why=LOOKED, now=NOON)

    run.refresh_from_db()
    assert (run.state, run.ended_at) == (RunState.ABORTED, NOON)
    assert brought_down() == 5_000
    assert runs.take(now=NOON) is None
    assert begin(now=NOON + DAY).state == RunState.RUNNING


def test_the_canary_is_done_before_anybody_else(crowd):
    run = begin()
    canary = taken()

    assert canary.is_canary
    assert runs.take(now=NOON) is None, "the others wait for it"
    runs.fail(canary, "OSError", now=NOON)
    assert taken().is_canary
    assert run.shards.filter(is_canary=True).count() == 1


def test_far_more_than_usual_is_held_with_the_canary_alone_done(crowd, monkeypatch):
    monkeypatch.setattr(brakes, "SPIKE_ITEMS", 3)
    monkeypatch.setattr(brakes, "RUN_CAP_SHARE", 1.0)
    run = begin()

    do_all()

    run.refresh_from_db()
    assert (run.state, run.held_reason) == (RunState.HELD, Held.SPIKE)
    assert UserScoring.objects.count() == 1
    assert AuditEntry.objects.filter(action="meditation.held").count() == 1


@pytest.mark.parametrize("decide", [meditationbrakes.approve, meditationbrakes.retry])
def test_what_does_not_fit_the_state_is_refused(crowd, decide):
    run = begin()

    with pytest.raises(NotInThatState):
        decide(run.pk, actor=JOB, why=LOOKED, now=NOON)
    with pytest.raises(NoSuchRun):
        decide(crowd[0].id, actor=JOB, why=LOOKED, now=NOON)

    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_failed_run_does_its_failed_shards_once_more(crowd, monkeypatch):
    monkeypatch.setattr(brakes, "RUN_CAP_SHARE", 1.0)
    run = begin()
    for _ in range(3):
        runs.fail(taken(), "MemoryError", now=NOON)
    do_all()

    meditationbrakes.retry(run.pk, actor=JOB, why=LOOKED, now=NOON)
    do_all()

    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert UserScoring.objects.count() == 3


def test_a_run_of_one_user_has_no_brake_but_the_day(crowd):
    run = begin(Trigger.MANUAL, person=crowd[0])

    do_all()

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert brought_down() == 5_000


@pytest.mark.parametrize(
    ("now", "usual", "expected"),
    [
        (Seen(1_000, 101), Seen(10_000, 100), True),
        (Seen(1_000, 100), Seen(10_000, 100), False),
        (Seen(10_000, 500), Seen(10_000, 100), False),
        (Seen(10_000, 501), Seen(10_000, 100), True),
        (Seen(1_000, 250), Seen(0, 0), False),
        (Seen(1_000, 251), Seen(0, 0), True),
        (Seen(0, 0), Seen(10, 0), False),
    ],
)
def test_a_spike_is_many_times_the_usual_share_and_more_than_a_few(now, usual, expected):
    assert brakes.is_spike(now, usual) is expected


@settings(max_examples=rounds(200, 5_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hard=st.integers(2_000, 20_000),
    soft=st.floats(0.05, 1),
    sizes=st.lists(st.integers(10, 1_500), min_size=1, max_size=12),
    nights=st.integers(1, 3),
    share=st.floats(0.001, 1),
)
def test_no_cap_is_ever_exceeded(db, hard, soft, sizes, nights, share):
    with thrown_away():
        dana = Person.register("dana", plan=make_plan(hard_bytes=hard, soft_bytes=max(1, int(soft * hard))))
        for size in sizes:
            if size <= dana.free_bytes(Tier.LONG_TERM):
                dana.writes(content_of(size), tier=Tier.LONG_TERM)
        for night in range(nights):
            run = begin(now=NOON + night * DAY)
            MeditationRun.objects.filter(pk=run.pk).update(cap_bytes=int(share * hard))
            do_all(NOON + night * DAY)
            run.refresh_from_db()
            of_run = MeditationDecision.objects.filter(run=run, reason=Reason.SOFT_LIMIT).values_list(
                "size_bytes", flat=True
            )
            assert sum(of_run) == run.spent_bytes <= (run.cap_bytes or 0)
            mine = MeditationDecision.objects.filter(run=run, user_id=dana.id, reason=Reason.SOFT_LIMIT)
            assert sum(mine.values_list("size_bytes", flat=True)) <= hard // 4
            if run.state == RunState.HELD:
                meditationbrakes.abort(run.pk, actor=JOB, why=LOOKED, now=NOON)
        assert reconcile.drifts([dana.id]) == []
