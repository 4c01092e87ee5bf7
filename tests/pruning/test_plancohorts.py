"""The plans of a cohort: one for each user, previewed as a whole, applied and undone user by user."""

import pytest
from django.db import IntegrityError, connection, transaction

from kimberly.audit.models import AuditEntry
from kimberly.lib.errors import Invalid
from kimberly.lib.sql import statement
from memory.models import MemoryItem, MemoryUser, PlanCohort, PlanCohortUser, PrunePlan
from memory.queries import plancohorts as queries
from memory.queries.cohorts import EVERYBODY, Cohort
from memory.queries.standing import Asked, Show
from memory.rules.plancohorts import Became, CohortState
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState, UserState
from memory.services import items, plancohorts, plans, reconcile
from memory.services.items import Change
from memory.services.plancohorts import (
    NobodyInCohort,
    NobodyLeft,
    NoSuchCohort,
    OfNobodyInParticular,
)
from memory.services.plans import Target
from tests.meditation.undoing import hashes, small
from tests.personas import NOON, TESTER, Person
from tests.pruning.cohorts import (
    NAMED,
    applies,
    became,
    begun,
    entries,
    goes_on,
    people,
    plan_of_member,
    planned,
    undoes,
)
from tests.pruning.planning import DAY, LATER, LONG, WHY, archived, listed, tells

pytestmark = pytest.mark.usefixtures("db")


def test_each_of_them_gets_a_plan_and_nothing_is_archived():
    persons, other = people(), Person.register("other")
    tells(other, 4)

    made = planned()

    assert (made.state, made.users) == (CohortState.FROZEN, 3)
    assert became(made) == [Became.PLANNED] * 3
    assert [plan_of_member(made, person).items_total for person in persons] == [2, 2, 2]
    assert not PrunePlan.objects.filter(user_id=other.id).exists()
    assert all(archived(person) == set() for person in persons)


def test_the_preview_of_the_whole_is_the_sum_of_its_plans():
    people(2)
    poor, large = Person.register("batch-poor"), Person.register("batch-large")
    tells(large, 10)

    made = planned(target=Target(size_bytes=700))

    of = queries.totals(made)
    assert (of.with_something, of.nothing, of.items, of.size_bytes) == (3, 1, 4 + 4 + 7, 1_500)
    assert (of.short, of.shortfall_bytes) == (3, 300 + 300 + 700)
    assert of.cap_bytes == sum(plan.cap_bytes for plan in PrunePlan.objects.exclude(user_id=poor.id))
    by_bytes, *_ = rows = queries.largest(made)
    assert (by_bytes.user_id, by_bytes.size_bytes, by_bytes.share) == (large.id, 700, 0.7)
    assert {row.share for row in rows if row.by_share < 3} == {1.0}
    assert plan_of_member(made, poor).shortfall_bytes == 700


@pytest.mark.promise("L5")
def test_all_of_them_are_applied_exactly_as_they_were_shown():
    persons = people()
    made = planned()

    applies(made)

    assert made.state == CohortState.APPLIED
    assert became(made) == [Became.APPLIED] * 3
    for person in persons:
        assert archived(person) == set(listed(plan_of_member(made, person)))
    assert reconcile.drifts([person.id for person in persons]) == []
    assert [entries(made, action) for action in ("cohort.begun", "cohort.planned", "cohort.applied")] == [1, 1, 1]
    assert AuditEntry.objects.filter(action="plan.applied").count() == 3


@pytest.mark.promise("L3")
def test_all_of_them_are_undone_as_they_were():
    persons = people()
    before = hashes(*persons)
    made = applies(planned())

    undoes(made)

    assert (made.state, became(made)) == (CohortState.UNDONE, [Became.UNDONE] * 3)
    assert hashes(*persons) == before
    of = queries.totals(made)
    assert (of.restored_items, of.archived_items) == (6, 6)
    assert reconcile.drifts([person.id for person in persons]) == []


def test_of_whom_nothing_can_go_an_empty_plan_says_so():
    Person.register("batch-poor")

    made = planned()

    assert became(made) == [Became.NOTHING]
    with pytest.raises(NobodyLeft):
        applies(made)


def test_one_who_is_refused_stops_nobody_else():
    first, second, third = people()
    made = begun()
    MemoryUser.objects.filter(pk=second.id).update(state=UserState.ERASING)

    applies(goes_on(made))

    assert became(made) == [Became.APPLIED, Became.REFUSED, Became.APPLIED]
    told = PlanCohortUser.objects.get(cohort=made, user_id=second.id)
    assert (told.refusal, told.plan) == ("user-not-found", None)
    assert told.says
    assert archived(first)
    assert archived(third)


def test_one_whose_data_does_what_nobody_expected_stops_nobody_else(monkeypatch):
    _, second, _ = people()
    make = plans.make

    def poisoned(user_id, **about):
        if user_id == second.id:
            raise ArithmeticError("a figure that nobody expected")
        return make(user_id, **about)

    monkeypatch.setattr(plans, "make", poisoned)

    made = planned()

    assert (made.state, became(made)) == (CohortState.FROZEN, [Became.PLANNED, Became.REFUSED, Became.PLANNED])
    assert "ArithmeticError" in PlanCohortUser.objects.get(user_id=second.id).says


def test_what_changed_since_is_left_and_told_of_that_user():
    first, second, _third = people()
    made = planned()
    changed = listed(plan_of_member(made, second))[0]
    items.change_item(changed, Change(content="something else"), user_id=second.id, expected=None, now=LATER)

    applies(made)

    assert became(made) == [Became.APPLIED, Became.PARTLY, Became.APPLIED]
    assert PlanCohortUser.objects.get(cohort=made, user_id=second.id).says == "Left as they are: 1 changed since."
    assert queries.totals(made).skipped_items == 1
    assert len(archived(first)) == 2


def test_without_room_one_user_is_not_undone_and_is_once_there_is_room():
    dana = small(soft=900, hard=1_000)
    MemoryUser.objects.filter(pk=dana.id).update(external_id="batch-dana")
    tells(dana, 8)
    people(1)
    made = applies(planned())
    dana.fill(LONG, leaving_bytes=0, at=LATER)

    undoes(made)

    assert sorted(became(made)) == [Became.REFUSED, Became.UNDONE]
    told = PlanCohortUser.objects.get(cohort=made, user_id=dana.id)
    assert told.refusal == "no-room-to-restore"
    assert "Raise long-term to" in told.says
    dana.is_raised(LONG, 2_000, until=LATER + DAY, at=LATER)
    undoes(made)
    assert became(made) == [Became.UNDONE] * 2
    with pytest.raises(NobodyLeft):
        undoes(made)


def test_a_plan_that_was_applied_by_itself_is_applied_once_and_undone_with_the_others():
    first, *_ = persons = people()
    made = planned()
    plans.apply(plan_of_member(made, first).pk, actor=TESTER, why=WHY, now=LATER)

    applies(made)
    undoes(made)

    assert became(made) == [Became.UNDONE] * 3
    assert AuditEntry.objects.filter(action="plan.applied").count() == 3
    assert not MemoryItem.objects.filter(user__in=[one.id for one in persons], state=ItemState.ARCHIVED).exists()


def test_a_plan_that_was_undone_by_itself_is_not_applied_again():
    first, *_ = people()
    made = planned()
    plan = plan_of_member(made, first)
    plans.apply(plan.pk, actor=TESTER, why=WHY, now=LATER)
    plans.undo(plan.pk, actor=TESTER, why=WHY, now=LATER)

    applies(made)

    assert became(made) == [Became.REFUSED, Became.APPLIED, Became.APPLIED]
    assert PlanCohortUser.objects.get(cohort=made, user_id=first.id).refusal == "plan-undone"


def test_whom_it_is_about_is_settled_when_it_begins():
    people(1)
    made = begun()
    people(1)

    assert goes_on(made).users == len(became(made)) == 1


@pytest.mark.parametrize("cohort", [EVERYBODY, Cohort(asked=Asked(sort=LONG))])
def test_all_customers_are_nobody_in_particular(cohort):
    people(1)

    with pytest.raises(OfNobodyInParticular):
        begun(cohort)

    assert not PlanCohort.objects.exists()


def test_a_cohort_with_nobody_in_it_is_refused():
    with pytest.raises(NobodyInCohort):
        begun(Cohort(asked=Asked(show=Show.SUSPENDED)))


@pytest.mark.parametrize("target", [Target(), Target(5, 0.5), Target(0), Target(share=1.1)])
def test_a_target_that_says_nothing_is_refused(target):
    people(1)

    with pytest.raises(Invalid):
        begun(target=target)


def test_what_never_was_is_refused(alice):
    with pytest.raises(NoSuchCohort):
        plancohorts.apply(alice.id, actor=TESTER, why=WHY, now=NOON)


def test_the_database_refuses_plans_of_everybody_and_a_user_twice():
    people(1)
    made = planned()
    member = PlanCohortUser.objects.get(cohort=made)

    with pytest.raises(IntegrityError, match="plan_cohort_of_some_ck"), transaction.atomic():
        PlanCohort.objects.filter(pk=made.pk).update(cohort={})
    with pytest.raises(IntegrityError, match="plan_cohort_user_once_uq"), transaction.atomic():
        PlanCohortUser.objects.create(cohort=made, user_id=member.user_id)
    with pytest.raises(IntegrityError, match="plan_cohort_user_plan_ck"), transaction.atomic():
        PlanCohortUser.objects.filter(pk=member.pk).update(became=Became.WAITING)


def test_it_names_whom_it_was_about():
    people(1)

    assert begun(NAMED).cohort == {"beginning": "batch"}


def test_a_state_that_the_plan_is_in_is_the_plans_own():
    people(1)
    made = applies(planned())

    assert PrunePlan.objects.get().state == PlanState.APPLIED
    assert made.phase is CohortState.APPLYING


def test_the_largest_are_found_by_indexes_alone():
    people(2)
    made = planned()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # these few rows are read at once
        text = statement(queries.__file__, "largest_of_cohort")
        cursor.execute(f"EXPLAIN {text}", {"cohort_id": made.pk, "most": 5})
        steps = " ".join(row[0] for row in cursor.fetchall())

    assert "plan_cohort_user_" in steps
    assert "Seq Scan" not in steps
