"""The one statement finds what the recipe says, to six decimals, for any user."""

from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pgvector import HalfVector

from memory.embedding.base import Embedded
from memory.queries import retrieval
from memory.queries.retrieval import Narrowing, Search
from memory.rules.retrieval import Weights
from memory.rules.tiers import Tier
from memory.services import items
from memory.services.drafts import prepare
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person
from tests.retrieval import reference

MODEL = "test:4"
WORDS = st.sampled_from(["seat", "window", "seats", "flight", "hazelnut", "dentist", "the", "Utrecht", "2026", "it's"])
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
# Sixteenths are the same in half precision as they were written.
VECTORS = st.lists(st.integers(-16, 16).map(lambda n: n / 16), min_size=4, max_size=4).filter(any)
ITEMS = st.lists(
    st.tuples(TEXTS, st.sampled_from([None, "s1", "s2"]), st.integers(0, 5), st.none() | VECTORS),
    min_size=1,
    max_size=12,
)
WEIGHTS = st.sampled_from(
    [Weights(0.2, 0.5, 0.3, 0), Weights(0.2, 0.5, 0.3, 0.05), Weights(1, 0, 0, 0), Weights(0.4, 0.1, 0.7, 0.01)]
)
SIX_DECIMALS = 1.5e-6  # both sides were rounded somewhere


def keeps(person, content, session, days, vector):
    draft = prepare(
        tier=Tier.LONG_TERM,
        content=content,
        now=NOON,
        created_at=NOON - timedelta(days=days),
        metadata={"session": session} if session else {},
    )
    embedded = Embedded(MODEL, HalfVector(vector)) if vector else None
    items.write_item(replace(draft, embedded=embedded), user_id=person.id, created_by=TESTER, now=NOON)


@given(kept=ITEMS, query=TEXTS, vector=st.none() | VECTORS, weights=WEIGHTS, top_k=st.integers(1, 12))
@settings(
    max_examples=rounds(40, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_statement_gives_what_the_recipe_says(db, kept, query, vector, weights, top_k):
    with transaction.atomic():
        alice = Person.register("alice")
        for one in kept:
            keeps(alice, *one)
        vectors = [(MODEL, HalfVector(vector))] if vector else []
        words = reference.words_of(query)

        search = Search(
            user_id=alice.id, query=query, vectors=vectors, top_k=top_k, narrowing=Narrowing(), weights=weights
        )
        found = retrieval.find(search)
        expected = reference.best(reference.items_of(alice.id), words, vector, weights)

        if any(one.components.spelling is not None for one in found):
            assert not any(one.own_words for one in expected)
        else:
            agree(found, expected, top_k)
        transaction.set_rollback(True)


def agree(found, expected, top_k):
    assert len(found) == min(top_k, len(expected))
    wanted = {one.id: one for one in expected}
    for place, one in enumerate(found):
        right = wanted[one.id]
        assert abs(one.score - expected[place].score) <= SIX_DECIMALS
        assert abs(one.score - right.score) <= SIX_DECIMALS
        for part in ("semantic", "own_words", "context", "freshness"):
            got, want = getattr(one.components, part), getattr(right, part)
            assert (got is None) == (want is None), part
            assert got is None or abs(got - want) <= SIX_DECIMALS, part
