"""Why a memory is, or is not, among the results: "why did it not remember", answered without a browser."""

from datetime import timedelta
from uuid import uuid4

import pytest

from memory.models import MemoryItem
from memory.queries.retrieval import Narrowing
from memory.rules.tiers import Tier
from memory.services import embeddings, items, retrieval
from memory.services.retrieval import Question
from ops.services import expectations
from tests.personas import NOON, TESTER

LATER = NOON + timedelta(days=3)
QUESTION = "Which seat does she like on flights?"


@pytest.fixture
def seat(alice):
    """The memory that the question is about, before others."""
    stored = alice.writes("Prefers the window seat on long flights.", metadata={"tags": ["travel"]})
    alice.writes("Is allergic to hazelnuts.", tier=Tier.PERMANENT)
    return stored.id


@pytest.fixture
def embedded(seat):
    embeddings.embed_late(seconds=10)


def expects(person, item_id, text=QUESTION, *, top_k=10, **narrowing):
    question = Question(person.id, text, top_k, Narrowing(**narrowing))
    return expectations.explain(item_id, question, retrieval.look(question), now=LATER)


def test_gives_the_rank_and_the_parts_of_what_is_found(alice, seat, embedded):
    expected = expects(alice, seat)

    assert (expected.tone, expected.says) == ("ok", "It is number 1")
    assert [part.name for part in expected.parts] == ["Meaning", "Own words", "Context"]
    assert expected.found.id == seat


def test_gives_the_rank_of_what_is_behind_those_that_were_asked_for(alice, seat):
    alice.writes("Seats: window seat, aisle seat, likes flights, flight.")

    expected = expects(alice, seat, top_k=1)

    assert (expected.tone, expected.says) == ("info", "It is number 2")
    assert expected.because == ["It comes behind the 1 that were asked for."]
    assert expected.found.score > 0


@pytest.mark.parametrize("whose", ["nobody's", "another user's"])
def test_does_not_know_what_is_not_this_users(alice, bob, seat, whose):
    item_id = uuid4() if whose == "nobody's" else bob.writes("Mine.").id

    expected = expects(alice, item_id)

    assert expected.says == "This user has no memory with this id"
    assert expected.found is None


def test_says_when_and_why_it_was_purged(alice, seat):
    items.purge_item(seat, user_id=alice.id, actor=TESTER, now=NOON)

    expected = expects(alice, seat)

    assert expected.says == "It is purged"
    assert expected.because == ["Its content was erased 3 days ago, because a client deleted it. Nothing can find it."]


def test_says_when_and_why_it_was_archived_and_where_it_would_stand(alice, seat):
    items.delete_item(seat, user_id=alice.id, actor=TESTER, now=NOON)

    expected = expects(alice, seat)

    assert (expected.tone, expected.says) == ("warn", "It is left out")
    assert expected.because[0].startswith("It was archived 3 days ago, because a client deleted it. A search leaves")
    assert expected.because[1] == "Without that it would be number 1."
    assert expected.found.state == "archived"


def test_an_archived_one_is_ranked_where_the_archive_is_searched(alice, seat):
    items.delete_item(seat, user_id=alice.id, actor=TESTER, now=NOON)

    assert expects(alice, seat, include_archived=True).says == "It is number 1"


@pytest.mark.parametrize(
    ("narrowing", "says"),
    [
        ({"tier": Tier.PERMANENT}, "It lies in long-term; only permanent was searched."),
        ({"tags": ("travel", "food")}, "It lacks the tag food, which the search asks for."),
        ({"tags": ("food", "sea")}, "It lacks the tags food, sea, which the search asks for."),
        ({"since": LATER}, "It is of 2026-11-17 12:00:00 UTC, before the search begins."),
        ({"until": NOON}, "It is of 2026-11-17 12:00:00 UTC, after the search ends."),
    ],
)
def test_names_the_filter_that_leaves_it_out(alice, seat, narrowing, says):
    expected = expects(alice, seat, **narrowing)

    assert expected.says == "It is left out"
    assert expected.because == [says, "Without that it would be number 1."]


def test_names_every_filter_that_leaves_it_out(alice, seat):
    items.delete_item(seat, user_id=alice.id, actor=TESTER, now=NOON)

    expected = expects(alice, seat, tier=Tier.PERMANENT, since=LATER)

    assert len(expected.because) == 4


def test_says_that_it_shares_no_word_and_has_no_vector_yet(alice, seat):
    expected = expects(alice, seat, "hazelnuts")

    assert expected.says == "It is not among the first 100"
    assert len(expected.because) == 1
    assert "It shares no word with the question, and it has no vector yet: the embedder was" in expected.because[0]
    assert expected.because[0].endswith("So the question has nothing to find it by.")


def test_of_a_question_without_spaces_it_does_not_say_that_no_word_is_shared(alice):
    stored = alice.writes("会議の議事録を送ってください。").id

    because = expects(alice, stored, "山登りはいつですか").because[0]

    assert because.startswith("No word of the question can be told apart in it, and it has no vector yet")


def test_says_that_an_archived_one_never_got_a_vector(alice, seat):
    items.delete_item(seat, user_id=alice.id, actor=TESTER, now=NOON)

    expected = expects(alice, seat, "hazelnuts")

    assert "Without that it would not be found either." in expected.because[1]
    assert "it was archived before one was made" in expected.because[1]


def test_says_that_the_embedder_saw_nothing_in_it(alice, seat, embedded):
    MemoryItem.objects.filter(pk=seat).update(embedding=None)

    assert "the embedder saw no direction in its text" in expects(alice, seat, "hazelnuts").because[0]


def test_says_that_nobody_speaks_the_model_of_its_vector(alice, seat, embedded):
    MemoryItem.objects.filter(pk=seat).update(embedding_model="lost:256")

    assert "its vector is of lost:256, which no embedder" in expects(alice, seat, "hazelnuts").because[0]


def test_says_that_meaning_was_not_compared(alice, seat, embedded, change_embedder):
    MemoryItem.objects.filter(user_id=alice.id).update(embedding_model="http/test-model:256")
    change_embedder("none")

    assert "because the search went by words alone" in expects(alice, seat, "hazelnuts").because[0]


@pytest.mark.parametrize("with_vectors", [False, True])
def test_says_that_a_hundred_others_are_nearer(alice, with_vectors):
    last = alice.writes("The dentist asked once about a seat.").id
    for number in range(101):
        alice.writes(f"A seat is a seat is a seat on flights, flight {number}.")
    if with_vectors:
        embeddings.embed_late(seconds=30)

    expected = expects(alice, last)

    assert expected.says == "It is not among the first 100"
    assert "It shares “seat” with the question" in expected.because[0]
    assert ("its meaning is not near enough" in expected.because[0]) is with_vectors
    assert expected.because[0].endswith("At least 100 others come before it.")


def test_shows_the_text_of_what_is_missing_and_not_of_what_stands_below(alice, seat):
    there, missing = expects(alice, seat), expects(alice, seat, tier=Tier.PERMANENT)

    assert there.excerpt is None
    assert missing.excerpt.first == "Prefers the window seat on long flights."
