"""A prune plan: the list that is shown is what goes, and all of it comes back."""

import hashlib

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize
from kimberly.lib.errors import Invalid
from memory.models import MemoryItem, MemoryUser, PrunePlan, PrunePlanItem
from memory.queries import why
from memory.rules.meditation import Reason
from memory.rules.plans import ItemOutcome, PlanState, share_bytes
from memory.rules.selections import Skip
from memory.rules.tiers import ItemState, UserState
from memory.services import items, plans, reconcile
from memory.services.items import Change
from memory.services.plans import NotAllOfPlan, PlanNotApplied, PlanOver, PlanStale, Target
from memory.services.quotas import UserGone
from memory.services.selections import NoRoomToRestore
from tests.meditation.undoing import hashes, rows, small
from tests.personas import NOON, TESTER, content_of
from tests.pruning.planning import (
    DAY,
    HOUR,
    LATER,
    LONG,
    PERMANENT,
    SHORT,
    WHY,
    applied,
    archived,
    listed,
    outcomes,
    plan_of,
    tells,
    undone,
)


def test_a_plan_is_the_smallest_head_of_the_order_that_reaches_its_target(alice):
    told = tells(alice, 6)

    plan = plan_of(alice, 250)

    assert listed(plan) == told[:3]
    assert (plan.items_total, plan.bytes_total, plan.shortfall_bytes) == (3, 300, 0)
    assert archived(alice) == set()


def test_it_reaches_short_term_and_long_term_in_one_order_and_permanent_only_by_name(alice):
    tells(alice, 3, SHORT)
    tells(alice, 3, LONG)
    lasting = tells(alice, 3, PERMANENT)

    everything, named = plan_of(alice, share=1.0), plan_of(alice, share=1.0, tier=PERMANENT)

    assert everything.items_total == 6
    assert set(everything.facts) == {SHORT, LONG}
    assert listed(named) == lasting
    assert (everything.cap_bytes > 0, named.cap_bytes) == (True, 0), "meditation archives nothing of permanent"


def test_protected_items_stay_and_what_is_missing_to_the_target_is_said(alice):
    told = tells(alice, 4)
    items.change_item(told[0], Change(protected=True), user_id=alice.id, expected=None, now=NOON)

    plan = plan_of(alice, 1_000)

    assert listed(plan) == told[1:]
    assert plan.shortfall_bytes == 700
    assert plan.facts[LONG]["protected_items"] == 1


@pytest.mark.parametrize(("share", "active", "wanted"), [(0.7, 10, 7), (0.3, 10, 3), (0.5, 3, 2), (1.0, 9, 9)])
def test_a_share_is_reckoned_as_people_do(share, active, wanted):
    assert share_bytes(share, active) == wanted


@pytest.mark.parametrize(
    "target", [Target(), Target(5, 0.5), Target(0), Target(-1), Target(1 << 60), Target(share=0.0), Target(share=1.1)]
)
def test_a_target_that_says_nothing_is_refused(alice, target):
    with pytest.raises(Invalid):
        plans.make(alice.id, target=target, actor=TESTER, why=WHY, now=NOON)

    assert not PrunePlan.objects.filter(user_id=alice.id).exists()


def test_it_archives_what_it_showed_and_frees_what_it_predicted(alice):
    told = tells(alice, 6)
    plan = plan_of(alice, 300)

    done = applied(plan)

    assert archived(alice) == set(told[:3])
    assert (done.plan.archived_items, done.plan.archived_bytes, done.plan.skipped) == (3, 300, {})
    assert alice.usage(LONG).active_bytes == plan.facts[LONG]["used_bytes"] - plan.facts[LONG]["goes_bytes"]
    assert {alice.item(item).archive_reason for item in told[:3]} == {"plan"}
    assert reconcile.drifts([alice.id]) == []


@pytest.mark.promise("L5")
def test_an_item_that_changed_since_is_skipped_and_told_and_never_replaced(alice):
    told = tells(alice, 8)
    plan = plan_of(alice, 500)
    items.change_item(told[0], Change(content="something else"), user_id=alice.id, expected=None, now=LATER)
    items.change_item(told[1], Change(protected=True), user_id=alice.id, expected=None, now=LATER)
    items.delete_item(told[2], user_id=alice.id, expected=None, actor=TESTER, now=LATER)
    items.purge_item(told[3], user_id=alice.id, actor=TESTER, now=LATER)

    done = applied(plan)

    assert outcomes(plan) == [
        ItemOutcome.CHANGED, ItemOutcome.PROTECTED, ItemOutcome.AWAY, ItemOutcome.GONE, ItemOutcome.ARCHIVED,
    ]  # fmt: skip
    assert done.plan.skipped == {"changed": 1, "protected": 1, "away": 1, "gone": 1}
    assert done.plan.archived_items == 1
    assert all(alice.item(item).state == ItemState.ACTIVE for item in (told[0], told[1], *told[5:]))
    assert reconcile.drifts([alice.id]) == []


@pytest.mark.promise("L5")
def test_applied_twice_it_has_one_effect_and_one_answer(alice):
    tells(alice, 4)
    plan = plan_of(alice)
    first = applied(plan)
    then = rows(alice)

    again = applied(plan, now=LATER + 3 * DAY)

    assert (first.again, again.again) == (False, True)
    assert again.plan.archived_bytes == first.plan.archived_bytes
    assert rows(alice) == then
    assert AuditEntry.objects.filter(action="plan.applied", subject_id=str(alice.id)).count() == 1


@pytest.mark.promise("L5")
def test_after_a_day_it_is_stale(alice):
    tells(alice, 4)
    plan = plan_of(alice)
    assert plan.state_at(NOON + DAY - HOUR) is PlanState.FROZEN

    with pytest.raises(PlanStale, match="stale at"):
        applied(plan, now=NOON + DAY)

    assert plan.state_at(NOON + DAY) is PlanState.STALE
    assert archived(alice) == set()


@pytest.mark.promise("L3")
def test_what_it_archived_is_as_it_was(alice):
    tells(alice, 4)
    tells(alice, 4, SHORT)
    before = hashes(alice)
    plan = plan_of(alice)
    applied(plan)

    done = undone(plan)

    assert hashes(alice) == before
    assert (done.plan.restored_items, done.plan.state) == (plan.items_total, PlanState.UNDONE)
    lives = MemoryItem.objects.filter(pk__in=listed(plan), tier=SHORT).values_list("expires_at", flat=True)
    assert set(lives) == {LATER + HOUR + DAY}
    prints = PrunePlanItem.objects.filter(plan=plan).values_list("fingerprint", "fingerprint_back")
    assert all(one is not None and bytes(one) == bytes(other or b"") for one, other in prints)
    assert reconcile.drifts([alice.id]) == []


def test_undone_twice_it_has_one_effect_and_it_is_not_applied_again(alice):
    tells(alice, 4)
    plan = plan_of(alice)
    with pytest.raises(PlanNotApplied):
        undone(plan)
    applied(plan)
    undone(plan)
    then = rows(alice)

    assert undone(plan).again
    with pytest.raises(PlanOver):
        applied(plan, now=LATER + 2 * HOUR)

    assert rows(alice) == then


@pytest.mark.promise("L3")
def test_without_room_nothing_comes_back_and_it_says_what_would_help(db):
    dana = small(soft=900, hard=1_000)
    tells(dana, 8)
    plan = plan_of(dana, 400)
    applied(plan)
    dana.fill(LONG, leaving_bytes=100, at=LATER)
    then = rows(dana)

    with pytest.raises(NoRoomToRestore) as refused:
        undone(plan)

    assert rows(dana) == then
    assert f"Raise long-term to {bytesize.at_least(1_300)} or more for a time." in refused.value.remedies()
    dana.is_raised(LONG, 1_300, until=LATER + DAY, at=LATER)
    assert undone(plan).plan.restored_bytes == 400


@pytest.mark.promise("L3")
def test_what_is_back_already_stands_in_nobodys_way_but_what_is_gone_does(alice):
    told = tells(alice, 6)
    plan = plan_of(alice, 300)
    applied(plan)
    items.restore_item(told[0], user_id=alice.id, actor=TESTER, now=LATER)
    items.purge_item(told[1], user_id=alice.id, actor=TESTER, now=LATER)
    then = rows(alice)

    with pytest.raises(NotAllOfPlan) as refused:
        undone(plan)

    assert refused.value.skipped == {Skip.GONE: 1}
    assert rows(alice) == then

    other = plan_of(alice, 300, now=LATER)
    applied(other, now=LATER)
    items.restore_item(listed(other)[0], user_id=alice.id, actor=TESTER, now=LATER)
    assert undone(other).plan.restored_items == 2
    assert reconcile.drifts([alice.id]) == []


def test_past_the_grace_nothing_comes_back(alice):
    tells(alice, 4)
    plan = plan_of(alice)
    applied(plan)

    with pytest.raises(NotAllOfPlan, match="past their grace"):
        undone(plan, now=LATER + 31 * DAY)


def test_of_an_erased_user_nothing_is_planned(alice):
    tells(alice, 4)
    plan = plan_of(alice)
    MemoryUser.objects.filter(pk=alice.id).update(state=UserState.ERASING)

    for act in (lambda: plan_of(alice), lambda: applied(plan)):
        with pytest.raises(UserGone):
            act()


def test_why_an_item_went_is_told_from_what_the_plan_kept(alice):
    told = tells(alice, 4)
    plan = plan_of(alice, 100)
    applied(plan)

    found = why.of_item(told[0])

    assert found is not None
    [decided] = found.decisions
    assert (decided.reason, decided.decided_by) == (Reason.PLAN, plan.public_id)
    assert decided.retold is not None
    assert decided.retold.score == decided.score
    assert "somebody applied a prune plan" in decided.in_words


def test_a_person_with_nothing_gets_an_empty_plan(alice):
    plan = plan_of(alice, 500)

    assert (plan.items_total, plan.shortfall_bytes) == (0, 500)
    assert applied(plan).plan.archived_items == 0


def test_the_list_has_a_hash_that_anybody_can_reckon(alice):
    tells(alice, 4)
    plan = plan_of(alice)

    lines = [f"{row.item_id}:{row.version}" for row in PrunePlanItem.objects.filter(plan=plan).order_by("position")]
    assert plan.list_sha256 == hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_large_items_go_before_small_ones_of_the_same_worth(alice):
    small_one = alice.writes(content_of(100)).id
    large = alice.writes(content_of(2_000)).id

    assert listed(plan_of(alice, share=1.0)) == [large, small_one]
