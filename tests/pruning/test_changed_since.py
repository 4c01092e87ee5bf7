"""Whatever is done between a plan and its application: what changed is left and told, and nothing goes in its place."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.models import MemoryItem
from memory.rules.plans import ItemOutcome
from memory.rules.tiers import ItemState
from memory.services import items, reconcile
from memory.services.items import Change
from tests.counts import rounds, thrown_away
from tests.personas import NOON, TESTER, Person
from tests.pruning.planning import HOUR, LATER, LONG, SHORT, applied, listed, outcomes, plan_of, tells

DEEDS = ["nothing", "nothing", "edit", "protect", "release", "delete", "purge", "back", "away again", "protected away"]
LEFT_AS = {
    "nothing": ItemOutcome.ARCHIVED,
    "edit": ItemOutcome.CHANGED,
    "protect": ItemOutcome.PROTECTED,
    "release": ItemOutcome.CHANGED,
    "delete": ItemOutcome.AWAY,
    "purge": ItemOutcome.GONE,
    "back": ItemOutcome.CHANGED,
    "away again": ItemOutcome.AWAY,
    "protected away": ItemOutcome.AWAY,
}

TOLD = ("state", "archived_items", "archived_bytes", "skipped", "applied_at", "applied_by")


def does(person, item, deed):
    """One thing that happens to an item while the plan waits."""
    about = {"user_id": person.id, "now": LATER}
    changes = {
        "edit": [Change(content="something else")],
        "protect": [Change(protected=True)],
        "release": [Change(protected=True), Change(protected=False)],
        "protected away": [Change(protected=True)],
    }
    for change in changes.get(deed, ()):
        items.change_item(item, change, expected=None, **about)
    if deed in ("delete", "back", "away again", "protected away"):
        items.delete_item(item, actor=TESTER, **about)
    if deed in ("back", "away again"):
        items.restore_item(item, actor=TESTER, **about)
    if deed == "away again":
        items.delete_item(item, actor=TESTER, **about)
    if deed == "purge":
        items.purge_item(item, actor=TESTER, **about)


@pytest.mark.promise("L5")
@settings(max_examples=rounds(10, 200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=4, max_size=10), share=st.sampled_from([0.4, 0.8, 1.0]))
def test_what_changed_is_left_and_told_and_nothing_goes_in_its_place(db, deeds, share):
    with thrown_away():
        dana = Person.register("dana")
        for tier in (SHORT, LONG):
            tells(dana, 5, tier)
        plan = plan_of(dana, share=share)
        planned = dict(zip(listed(plan), itertools.chain(deeds, itertools.repeat("nothing")), strict=False))
        for item, deed in planned.items():
            does(dana, item, deed)
        was = dict(MemoryItem.objects.filter(user_id=dana.id).values_list("pk", "state"))
        used = {tier: dana.usage(tier).active_bytes for tier in (SHORT, LONG)}

        done = applied(plan).plan

        told = dict(zip(planned, outcomes(plan), strict=True))
        assert told == {item: LEFT_AS[deed] for item, deed in planned.items()}
        counted = {one: [*told.values()].count(one) for one in {*told.values()} - {ItemOutcome.ARCHIVED}}
        assert done.skipped == counted
        is_now = dict(MemoryItem.objects.filter(user_id=dana.id).values_list("pk", "state"))
        taken = {item for item, outcome in told.items() if outcome == ItemOutcome.ARCHIVED}
        assert {item for item in was if was[item] != is_now[item]} == taken
        assert all(is_now[item] == ItemState.ARCHIVED for item in taken)
        assert sum(used.values()) - sum(dana.usage(tier).active_bytes for tier in used) == done.archived_bytes
        again = applied(plan, now=LATER + HOUR)
        assert again.again
        assert all(getattr(again.plan, name) == getattr(done, name) for name in TOLD)
        assert reconcile.drifts([dana.id]) == []


@pytest.mark.promise("L5")
def test_what_a_night_decided_meanwhile_is_told_and_left(night, alice):
    """Promoted it is another memory than the one that was listed; archived it is away."""
    tells(alice, 6, SHORT)
    plan = plan_of(alice, share=1.0, now=NOON + 23 * HOUR)
    night(alice, at=NOON + 25 * HOUR)
    were = dict(MemoryItem.objects.filter(user_id=alice.id).values_list("pk", "tier"))

    done = applied(plan, now=NOON + 26 * HOUR).plan

    assert set(were.values()) == {SHORT, LONG}, "else the night decided all alike"
    told = dict(zip(listed(plan), outcomes(plan), strict=True))
    assert told == {item: ItemOutcome.CHANGED if tier == LONG else ItemOutcome.AWAY for item, tier in were.items()}
    assert done.archived_items == 0
    assert reconcile.drifts([alice.id]) == []
