"""A meditation of some customers: those of a list, and those who were missed in a window."""

from datetime import timedelta

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib.errors import Invalid
from memory.models import MeditationRun, MemoryUser, UserScoring
from memory.queries import cohorts
from memory.queries.cohorts import Cohort, Window
from memory.queries.standing import Asked, Show
from memory.rules import brakes
from memory.rules.meditation import RunState, Scope, Trigger
from memory.rules.tiers import Purpose, Tier, UserState
from memory.services import meditationruns as runs
from memory.services.meditationbrakes import AlreadyMeditating
from memory.services.meditationruns import NobodyThere
from tests.api.plans import make_plan
from tests.meditation.runs import begin, do_all
from tests.personas import NOON, TESTER, Person, content_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OVER_SOFT = Cohort(asked=Asked(show=Show.OVER_SOFT))
LAST_NIGHT = Cohort(missed=Window(NOON - 10 * HOUR, NOON))


def begin_some(cohort, *, trigger=Trigger.MANUAL, at=NOON):
    return runs.begin(trigger, cohort=cohort, actor=TESTER, why=Why("These are behind."), now=at)


def of(run):
    return {user_id for shard in run.shards.all() for user_id in shard.user_ids}


@pytest.fixture
def full(db):
    """Somebody above a soft limit."""
    person = Person.register("full", plan=make_plan(hard_bytes=10_000, soft_bytes=8_000), at=NOON - 3 * DAY)
    for _ in range(9):
        person.writes(content_of(1_000), tier=Tier.LONG_TERM, at=NOON - 2 * DAY)
    return person


@pytest.fixture
def others(db):
    return [Person.register(f"other{n}", at=NOON - 3 * DAY) for n in range(3)]


@pytest.mark.usefixtures("others")
def test_of_a_list_only_those_on_it_are_meditated_on(full, monkeypatch):
    monkeypatch.setattr(brakes, "RUN_CAP_SHARE", 1.0)
    run = begin_some(OVER_SOFT)
    do_all()

    run.refresh_from_db()
    assert (run.scope, run.state, of(run)) == (Scope.SOME, RunState.SUCCEEDED, {full.id})
    assert [scored.user_id for scored in UserScoring.objects.all()] == [full.id]


def test_of_those_whose_ids_begin_so(full, others):
    run = begin_some(Cohort(asked=Asked(beginning="OTHER1")))

    assert of(run) == {others[1].id}


def test_a_backfill_is_of_those_who_were_missed_in_its_window(full, others):
    early, late, never = others
    for person, at in ((early, NOON - 11 * HOUR), (late, NOON - HOUR)):
        UserScoring.objects.create(user_id=person.id, scored_at=at)
    newcomer = Person.register("newcomer", at=NOON)

    run = begin_some(LAST_NIGHT, trigger=Trigger.BACKFILL)

    assert run.trigger == Trigger.BACKFILL
    assert of(run) == {full.id, early.id, never.id}, "not who was scored since, nor who came later"
    assert newcomer.id not in of(run)


def test_a_list_and_a_window_go_together(full, others):
    cohort = Cohort(asked=Asked(beginning="other"), missed=LAST_NIGHT.missed)
    UserScoring.objects.create(user_id=others[0].id, scored_at=NOON - HOUR)

    assert of(begin_some(cohort)) == {others[1].id, others[2].id}


def test_nobody_is_meditated_on_who_is_no_customer_or_gone(others):
    MemoryUser.objects.filter(pk=others[0].id).update(purpose=Purpose.DRILL)
    MemoryUser.objects.filter(pk=others[1].id).update(state=UserState.ERASED)

    assert of(begin_some(Cohort(asked=Asked(beginning="other")))) == {others[2].id}


@pytest.mark.usefixtures("others")
def test_where_nobody_is_nothing_is_begun():
    with pytest.raises(NobodyThere):
        begin_some(Cohort(asked=Asked(show=Show.SUSPENDED)))

    assert not MeditationRun.objects.exists()


@pytest.mark.usefixtures("others")
def test_one_of_some_is_begun_at_a_time_and_beside_it_one_of_all(full):
    first = begin_some(OVER_SOFT)

    with pytest.raises(AlreadyMeditating) as refused:
        begin_some(Cohort(asked=Asked(beginning="other")))
    of_all = begin()

    assert refused.value.existing == first
    assert (of_all.scope, of_all.state) == (Scope.ALL, RunState.RUNNING)


def test_the_brakes_hold_one_of_some_as_well(full):
    run = begin_some(OVER_SOFT)
    run.refresh_from_db()

    assert run.cap_bytes == brakes.cap_bytes(9_000)


def test_a_run_keeps_whom_it_was_about(full):
    cohort = Cohort(asked=Asked(show=Show.OVER_SOFT, tier=Tier.LONG_TERM, beginning="full"), missed=LAST_NIGHT.missed)
    run = begin_some(cohort)

    run.refresh_from_db()
    entry = AuditEntry.objects.get(action="meditation.begun")
    assert cohorts.of_kept(run.cohort) == cohort
    assert entry.after["cohort"] == run.cohort


@pytest.mark.parametrize(("since", "until"), [(NOON - HOUR, NOON - HOUR), (NOON, NOON + HOUR)])
def test_a_window_ends_after_it_begins_and_began_in_the_past(since, until):
    with pytest.raises(Invalid):
        cohorts.window(since, until, now=NOON)


def test_who_asks_for_no_one_in_particular_asks_for_all(full):
    run = begin_some(Cohort())

    assert (run.scope, of(run)) == (Scope.ALL, {full.id})
