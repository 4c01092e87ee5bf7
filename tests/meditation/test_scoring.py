"""What the statement makes of a user's memories is what the recipe says, and can be told again from what is kept."""

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimberly.lib.sql import statement
from memory.models import Goal, ItemFeedback, ItemScore, MemoryItem
from memory.queries import scoring as stored
from memory.rules import scoring
from memory.rules.scoring import Inputs
from memory.rules.tiers import Tier
from memory.services import accesses
from tests.counts import rounds, thrown_away
from tests.meditation import reference
from tests.meditation.reference import Memory
from tests.personas import NOON, Person

DAY = timedelta(days=1)
WORDS = [
    "window",
    "seat",
    "Lisbon",
    "Utrecht",
    "hazelnuts",
    "dentist",
    "Ines",
    "Tomasz",
    "tea",
    "harbour",
    "piano",
    "rain",
    "I",
    "my",
    "we",
    "bridge",
    "7",
    "1984",
    "Priya",
    "bakes",
    "bread",
    "loves",
    "the",
    "and",
    "of",
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
MEMORIES = st.lists(
    st.tuples(
        st.one_of(SENTENCES, SENTENCES.map(lambda text: text + "?"), st.just("..."), st.just("the and of")),
        st.integers(0, 90) | st.just(45_000),
        st.integers(0, 9),
        st.none() | st.floats(0, 1),
        st.lists(st.booleans(), max_size=3),
    ),
    min_size=1,
    max_size=9,
)


def told_to(person, memories):
    """Write them down with what came of them."""
    for content, age, returned, emotional, helped in memories:
        made = person.writes(content, tier=Tier.LONG_TERM, created_at=NOON - age * DAY)
        MemoryItem.objects.filter(pk=made.id).update(access_count=returned)
        said = [{"emotional_weight": emotional}] if emotional is not None else []
        for facts in [*said, *({"helpful": one} for one in helped)]:
            ItemFeedback.objects.create(item_id=made.id, created_at=NOON, created_by="x", **facts)


def has_goals(person, number):
    """Goals whose vectors are those of memories, turned a little: any direction would do."""
    vectors = MemoryItem.objects.filter(user_id=person.id, embedding__isnull=False)
    for item in vectors.order_by("created_at", "id")[:number]:
        Goal.objects.create(
            user_id=person.id, text=f"{item.pk}", embedding=item.embedding, embedding_model=item.embedding_model,
            created_at=NOON, created_by="x",
        )  # fmt: skip


def as_memories(person):
    """The person's items as the recipe reads them; cosines as the vectors' own operator gives them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, i.content, tsvector_to_array(i.search_document), i.created_at, i.access_count,
                (SELECT max(1 - (i.embedding <=> g.embedding)) FROM goal AS g
                 WHERE g.user_id = i.user_id AND g.embedding_model = i.embedding_model),
                (SELECT f.emotional_weight FROM item_feedback AS f
                 WHERE f.item_id = i.id AND f.emotional_weight IS NOT NULL),
                (SELECT count(*) FROM item_feedback AS f WHERE f.item_id = i.id AND f.helpful),
                (SELECT count(*) FROM item_feedback AS f WHERE f.item_id = i.id AND NOT f.helpful)
            FROM memory_item AS i WHERE i.user_id = %s AND i.state = 'active'
            """,
            [person.id],
        )
        rows = cursor.fetchall()
    newest = max(row[3] for row in rows)
    return [Memory(row[0], row[1], frozenset(row[2]), (newest - row[3]) / DAY, *row[4:]) for row in rows]


@settings(max_examples=rounds(40, 1_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(memories=MEMORIES, goals=st.integers(0, 2))
def test_the_statement_gives_what_the_recipe_says(db, memories, goals):
    with thrown_away():
        dana, profile = Person.register("dana"), stored.current_profile()
        told_to(dana, memories)
        has_goals(dana, goals)

        rows = scored(dana, profile)

        expected = reference.scores(as_memories(dana), profile)
        assert {row["item_id"]: row["score"] for row in rows} == pytest.approx(expected, abs=1.5e-6)


@settings(max_examples=rounds(20, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(memories=MEMORIES, goals=st.integers(0, 2))
def test_the_inputs_tell_the_score_again(db, memories, goals):
    with thrown_away():
        dana, profile = Person.register("dana"), stored.current_profile()
        told_to(dana, memories)
        has_goals(dana, goals)

        for row in scored(dana, profile):
            again = scoring.parts(Inputs.kept(row), profile)
            assert scoring.score(again, profile) == pytest.approx(row["score"], abs=1e-6)
            assert again.relevance == pytest.approx(row["relevance"])
            assert (again.relevance is None) == (goals == 0 or row["cosine"] is None)


def scored(person, profile):
    parameters = {"user_ids": [person.id], **profile.parameters()}
    with connection.cursor() as cursor:
        cursor.execute(statement(stored.__file__, "scored_items"), parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_a_meditation_keeps_scores_and_components_with_their_version(meditate, alice):
    alice.writes("Prefers the window seat on flights to Lisbon.")
    alice.writes("Is allergic to hazelnuts, says Ines.")

    outcome = meditate(alice)

    assert outcome.items_scored == 2
    assert {row.profile_version for row in ItemScore.objects.all()} == {1}
    assert all(row.relevance is None and row.emotional is None for row in ItemScore.objects.all())


def test_a_second_meditation_changes_no_score_that_is_the_same(meditate, alice):
    alice.writes("Prefers the window seat on flights to Lisbon.")
    meditate(alice)
    before = list(ItemScore.objects.values_list())

    meditate(alice, at=NOON + 26 * timedelta(hours=1))

    assert list(ItemScore.objects.values_list()) == before


def test_what_queries_returned_is_counted_once(meditate, alice):
    one, other = (alice.writes(f"Memory number {n}").id for n in range(2))
    accesses.write(alice.id, [one, other], at=NOON)
    accesses.write(alice.id, [one], at=NOON)

    meditate(alice)
    meditate(alice)

    assert [alice.item(item).access_count for item in (one, other)] == [2, 1]
    assert alice.item(one).last_seen_at == NOON
