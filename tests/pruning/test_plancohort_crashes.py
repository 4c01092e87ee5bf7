"""Wherever the plans of a cohort are cut off, they are gone on with: nobody is pruned twice or forgotten."""

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import PlanCohort, PrunePlan
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.rules.plancohorts import WORKING, Became, CohortState
from memory.services import plancohorts, reconcile, userbyuser
from memory.services.plans import Target
from tests.counts import rounds
from tests.crashes import cut_off, points_in
from tests.meditation.workers import Worker, lose_the_queues, watch
from tests.memory.test_selections_at_once import at_once
from tests.personas import TESTER, Person, unique
from tests.pruning.cohorts import became
from tests.pruning.planning import WHY, archived, listed
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed_db")]
NUMBER, ITEMS = 3, 4
POINTS = [point for _, point in points_in(plancohorts)]
CUT_OFF = ("--reason", "Cut off on purpose.", "--wait")


@pytest.fixture
def named(committed_db):
    """How the ids of the cohort's people begin; whatever others left waiting is over."""
    now = clock.utc_now()
    left = PlanCohort.objects.filter(state__in=WORKING)
    for one in left:
        plancohorts.stop(one.pk, actor=TESTER, why=WHY, now=now)
    beginning = unique("crash")
    for n in range(NUMBER):
        person = Person.register(f"{beginning}-{n}", at=now - timedelta(days=9))
        for m in range(ITEMS):
            person.writes(f"rare{m}", at=now)
    return beginning


def people(made):
    found = made.members.select_related("user").order_by("user_id")
    return [Person(one.user_id, one.user.external_id) for one in found]


def goes_on(made=None):
    """As the next worker does, once nothing was heard of the one before."""
    later = clock.utc_now() + userbyuser.SILENT_AFTER
    taken = plancohorts.take(now=later)
    if taken is not None:
        assert plancohorts.go_on(taken, tell_time=lambda: later)
    if made is not None:
        made.refresh_from_db()
    return taken


def planned(beginning):
    cohort = Cohort(asked=Asked(beginning=beginning))
    now = clock.utc_now()
    made = plancohorts.begin(cohort, target=Target(share=0.5), actor=TESTER, why=WHY, now=now)
    goes_on(made)
    assert made.state == CohortState.FROZEN
    return made


def entries(action, person):
    return AuditEntry.objects.filter(action=action, subject_id=str(person.id)).count()


@pytest.mark.promise("M1")
@pytest.mark.parametrize("point", [point for point in POINTS if point != "cohort-turned"])
def test_planning_that_is_cut_off_there_is_gone_on_with(named, point):
    cut_off("prune_cohort", "--beginning", named, "--share", "0.5", *CUT_OFF, at=point)

    if point == "cohort-begun":
        assert not PlanCohort.objects.filter(cohort__beginning=named).exists(), "it was not kept: nothing of it is"
        return
    made = PlanCohort.objects.get(cohort__beginning=named)
    goes_on(made)

    assert (made.state, became(made)) == (CohortState.FROZEN, [Became.PLANNED] * NUMBER)
    for person in people(made):
        assert PrunePlan.objects.filter(user_id=person.id).count() == 1
        assert archived(person) == set()


@pytest.mark.promise("M1")
@pytest.mark.promise("L1")
@pytest.mark.parametrize("phase", ["apply", "undo"])
@pytest.mark.parametrize("point", [point for point in POINTS if point != "cohort-begun"])
def test_what_is_cut_off_there_is_gone_on_with(named, point, phase):
    made = planned(named)
    if phase == "undo":
        plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=clock.utc_now())
        goes_on(made)
    cut_off("prune_cohort", f"--{phase}", made.public_id, *CUT_OFF, at=point)

    if point == "cohort-turned":
        assert goes_on(made) is None, "it was not kept, so nothing of it is"
        return
    goes_on(made)

    done = {"apply": (CohortState.APPLIED, Became.APPLIED), "undo": (CohortState.UNDONE, Became.UNDONE)}[phase]
    assert (made.state, became(made)) == (done[0], [done[1]] * NUMBER)
    for person in people(made):
        plan = PrunePlan.objects.get(user_id=person.id)
        assert archived(person) == (set(listed(plan)) if phase == "apply" else set())
        assert entries("plan.applied", person) == 1
        assert entries("plan.undone", person) == (phase == "undo")
    assert reconcile.drifts([person.id for person in people(made)]) == []


@pytest.mark.promise("L1")
@pytest.mark.parametrize("nth", range(rounds(2, 20)))
def test_whoever_goes_on_with_them_at_once_does_each_user_once(named, nth):
    made = planned(named)
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=clock.utc_now())
    made.refresh_from_db()
    own = [PlanCohort.objects.get(pk=made.pk) for _ in range(3)]

    ended = at_once(*(lambda one=one: plancohorts.go_on(one, tell_time=clock.utc_now) for one in own))

    made.refresh_from_db()
    assert ended == [True] * 3
    assert (made.state, became(made)) == (CohortState.APPLIED, [Became.APPLIED] * NUMBER)
    assert [entries("plan.applied", person) for person in people(made)] == [1] * NUMBER
    assert AuditEntry.objects.filter(action="cohort.applied", subject_id=str(made.pk)).count() == 1
    assert reconcile.drifts([person.id for person in people(made)]) == []


def test_who_is_held_by_somebody_else_is_told_and_the_others_do_not_wait(named):
    made = planned(named)
    held, *_ = people(made)
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=clock.utc_now())
    with psycopg.connect(settings.KIMBERLY.database_url) as other, connection.cursor() as cursor:
        other.execute("SELECT FROM usage_counter WHERE user_id = %s FOR UPDATE", [held.id])
        cursor.execute("SET lock_timeout = '100ms'")
        goes_on(made)
        cursor.execute("RESET lock_timeout")

    assert became(made) == [Became.REFUSED, Became.APPLIED, Became.APPLIED]
    assert made.members.get(user_id=held.id).refusal == "database-busy"
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=clock.utc_now())
    goes_on(made)
    assert became(made) == [Became.APPLIED] * NUMBER


@pytest.mark.promise("M2")
def test_a_worker_that_comes_later_does_what_a_lost_broker_forgot(named):
    cohort = Cohort(asked=Asked(beginning=named))
    made = plancohorts.begin(cohort, target=Target(share=0.5), actor=TESTER, why=WHY, now=clock.utc_now())
    lose_the_queues()

    def frozen():
        watch()
        made.refresh_from_db()
        return made.state == CohortState.FROZEN

    with Worker():
        until(frozen, what="everybody has a plan", limit_seconds=60)

    assert became(made) == [Became.PLANNED] * NUMBER
