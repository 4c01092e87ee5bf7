"""A query finds what it is about, and says why."""

from datetime import timedelta

import pytest

from memory.queries.retrieval import Narrowing
from memory.rules.tiers import Tier
from memory.services import items, retrieval
from memory.services.retrieval import Question
from tests.personas import NOON, TESTER


def asks(person, text, *, top_k=10, **narrowing):
    reply = retrieval.look(Question(person.id, text, top_k, Narrowing(**narrowing)))
    return reply.items


def contents(found):
    return [one.content for one in found]


@pytest.fixture
def travels(alice):
    alice.writes("Prefers the window seat on long flights.", metadata={"tags": ["travel"], "session": "s1"})
    alice.writes("Is allergic to hazelnuts.", tier=Tier.PERMANENT, metadata={"tags": ["food"], "session": "s2"})
    alice.writes("Went to the dentist in Utrecht.", at=NOON + timedelta(hours=1), metadata={"session": "s1"})
    alice.writes("It took two hours.", at=NOON + timedelta(hours=2), metadata={"session": "s1"})
    return alice


def test_the_words_of_the_question_find_the_memory(travels):
    found = asks(travels, "Which seat on flights?")

    assert found[0].content == "Prefers the window seat on long flights."
    assert found[0].components.own_words == 1
    assert found[0].score == max(one.score for one in found)


def test_what_was_said_right_after_is_found_by_its_context(travels):
    found = {one.content: one.components for one in asks(travels, "dentist")}

    assert found["It took two hours."].context > 0
    assert found["It took two hours."].own_words is None


def test_what_follows_in_another_session_has_no_such_context(travels):
    found = {one.content: one.components for one in asks(travels, "hazelnuts")}

    assert [content for content, parts in found.items() if parts.context] == ["Is allergic to hazelnuts."]


def test_without_a_word_in_common_what_is_spelled_alike_is_found(travels):
    found = asks(travels, "hazelnutz")

    assert found[0].content == "Is allergic to hazelnuts."
    assert 0.6 < found[0].components.spelling < 1
    assert found[0].components.own_words is None


def test_where_words_stand_without_spaces_the_sentence_most_alike_is_found(alice):
    alice.writes("私は毎週水曜日に柔道を練習しています。")
    alice.writes("来月、京都へ旅行に行きます。")

    assert [one.components.spelling for one in asks(alice, "柔道はいつ練習しますか")] == [1]


def test_of_a_question_only_the_words_with_a_meaning_are_compared_by_their_spelling(alice):
    alice.writes("Where were you when I was there? Gardening.")

    assert asks(alice, "Where was I when you were there? Hazelnutz?") == []


def test_a_word_that_only_stands_outside_of_the_filter_does_not_keep_spelling_from_helping(travels):
    travels.writes("Coffee after lunch.")
    found = asks(travels, "hazelnutz coffee", tags=("food",))

    assert [one.components.spelling is not None for one in found] == [True]


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        ({"tier": Tier.PERMANENT}, {"Is allergic to hazelnuts."}),
        ({"tags": ("travel",)}, {"Prefers the window seat on long flights."}),
        ({"metadata": {"session": "s2"}}, {"Is allergic to hazelnuts."}),
        ({"since": NOON + timedelta(minutes=90)}, {"It took two hours."}),
        ({"until": NOON}, set()),
        ({"tags": ("travel", "food")}, set()),
        ({"tags": ("travel",), "metadata": {"tags": ["food"]}}, set()),
    ],
)
def test_filters_narrow_what_is_looked_at(travels, narrowing, expected):
    assert set(contents(asks(travels, "seat hazelnuts dentist hours", **narrowing))) == expected


def test_archived_memories_are_found_on_request_only(travels):
    [first] = [one for one in asks(travels, "hazelnuts") if "hazelnuts" in one.content]
    items.delete_item(first.id, user_id=travels.id, actor=TESTER, now=NOON)

    assert "Is allergic to hazelnuts." not in contents(asks(travels, "hazelnuts"))
    found = asks(travels, "hazelnuts", include_archived=True)
    assert (found[0].content, found[0].state) == ("Is allergic to hazelnuts.", "archived")


def test_another_users_memories_are_never_found(travels, bob):
    bob.writes("Prefers the window seat, too.")

    assert "Prefers the window seat, too." not in contents(asks(travels, "window seat", top_k=100))
    assert contents(asks(bob, "window seat")) == ["Prefers the window seat, too."]


def test_nobody_without_memories_is_told_any(bob):
    assert asks(bob, "anything at all") == []
