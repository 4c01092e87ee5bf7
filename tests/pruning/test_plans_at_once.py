"""However many apply one plan at the same moment, it has one effect, and whatever else happens meanwhile adds up."""

from functools import partial

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import MemoryItem, PrunePlan, PrunePlanItem
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import ItemState
from memory.services import items, reconcile
from memory.services.items import Change
from memory.services.plans import Done, PlanNotApplied, PlanOver
from ops.services import invariants
from tests.counts import rounds
from tests.memory.test_selections_at_once import at_once
from tests.personas import TESTER, Person
from tests.pruning.planning import LONG, SHORT, applied, archived, listed, plan_of, tells, undone
from tests.races import together

pytestmark = [pytest.mark.slow, pytest.mark.promise("L1")]

APPLIERS = 10


def entries(person, action):
    return AuditEntry.objects.filter(action=action, subject_id=str(person.id)).count()


def broken(plan):
    """What the invariants say of this plan and its items."""
    checks = [invariants.CHECKS[name] for name in ("I4", "I5")]
    return [text for find in checks for text in find(clock.utc_now()) if str(plan.pk) in text]


@pytest.fixture
def dana(committed_db):
    now = clock.utc_now()
    person = Person.register("dana", at=now)
    for tier in (SHORT, LONG):
        tells(person, 12, tier, at=now)
    return person


@pytest.mark.parametrize("nth", range(rounds(5, 50)))
def test_ten_who_apply_a_plan_at_once_have_one_effect_and_one_answer(web, dana, nth):
    now, key = clock.utc_now(), dana.gets_key()
    plan = plan_of(dana, share=0.8, now=now)
    kept, gone, away, changed, *rest = listed(plan)
    items.change_item(kept, Change(protected=True), user_id=dana.id, expected=None, now=now)
    items.purge_item(gone, user_id=dana.id, actor=TESTER, now=now)
    items.delete_item(away, user_id=dana.id, actor=TESTER, now=now)
    items.change_item(changed, Change(content="else"), user_id=dana.id, expected=None, now=now)

    clients = [web.client(key) for _ in range(APPLIERS)]
    path = f"/api/v1/prune-plans/{plan.public_id}/apply"
    answers = together.at_once([partial(client.post, path) for client in clients])
    for client in clients:
        client.close()

    assert [answer.status_code for answer in answers] == [200] * APPLIERS
    assert len({answer.content for answer in answers}) == 1, "to the byte"
    assert answers[0].json()["applied"]["skipped"] == {"protected": 1, "gone": 1, "away": 1, "changed": 1}
    assert archived(dana) == {*rest, away}
    assert set(MemoryItem.objects.filter(pk__in=rest).values_list("version", flat=True)) == {2}
    assert entries(dana, "plan.applied") == 1
    assert reconcile.drifts([dana.id]) == []
    assert broken(plan) == []


@pytest.mark.parametrize("nth", range(rounds(5, 50)))
def test_two_plans_of_the_same_items_take_each_of_them_once(dana, nth):
    now = clock.utc_now()
    first, second = plan_of(dana, share=0.5, now=now), plan_of(dana, share=0.9, now=now)

    outcomes = at_once(*(partial(applied, plan, now=now) for plan in (first, second, first, second)))

    assert sorted(done.again for done in outcomes) == [False, False, True, True]
    taken = PrunePlanItem.objects.filter(plan__in=[first, second], outcome=ItemOutcome.ARCHIVED)
    assert sorted(taken.values_list("item_id", flat=True)) == sorted(listed(second))
    assert archived(dana) == set(listed(second))
    assert reconcile.drifts([dana.id]) == []
    assert [*broken(first), *broken(second)] == []


@pytest.mark.parametrize("nth", range(rounds(5, 50)))
def test_apply_undo_and_what_the_user_does_at_once_add_up(dana, nth):
    now = clock.utc_now()
    plan = plan_of(dana, share=0.7, now=now)
    one, other, third, *_ = listed(plan)
    about = {"user_id": dana.id, "now": now}

    first, second, undo, undo_again, *_ = at_once(
        partial(applied, plan, now=now),
        partial(applied, plan, now=now),
        partial(undone, plan, now=now),
        partial(undone, plan, now=now),
        partial(dana.writes, "Coffee from now on.", at=now),
        partial(items.delete_item, one, actor=TESTER, **about),
        partial(items.restore_item, other, actor=TESTER, **about),
        partial(items.purge_item, third, actor=TESTER, **about),
        partial(items.change_item, other, Change(content="something else"), expected=None, **about),
    )

    plan = PrunePlan.objects.get(pk=plan.pk)
    assert [type(outcome) for outcome in (first, second)].count(Done) >= 1
    assert all(isinstance(outcome, Done | PlanOver) for outcome in (first, second))
    assert entries(dana, "plan.applied") == 1
    assert entries(dana, "plan.undone") == (plan.state == PlanState.UNDONE)
    if not any(isinstance(outcome, Done) for outcome in (undo, undo_again)):
        assert plan.state == PlanState.APPLIED
    left = PrunePlanItem.objects.filter(plan=plan, outcome=ItemOutcome.ARCHIVED)
    lying = left.filter(item__state=ItemState.ARCHIVED, fingerprint_back=None).exclude(item_id=one)
    assert plan.state == PlanState.APPLIED or not lying.exists(), "an undone plan left nothing where it put it"
    assert not MemoryItem.objects.filter(pk=third).exclude(state=ItemState.PURGED).exists()
    assert reconcile.drifts([dana.id]) == []
    assert broken(plan) == []


@pytest.mark.parametrize("nth", range(rounds(5, 50)))
def test_of_those_who_undo_a_plan_at_once_one_does(dana, nth):
    now = clock.utc_now()
    plan = plan_of(dana, share=1.0, now=now)
    applied(plan, now=now)

    outcomes = at_once(*[partial(undone, plan, now=now)] * 5, *[partial(applied, plan, now=now)] * 2)

    assert sorted(done.again for done in outcomes[:5]) == [False, True, True, True, True]
    assert not any(isinstance(outcome, PlanNotApplied) for outcome in outcomes)
    assert set(MemoryItem.objects.filter(user_id=dana.id).values_list("state", "version")) == {(ItemState.ACTIVE, 3)}
    assert (entries(dana, "plan.applied"), entries(dana, "plan.undone")) == (1, 1)
    assert reconcile.drifts([dana.id]) == []
    assert broken(plan) == []
