"""Wherever making, applying or undoing a plan is cut off, nothing of it is there, and done again it is whole."""

import pytest
from django.db import connection

from kimberly.lib import clock
from memory.models import MemoryItem, PrunePlan
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState
from memory.services import plans, reconcile
from ops.services import invariants
from tests.crashes import cut_off, points_in
from tests.personas import Person
from tests.pruning.planning import LONG, SHORT, applied, archived, listed, plan_of, tells, undone

pytestmark = [pytest.mark.slow, pytest.mark.promise("L6")]

OF_USER = """
    SELECT 'item', i::text FROM memory_item AS i WHERE user_id = %(user)s
    UNION ALL SELECT 'counter', c::text FROM usage_counter AS c WHERE user_id = %(user)s
    UNION ALL SELECT 'plan', p::text FROM prune_plan AS p WHERE user_id = %(user)s
    UNION ALL SELECT 'listed', l::text FROM prune_plan_item AS l INNER JOIN memory_item AS i ON l.item_id = i.id
    WHERE i.user_id = %(user)s
    UNION ALL SELECT 'entry', e::text FROM audit_entry AS e WHERE subject_id = %(user)s::text
    ORDER BY 1, 2
"""


def everything(person):
    """All that is kept of a user, of plans, and of what was done."""
    with connection.cursor() as cursor:
        cursor.execute(OF_USER, {"user": person.id})
        return cursor.fetchall()


@pytest.fixture
def dana(committed_db):
    now = clock.utc_now()
    person = Person.register("dana", at=now)
    for tier in (SHORT, LONG):
        tells(person, 6, tier, at=now)
    return person


def test_each_act_has_a_point_where_it_is_cut_off():
    assert {act for act, _ in points_in(plans)} == {"make", "apply", "undo"}


@pytest.mark.parametrize("point", [point for act, point in points_in(plans) if act == "make"])
def test_a_plan_whose_making_was_cut_off_is_not_there(dana, point):
    before = everything(dana)

    cut_off("prune_plan", "make", dana.external_id, "--share", "0.5", "--reason", "Cut off on purpose.", at=point)

    assert everything(dana) == before
    assert plan_of(dana, share=0.5, now=clock.utc_now()).items_total == 6


@pytest.mark.parametrize("point", [point for act, point in points_in(plans) if act == "apply"])
def test_a_plan_whose_application_was_cut_off_has_done_nothing(dana, point):
    plan = plan_of(dana, share=0.5, now=clock.utc_now())
    before = everything(dana)

    cut_off("prune_plan", "apply", plan.public_id, "--reason", "Cut off on purpose.", at=point)

    assert everything(dana) == before
    done = applied(plan, now=clock.utc_now())
    assert (done.again, done.plan.archived_items) == (False, 6)
    assert archived(dana) == set(listed(plan))
    whole(dana, plan)


@pytest.mark.parametrize("point", [point for act, point in points_in(plans) if act == "undo"])
def test_a_plan_whose_undo_was_cut_off_is_still_applied(dana, point):
    plan = plan_of(dana, share=0.5, now=clock.utc_now())
    applied(plan, now=clock.utc_now())
    before = everything(dana)

    cut_off("prune_plan", "undo", plan.public_id, "--reason", "Cut off on purpose.", at=point)

    assert everything(dana) == before
    assert PrunePlan.objects.get(pk=plan.pk).state == PlanState.APPLIED
    done = undone(plan, now=clock.utc_now())
    assert (done.again, done.plan.restored_items) == (False, 6)
    assert not MemoryItem.objects.filter(user_id=dana.id).exclude(state=ItemState.ACTIVE).exists()
    whole(dana, plan)


def whole(person, plan):
    assert reconcile.drifts([person.id]) == []
    assert not [text for text in invariants.CHECKS["I5"](clock.utc_now()) if str(plan.pk) in text]
