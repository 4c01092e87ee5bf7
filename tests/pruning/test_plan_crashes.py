"""Wherever making, applying or undoing a plan is cut off, nothing of it is there, and done again it is whole."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from kimberly.lib import clock, crashpoints
from memory.models import MemoryItem, PrunePlan
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState
from memory.services import plans, reconcile
from ops.services import invariants
from tests.house.sources import PROJECT
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


def declared():
    """Every crashpoint in the code of plans, with the act that passes it."""
    tree = ast.parse(Path(PROJECT, plans.__file__).read_text(encoding="utf-8"))
    acts = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [
        (act.name, ast.literal_eval(call.args[0]))
        for act in acts
        for call in ast.walk(act)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "crashpoint"
    ]


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


def is_cut_off(*arguments, at):
    """Let a process of its own do it, and end there."""
    environment = {**os.environ, crashpoints.ENVIRONMENT: at, "DJANGO_SETTINGS_MODULE": "kimberly.settings"}
    command = [sys.executable, "-W", "ignore", "manage.py", "prune_plan", *arguments]
    command += ["--reason", "Cut off on purpose."]
    done = subprocess.run(command, cwd=PROJECT, env=environment, check=False, capture_output=True)
    assert done.returncode == crashpoints.EXIT_STATUS, f"it does not pass this point: {done.stderr.decode()[-500:]}"


def test_each_act_has_a_point_where_it_is_cut_off():
    assert {act for act, _ in declared()} == {"make", "apply", "undo"}


@pytest.mark.parametrize("point", [point for act, point in declared() if act == "make"])
def test_a_plan_whose_making_was_cut_off_is_not_there(dana, point):
    before = everything(dana)

    is_cut_off("make", dana.external_id, "--share", "0.5", at=point)

    assert everything(dana) == before
    assert plan_of(dana, share=0.5, now=clock.utc_now()).items_total == 6


@pytest.mark.parametrize("point", [point for act, point in declared() if act == "apply"])
def test_a_plan_whose_application_was_cut_off_has_done_nothing(dana, point):
    plan = plan_of(dana, share=0.5, now=clock.utc_now())
    before = everything(dana)

    is_cut_off("apply", plan.public_id, at=point)

    assert everything(dana) == before
    done = applied(plan, now=clock.utc_now())
    assert (done.again, done.plan.archived_items) == (False, 6)
    assert archived(dana) == set(listed(plan))
    whole(dana, plan)


@pytest.mark.parametrize("point", [point for act, point in declared() if act == "undo"])
def test_a_plan_whose_undo_was_cut_off_is_still_applied(dana, point):
    plan = plan_of(dana, share=0.5, now=clock.utc_now())
    applied(plan, now=clock.utc_now())
    before = everything(dana)

    is_cut_off("undo", plan.public_id, at=point)

    assert everything(dana) == before
    assert PrunePlan.objects.get(pk=plan.pk).state == PlanState.APPLIED
    done = undone(plan, now=clock.utc_now())
    assert (done.again, done.plan.restored_items) == (False, 6)
    assert not MemoryItem.objects.filter(user_id=dana.id).exclude(state=ItemState.ACTIVE).exists()
    whole(dana, plan)


def whole(person, plan):
    assert reconcile.drifts([person.id]) == []
    assert not [text for text in invariants.CHECKS["I5"](clock.utc_now()) if str(plan.pk) in text]
