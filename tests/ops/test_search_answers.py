"""What the answer of a search says: of the whole, of the words, and of each result and its score."""

import json
import re
from datetime import timedelta

import pytest
import time_machine

from kimberly.lib import remember
from memory.models import RetrievalProfile
from memory.queries.retrieval import Components
from memory.rules.retrieval import Weights
from memory.services import embeddings
from ops import scores
from tests.embedding.endpoint import Endpoint
from tests.ops.answers import contents_in, parts_in, passages_in
from tests.ops.portal import text_of
from tests.personas import NOON, Person

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock_at_noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_the_parts_of_each_score_add_up_to_it_as_shown(reader, dana):
    rows = parts_in(reader.searches(dana, "Which seat on flights, dentist or Utrecht?"))

    assert [name for name, _, _ in rows] == ["Meaning", "Own words", "Context", "Score"] * 3
    for at in range(0, len(rows), 4):
        adds = [float(adds) for _, _, adds in rows[at : at + 3] if adds != "–"]
        assert round(sum(adds), 3) == float(rows[at + 3][2])


def test_what_an_item_does_not_have_is_absent_and_not_nought(reader, dana):
    rows = parts_in(reader.searches(dana, "hazelnuts"))

    assert rows[1][:2] == ("Own words", "1.000 × 0.5")
    assert ("Own words", "absent × 0.5", "–") in rows[4:]


def test_what_weighs_nothing_is_no_part(reader, dana):
    unweighed = reader.searches(dana, "hazelnuts")
    weights = {"semantic": 0.2, "own_words": 0.5, "context": 0.3, "freshness": 0.05}
    RetrievalProfile.objects.create(version=2, created_at=NOON, created_by="system", **weights)
    remember.forget_everything()

    weighed = reader.searches(dana, "hazelnuts")

    assert "Freshness" not in text_of(unweighed)
    assert "freshness 0" not in text_of(unweighed)
    assert "Freshness" in [name for name, _, _ in parts_in(weighed)]
    assert "freshness 0.05." in text_of(weighed)


@pytest.mark.parametrize("weights", [Weights(0.2, 0.5, 0.3, 0), Weights(0.333, 0.333, 0.333, 0.05)])
@pytest.mark.parametrize(
    "values", [(0.8146, 1.0, 0.6434, 0.5), (0.3335, 0.3335, 0.3335, None), (None, 0.0005, None, 0.0005), (0, 0, 0, 0)]
)
def test_the_shown_parts_never_miss_the_shown_sum_by_rounding(weights, values):
    semantic, own_words, context, freshness = values
    parts = scores.parts_of(Components(semantic, own_words, None, context, freshness), weights)

    total = sum(part.weight * (part.value or 0) for part in parts)
    assert round(sum(part.adds for part in parts), 3) == scores.rounded(total)
    assert all(part.starts_percent >= 0 and part.starts_percent + part.adds_percent <= 100.01 for part in parts)


def test_words_are_told_with_how_many_memories_have_them(reader, dana):
    text = text_of(reader.searches(dana, "The kitten at the window seat in Utrecht, Lisbon?"))

    assert "kitten in no memory" in text
    assert "window in 1, archived 1" in text
    assert "Utrecht in 1, archived 1" in text
    assert "Lisbon in no memory, archived 1" in text
    assert "the in" not in text


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("is it the", "None: the question has only words such as “the” and “is”"),
        ("😀😀🚀 ?!", "None: the question has no letters and no digits."),
        ("é" * 8_000, "None: a word of 8,000 characters is longer than any that is kept."),
    ],
)
def test_why_a_question_has_no_word_to_look_for_is_told(reader, dana, question, says):
    assert says in text_of(reader.searches(dana, question))


def test_words_are_told_as_they_were_typed(reader, dana):
    text = text_of(reader.searches(dana, "Windows, seats and HAZELNUT examination?"))

    assert all(told in text for told in ("Windows in 1", "seats in 1", "HAZELNUT in 1", "examination in no memory"))
    assert "examin in" not in text


def test_a_word_inside_of_longer_words_is_not_said_to_be_in_no_memory(reader, dana):
    answer = reader.searches(dana, "hazel")

    assert "hazel inside longer words of 1 result" in text_of(answer)
    assert "hazel in no memory" not in text_of(answer)
    assert "Is allergic to <mark>hazel</mark>nuts." in passages_in(answer.content.decode())


@pytest.fixture
def kenji(lena):
    """Somebody whose language sets no spaces between words; lena reads."""
    person = Person.register("kenji")
    person.writes("会議の議事録を送ってください。")
    person.writes("週末は山に登る予定です。")
    embeddings.embed_late(seconds=10)
    lena.reveals(person)
    return person


def test_text_without_spaces_is_said_not_to_be_split_and_marked_where_it_stands(lena, kenji):
    answer = lena.searches(kenji, "議事録")

    text = text_of(answer)
    assert "議事録 inside longer words of 1 result" in text
    assert "cannot be split into words here, so meaning and spelling count" in text
    assert "no memory" not in text
    assert "None of the words" not in text
    assert re.search(r"2 memories by (spelling and )?meaning", text)
    assert "No whole word" not in text
    assert any("の<mark>議事録</mark>を" in passage for passage in passages_in(answer.content.decode()))


def test_a_sentence_without_spaces_is_not_said_to_be_in_no_memory(lena, kenji):
    text = text_of(lena.searches(kenji, "先週の議事録はどこですか"))

    assert "先週の議事録はどこですか cannot be split into words" in text
    assert "no memory" not in text


def test_a_list_that_only_meaning_orders_is_no_success(reader, dana):
    answer = reader.searches(dana, "😀😀🚀")

    assert re.search(r"No word to look for; 3 memories by meaning alone in \d+ ms", text_of(answer))
    assert "not that any is about it" in text_of(answer)
    assert 'id="answer" data-tone="info"' in answer.content.decode()


def test_a_list_of_what_filters_leave_says_that_no_word_stands_there(reader, dana):
    answer = reader.searches(dana, "hazelnuts", tags="travel")

    assert "No whole word found; 1 memory by meaning alone" in text_of(answer)
    assert "None of the words stands by itself in what was searched." in text_of(answer)
    assert "hazelnuts in 1" in text_of(answer)


def test_a_list_with_words_says_how_many_have_one(reader, dana):
    answer = reader.searches(dana, "hazelnuts")

    assert "1 of them by words, the rest by meaning alone." in text_of(answer)
    assert 'id="answer" data-tone="ok"' in answer.content.decode()


def test_results_without_a_score_are_told_as_such(reader, dana):
    answer = reader.searches(dana, "hazelnuts")

    assert [adds for name, _, adds in parts_in(answer) if name == "Score"][-1] == "0.000"
    assert "1 of them scored 0.000" in text_of(answer)


def test_the_scale_is_said_where_scores_are_read(reader, dana):
    text = text_of(reader.searches(dana, "hazelnuts"))

    assert "In each part 1.000 is the best of this user’s memories for this question, not a match." in text
    assert "What the parts of a score say Own words words of the question" in text


def test_a_result_shows_the_passage_that_matched_with_its_words_marked(reader, dana):
    dana.writes("It was a long day. " * 30 + "Then the <b>otter</b> swam by. " + "And so on. " * 30)

    answer = reader.searches(dana, "Any otters?")

    passage = passages_in(answer.content.decode())[0]
    assert "Then the &lt;b&gt;<mark>otter</mark>&lt;/b&gt; swam by." in passage
    assert passage.startswith("…")
    assert passage.endswith("…")
    assert len(passage) < 260


def test_long_titles_and_tags_are_shortened(reader, dana):
    dana.writes("A platypus.", metadata={"title": "T" * 150, "tags": ["a tag", "t" * 150]})

    text = text_of(reader.searches(dana, "platypus"))

    assert f"Title: {'T' * 79}…" in text
    assert f"Tags: a tag, {'t' * 72}…" in text


def test_what_is_spelled_alike_counts_where_no_word_is_found(reader, dana):
    answer = reader.searches(dana, "hazelnutz")

    assert "what is spelled alike counts instead" in text_of(answer)
    assert "Spelling" in [name for name, _, _ in parts_in(answer)]
    assert "No whole word found; 3 memories by spelling and meaning" in text_of(answer)


def test_of_a_user_without_memories_it_is_said_that_there_are_none(lena):
    nobody = Person.register("nobody")
    lena.reveals(nobody)

    without, within = lena.searches(nobody, "anything"), lena.searches(nobody, "anything", archived="in")

    assert "Nothing found in" in text_of(without)
    assert "This user has no active memory" in text_of(without)
    assert "This user has no memory" in text_of(within)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tags": "nonexistent"}, "No memory passes the filters (tag nonexistent)."),
        ({"tier": "short-term", "tags": "a, b"}, "No memory passes the filters (only short-term, tags a, b)."),
        (
            {"since": "2026-11-17T14:00", "until": "2026-11-17T15:00"},
            "(said since 2026-11-17 14:00:00 UTC, said before 2026-11-17 15:00:00 UTC).",
        ),
    ],
)
def test_filters_that_let_nothing_through_are_named(reader, dana, fields, says):
    text = text_of(reader.searches(dana, "window seat", **fields))

    assert "Nothing found in" in text
    assert says in text
    assert "Nothing is like the question" not in text


def test_nothing_is_like_the_question_where_nothing_that_passes_is_like_it(lena, change_embedder):
    change_embedder("none")
    dana = Person.register("dana")
    dana.writes("Is allergic to hazelnuts.", metadata={"tags": ["food"]})
    lena.reveals(dana)

    text = text_of(lena.searches(dana, "xyzzy", tags="food"))

    assert "Nothing is like the question" in text
    assert "passes the filters" not in text


def test_with_the_embedder_away_words_answer_and_it_is_said(lena, change_embedder):
    change_embedder("http")
    dana = Person.register("dana")
    dana.writes("Is allergic to hazelnuts.")
    lena.reveals(dana)

    answer = lena.searches(dana, "hazelnuts")

    assert contents_in(answer) == ["Is allergic to hazelnuts."]
    assert "By words alone: the embedder does not answer." in text_of(answer)
    assert parts_in(answer)[0] == ("Meaning", "absent × 0.2", "–")


def test_an_embedder_that_is_not_set_or_sees_no_direction_is_told_apart(lena, change_embedder):
    dana = Person.register("dana")
    lena.reveals(dana)
    change_embedder("none")
    none_set = lena.searches(dana, "hazelnuts")
    with Endpoint() as endpoint:
        endpoint.answer = nought
        change_embedder("http", endpoint.url)

        no_direction = lena.searches(dana, "hazelnuts")

    assert "By words alone: no embedder is set." in text_of(none_set)
    assert "By words alone: the embedder sees no direction in the question." in text_of(no_direction)


def nought(asked):
    """The answer of an endpoint for which every text is nothing."""
    data = [{"index": place, "embedding": [0.0] * asked["dimensions"]} for place in range(len(asked["input"]))]
    return json.dumps({"data": data}).encode()
