"""The list of a plan is what plain Python chooses, and applying it frees what it says."""

import math
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memory.models import MemoryItem, PrunePlanItem
from memory.queries import scoring
from memory.rules.plans import USUAL_SCOPE
from memory.rules.tiers import ItemState, Tier
from memory.services import reconcile
from tests.counts import rounds, thrown_away
from tests.meditation import reference
from tests.meditation.test_scoring import SENTENCES, as_memories, has_goals
from tests.personas import NOON, Person
from tests.pruning.planning import DAY, applied, archived, listed, plan_of

TIERS = st.sampled_from([Tier.SHORT_TERM, Tier.LONG_TERM, Tier.LONG_TERM, Tier.PERMANENT])
MEMORIES = st.lists(
    st.tuples(
        TIERS,
        SENTENCES | st.just("...") | st.just("the and of"),
        st.sampled_from([0, 0, 0, 40, 700]),
        st.integers(0, 90),
        st.integers(0, 5),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=9,
)
TARGETS = st.one_of(
    st.integers(1, 900).map(lambda size: {"size_bytes": size}),
    st.sampled_from([0.01, 0.3, 0.5, 0.7, 0.9, 1.0]).map(lambda share: {"share": share}),
)
LEAST_APART = 1e-6
"""Python and SQL may differ in a score's sixth decimal: what is nearer to each other has no order to test."""


def told_to(person, memories):
    for tier, text, more, age, returned, protected in memories:
        made = person.writes(text.ljust(more, "."), tier=tier, created_at=NOON - age * DAY, protected=protected)
        MemoryItem.objects.filter(pk=made.id).update(access_count=returned)


def order_of(person, tier):
    """What may go, first what is worth least for its size; without what is protected."""
    held = {one.pk: one for one in MemoryItem.objects.filter(user_id=person.id, state=ItemState.ACTIVE)}
    if not held:
        return []
    scores = reference.scores(as_memories(person), scoring.current_profile())
    scope = USUAL_SCOPE if tier is None else (tier,)
    keys = {
        pk: scores[pk] / math.sqrt(one.size_bytes)
        for pk, one in held.items()
        if one.tier in scope and not one.protected
    }
    near = sorted(keys.values())
    assume(all(b == a or b - a > LEAST_APART for a, b in pairwise(near)))
    return [held[pk] for pk in sorted(keys, key=lambda pk: (keys[pk], pk))]


def smallest_head(order, target_bytes):
    head, total = [], 0
    for one in order:
        if total >= target_bytes:
            break
        head.append(one.pk)
        total += one.size_bytes
    return head, total


def wanted_bytes(person, target, tier):
    """Of a share: so many of the active bytes in scope, rounded up as people reckon."""
    if "size_bytes" in target:
        return target["size_bytes"]
    scope = USUAL_SCOPE if tier is None else (tier,)
    active = sum(person.usage(one).active_bytes for one in scope)
    return math.ceil(round(target["share"] * 100) * active / 100)


@pytest.mark.slow
@pytest.mark.promise("L4")
@settings(
    max_examples=rounds(100, 5_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(memories=MEMORIES, goals=st.integers(0, 1), target=TARGETS, tier=st.none() | TIERS)
def test_a_plan_is_the_smallest_head_of_the_order_and_frees_what_it_says(db, memories, goals, target, tier):
    with thrown_away():
        dana = Person.register("dana")
        told_to(dana, memories)
        has_goals(dana, goals)
        wanted = wanted_bytes(dana, target, tier)
        head, total = smallest_head(order_of(dana, tier), wanted)

        plan = plan_of(dana, **target, tier=tier)

        assert listed(plan) == head
        assert (plan.target_bytes, plan.items_total, plan.bytes_total) == (wanted, len(head), total)
        assert plan.shortfall_bytes == max(0, wanted - total)
        applied(plan)
        predicted = {Tier(name): told["used_bytes"] - told["goes_bytes"] for name, told in plan.facts.items()}
        assert {one: dana.usage(one).active_bytes for one in predicted} == predicted
        assert archived(dana) == set(head)
        assert reconcile.drifts([dana.id]) == []


def test_the_protected_are_told_by_tier_and_count_towards_nothing(alice):
    for tier, size in ((Tier.LONG_TERM, 100), (Tier.SHORT_TERM, 60)):
        alice.writes("x" * size, tier=tier, protected=True)
        alice.writes("y" * size, tier=tier)

    plan = plan_of(alice, share=1.0)

    told = {name: (one["protected_items"], one["protected_bytes"]) for name, one in plan.facts.items()}
    assert told == {Tier.LONG_TERM: (1, 102), Tier.SHORT_TERM: (1, 62)}
    assert (plan.bytes_total, plan.shortfall_bytes) == (164, 164)


def test_the_scores_of_a_plan_are_those_of_its_moment(alice):
    """A score that a meditation kept, or an access that was folded since, changes no list that is frozen."""
    alice.writes("Likes tea and the harbour of Lisbon.")
    alice.writes("tea")
    plan = plan_of(alice, share=1.0)
    before = list(PrunePlanItem.objects.filter(plan=plan).order_by("position").values())

    MemoryItem.objects.filter(user_id=alice.id).update(access_count=50)

    assert list(PrunePlanItem.objects.filter(plan=plan).order_by("position").values()) == before
    assert applied(plan).plan.archived_items == 2, "to have been found is no change of the item"
