"""`check_invariants` finds each way in which a plan could have done something else than it says."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from kimberly.lib import clock
from memory.models import PrunePlanItem
from memory.rules.plans import ItemOutcome
from memory.rules.tiers import Tier
from memory.services import items
from ops.services import invariants
from tests import sql
from tests.personas import TESTER, Person, content_of
from tests.pruning.planning import applied, listed, plan_of, undone

HOUR = timedelta(hours=1)


@pytest.fixture
def dora(as_owner):
    """A user in a store that its owner can break."""
    return Person.register("dora", at=clock.utc_now() - 2 * HOUR)


@pytest.fixture
def plan(dora):
    """A plan of four of a tier's items, not applied."""
    return made(dora)


def made(person, tier=Tier.LONG_TERM):
    now = clock.utc_now()
    for n in range(4):
        person.writes(content_of(100 + n), tier=tier, at=now - HOUR)
    return plan_of(person, share=1.0, tier=tier, now=now)


def found(*named):
    """What is found that names one of these rows."""
    violations = invariants.check(now=clock.utc_now())
    return [(each.invariant, each.text) for each in violations if any(str(one.pk) in each.text for one in named)]


def now_applied(plan):
    return applied(plan, now=clock.utc_now()).plan


def now_undone(plan):
    return undone(plan, now=clock.utc_now()).plan


def test_plans_that_went_as_they_should_are_well(dora, plan):
    one, other, *_ = listed(plan)
    about = {"user_id": dora.id, "actor": TESTER, "now": clock.utc_now()}
    items.delete_item(one, **about)
    now_applied(plan)
    items.restore_item(other, **about)
    now_undone(plan)
    items.purge_item(other, **about)
    later = plan_of(dora, share=1.0, now=clock.utc_now())
    now_applied(later)
    lasting = now_applied(made(dora, Tier.PERMANENT))
    empty = now_undone(now_applied(plan_of(Person.register("nobody"), share=1.0, now=clock.utc_now())))
    frozen = plan_of(dora, share=1.0, now=clock.utc_now())

    assert found(plan, later, lasting, empty, frozen) == []


def test_a_permanent_item_that_a_plan_took_without_naming_the_tier_is_found(dora):
    plan = now_applied(made(dora, Tier.PERMANENT))

    sql.change("UPDATE prune_plan SET tier = '' WHERE id = %s", plan.pk)

    assert {name for name, text in found(plan) if "is permanent" in text} == {"I4"}


def test_a_protected_item_that_a_plan_took_is_found_and_one_protected_later_is_none(dora, plan):
    now_applied(plan)
    before, later, *_ = listed(plan)

    sql.change("UPDATE memory_item SET protected = TRUE WHERE id = %s", before)
    sql.change("UPDATE memory_item SET protected = TRUE, version = version + 1 WHERE id = %s", later)

    assert found(plan) == [("I4", f"item {before} is protected, and plan {plan.pk} archived it")]


OF_FROZEN = {
    "its figures": ("UPDATE prune_plan SET bytes_total = bytes_total - 1 WHERE id = %s", "its list is another"),
    "its list": ("DELETE FROM prune_plan_item WHERE position = 2 AND plan_id = %s", "its list is another"),
    "an item that went": (
        "UPDATE prune_plan_item SET outcome = 'gone' WHERE position = 2 AND plan_id = %s",
        "is frozen, and something was done already",
    ),
}
OF_APPLIED = {
    "its sum": ("UPDATE prune_plan SET archived_bytes = archived_bytes + 1 WHERE id = %s", "and says otherwise"),
    "its number": ("UPDATE prune_plan SET archived_items = NULL WHERE id = %s", "and says otherwise"),
    "an item of which nothing is told": (
        "UPDATE prune_plan_item SET outcome = '' WHERE position = 2 AND plan_id = %s",
        "says of 1 items not what became of them",
    ),
    "an item that is back without an undo": (
        "UPDATE prune_plan_item SET fingerprint_back = fingerprint WHERE position = 2 AND plan_id = %s",
        "brought back 1 items of",
    ),
}
SECOND = "SELECT item_id FROM prune_plan_item WHERE position = 2 AND plan_id = %s"
OF_UNDONE = {
    "its sum": ("UPDATE prune_plan SET restored_bytes = 0 WHERE id = %s", "brought back 4 items of"),
    "an item that came back as another": (
        "UPDATE prune_plan_item SET fingerprint_back = '\\x00' WHERE position = 2 AND plan_id = %s",
        "as something else",
    ),
    "an item that did not come back": (
        f"UPDATE memory_item SET version = 2 WHERE id = ({SECOND})",
        "left it, which was undone",
    ),
}


def is_found(plan, change, said):
    assert found(plan) == []
    sql.change(change, plan.pk)
    assert [name for name, text in found(plan) if said in text] == ["I5"]


@pytest.mark.parametrize(("change", "said"), OF_FROZEN.values(), ids=OF_FROZEN)
def test_a_frozen_plan_that_is_another_is_found(plan, change, said):
    is_found(plan, change, said)


@pytest.mark.parametrize(("change", "said"), OF_APPLIED.values(), ids=OF_APPLIED)
def test_an_applied_plan_that_did_something_else_is_found(plan, change, said):
    is_found(now_applied(plan), change, said)


@pytest.mark.parametrize(("change", "said"), OF_UNDONE.values(), ids=OF_UNDONE)
def test_an_undone_plan_that_gave_back_something_else_is_found(plan, change, said):
    is_found(now_undone(now_applied(plan)), change, said)


def test_an_item_that_two_plans_took_at_once_is_found(dora, plan):
    other = plan_of(dora, share=1.0, tier=Tier.LONG_TERM, now=clock.utc_now())
    now_applied(plan)
    now_applied(other)

    row = PrunePlanItem.objects.filter(plan=other, position=1)
    row.update(outcome=ItemOutcome.ARCHIVED, left_version=2)

    both = ", ".join(sorted([str(plan.pk), str(other.pk)]))
    assert ("I5", f"item {row.get().item_id} was archived once, and by plans {both}") in found(plan)


def test_an_archived_row_without_the_version_in_which_it_was_left_is_refused(dora, plan):
    with pytest.raises(IntegrityError, match="prune_plan_item_as_shown_ck"):
        PrunePlanItem.objects.filter(plan=plan).update(outcome=ItemOutcome.ARCHIVED)
