"""The phases of a cohort's plans: stale after a day, stopped and gone on with, by whichever worker comes, once."""

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory import tasks
from memory.models import PlanCohort, PlanCohortUser
from memory.rules.plancohorts import Became, CohortState
from memory.services import plancohorts, plans
from memory.services.plancohorts import (
    CohortStale,
    NobodyLeft,
    NotInThatPhase,
)
from tests.personas import NOON, TESTER
from tests.pruning.cohorts import (
    applies,
    became,
    begun,
    entries,
    goes_on,
    people,
    plan_of_member,
    planned,
    stops,
    undoes,
)
from tests.pruning.planning import DAY, HOUR, LATER, WHY, archived

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.promise("L5")
def test_after_a_day_they_are_stale():
    persons = people()
    made = planned()

    with pytest.raises(CohortStale, match="stale at"):
        applies(made, now=NOON + DAY)

    assert made.state == CohortState.FROZEN
    assert all(archived(person) == set() for person in persons)


@pytest.mark.promise("L5")
def test_those_that_grow_stale_while_others_are_applied_are_listed():
    people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=NOON + DAY - HOUR)

    goes_on(made, now=NOON + DAY)

    assert (made.state, became(made)) == (CohortState.APPLIED, [Became.REFUSED] * 3)
    assert set(PlanCohortUser.objects.filter(cohort=made).values_list("refusal", flat=True)) == {"plan-stale"}


def test_stopped_while_planning_it_is_not_applied():
    people()
    made = stops(begun())

    assert goes_on(made).state == CohortState.STOPPED
    assert became(made) == [Became.WAITING] * 3
    with pytest.raises(NotInThatPhase, match="stopped while planning") as refused:
        applies(made)
    assert refused.value.remedies() == ["Begin anew: not everybody has a plan."]
    with pytest.raises(NotInThatPhase):
        undoes(made)


def test_stopped_while_applying_it_goes_on_with_those_who_are_left():
    persons = people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=LATER)
    made.refresh_from_db()
    assert not plancohorts.go_on(made, tell_time=lambda: LATER, seconds=-1)
    stops(made)
    assert became(made) == [Became.PLANNED] * 3

    applies(made)

    assert (made.state, made.stopped_while) == (CohortState.APPLIED, "")
    assert all(archived(person) for person in persons)


def test_a_worker_that_was_at_it_when_it_was_stopped_reaches_nobody_more():
    people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=LATER)
    seen_before = PlanCohort.objects.get(pk=made.pk)
    stops(made)

    assert plancohorts.go_on(seen_before, tell_time=lambda: LATER)

    made.refresh_from_db()
    assert (made.state, became(made)) == (CohortState.STOPPED, [Became.PLANNED] * 3)


def test_what_was_applied_before_it_was_stopped_is_undone_as_a_whole():
    first, *_ = people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=LATER)
    plans.apply(plan_of_member(made, first).pk, actor=TESTER, why=WHY, now=LATER)
    stops(made)

    undoes(made)

    assert became(made) == [Became.UNDONE, Became.PLANNED, Became.PLANNED]
    assert archived(first) == set()


def test_those_who_were_never_reached_can_be_applied_after_the_undo_of_the_others():
    first, *others = people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=LATER)
    plans.apply(plan_of_member(made, first).pk, actor=TESTER, why=WHY, now=LATER)
    stops(made)
    undoes(made)

    applies(made)

    assert became(made) == [Became.UNDONE, Became.APPLIED, Became.APPLIED]
    assert archived(first) == set()
    assert all(archived(person) for person in others)


def test_a_plan_that_was_applied_by_itself_before_is_told_so():
    first, *_ = people()
    made = planned()
    plans.apply(plan_of_member(made, first).pk, actor=TESTER, why=WHY, now=LATER)

    applies(made)

    told = PlanCohortUser.objects.get(cohort=made, user_id=first.id)
    assert (told.became, told.says.startswith("Its plan was applied by itself at ")) == (Became.APPLIED, True)


def test_what_is_over_is_not_stopped():
    people(1)
    made = planned()

    with pytest.raises(NotInThatPhase):
        stops(made)


@pytest.mark.promise("M3")
def test_done_twice_it_has_one_effect():
    people()
    made = planned()
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=LATER)
    seen_before = PlanCohort.objects.get(pk=made.pk)
    goes_on(made, now=LATER)

    assert plancohorts.go_on(seen_before, tell_time=lambda: LATER)

    assert entries(made, "cohort.applied") == 1
    assert AuditEntry.objects.filter(action="plan.applied").count() == 3
    with pytest.raises(NobodyLeft):
        applies(made)


def test_a_task_that_finds_nothing_does_nothing():
    assert tasks.go_on_with_cohort() is None


def test_the_watch_asks_for_what_nobody_works_on(monkeypatch):
    people(1)
    begun(now=clock.utc_now())
    monkeypatch.setattr(tasks, "_send", lambda task, times: times)

    before = tasks.send_for_cohort()
    taken = plancohorts.take(now=clock.utc_now())

    assert taken is not None
    assert (before, tasks.send_for_cohort()) == (1, 0)


def test_a_worker_whose_time_is_over_leaves_the_rest_to_the_next(monkeypatch):
    people()
    made = begun(now=clock.utc_now())
    monkeypatch.setattr(tasks, "LATE_SECONDS", -1)
    monkeypatch.setattr(tasks, "_send", lambda task, times: times)

    assert tasks.go_on_with_cohort() == made.public_id

    made.refresh_from_db()
    assert (made.state, made.heartbeat_at) == (CohortState.PLANNING, None)
    monkeypatch.setattr(tasks, "LATE_SECONDS", 45)
    assert tasks.go_on_with_cohort() == made.public_id
    made.refresh_from_db()
    assert made.state == CohortState.FROZEN
