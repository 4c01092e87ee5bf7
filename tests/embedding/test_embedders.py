"""Every embedder keeps to the protocol, and what is no vector never becomes one."""

import json
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.embedding import base, chosen
from memory.embedding.base import BATCH_CHARACTERS, BATCH_TEXTS, EmbedderAway
from memory.embedding.wordllama import WordLlama
from tests.embedding.conftest import DIMENSIONS
from tests.embedding.endpoint import vector_of, well

TEXTS = ["Prefers the window seat.", "", "日本語のテキスト", "🎉🎉🎉", "x" * 20_000, "\n", "مرحبا بالعالم", "a"]


@pytest.fixture(scope="module")
def wordllama():
    return WordLlama()


class Made:
    """An embedder that gives the rows it was made with."""

    provider = "none"
    model = "made:3"
    dimensions = 3

    def __init__(self, rows):
        self.rows = np.array(rows, dtype=np.float32)

    def embed(self, texts):
        return self.rows


def norm_of(vector):
    """The length of a vector that must be there."""
    assert vector is not None
    return math.sqrt(sum(value**2 for value in vector.to_list()))


def test_wordllama_embeds_texts_of_every_kind_without_a_network(wordllama):
    embedded = base.embed(wordllama, TEXTS)

    assert {one.model for one in embedded} == {"wordllama:256"}
    assert [one.vector is None for one in embedded] == [text == "" for text in TEXTS]
    assert all(abs(norm_of(one.vector) - 1) < 0.01 for one in embedded if one.vector)


def test_a_text_has_the_same_vector_alone_and_in_a_batch(wordllama):
    together = base.embed(wordllama, TEXTS)

    for text, one in zip(TEXTS, together, strict=True):
        [alone] = base.embed(wordllama, [text])
        assert (alone.vector is None) == (one.vector is None)
        if one.vector and alone.vector:
            assert np.allclose(alone.vector.to_list(), one.vector.to_list(), atol=0.002)


def test_only_the_beginning_of_a_long_text_counts(wordllama):
    beginning = "word " * (base.MOST_CHARACTERS // 5)

    [short], [long] = base.embed(wordllama, [beginning]), base.embed(wordllama, [beginning + "elephant " * 10_000])

    assert short == long


@pytest.mark.parametrize(
    "row", [[0, 0, 0], [math.nan, 1, 1], [math.inf, 0, 0], [-math.inf, 0, 0], [math.nan] * 3], ids=str
)
def test_what_is_no_direction_is_no_vector(row):
    [embedded] = base.embed(Made([row]), ["a text"])

    assert embedded.vector is None


@pytest.mark.parametrize("row", [[70_000, 0, 0], [3e38, 3e38, 3e38], [1e-30, 0, 0]], ids=str)
def test_what_half_precision_could_not_hold_is_scaled_until_it_can(row):
    [embedded] = base.embed(Made([row]), ["a text"])

    assert abs(norm_of(embedded.vector) - 1) < 0.01


@pytest.mark.parametrize("rows", [[], [[1, 2, 3], [1, 2, 3]], [[1, 2]]], ids=str)
def test_rows_that_do_not_belong_to_the_texts_are_refused(rows):
    with pytest.raises(EmbedderAway):
        base.embed(Made(rows), ["a text"])


@given(st.lists(st.integers(0, 8_000), max_size=200))
def test_batches_hold_every_text_once_and_never_cost_more_than_their_bound(lengths):
    batches = list(base.batches(["x" * length for length in lengths]))

    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= BATCH_TEXTS
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= BATCH_CHARACTERS


def test_an_endpoint_is_asked_in_openais_words(by_http):
    [first, second] = base.embed(chosen.current(), ["one", "another"])

    assert by_http.asked[0]["model"] == "test-model"
    assert by_http.asked[0]["dimensions"] == DIMENSIONS
    assert by_http.keys == [None]
    assert first.model == f"http/test-model:{DIMENSIONS}"
    expected = np.array(vector_of("one", DIMENSIONS))
    assert first.vector is not None
    assert np.allclose(first.vector.to_list(), expected / np.linalg.norm(expected), atol=0.002)
    assert first != second


def test_an_endpoint_gets_its_key(choose, endpoint):
    choose("http", embedder_url=endpoint.url, embedder_model="m", embedder_dimensions=8, embedder_key="secret")

    base.embed(chosen.current(), ["one"])

    assert endpoint.keys == ["Bearer secret"]


def one_vector(vector):
    return lambda asked: json.dumps({"data": [{"index": 0, "embedding": vector}]}).encode()


@pytest.mark.promise("F6")
@pytest.mark.parametrize(
    "answer",
    [
        one_vector([0.0] * DIMENSIONS),
        one_vector([math.nan] * DIMENSIONS),
        one_vector([math.inf] * DIMENSIONS),
        one_vector([1.0] * (DIMENSIONS - 1)),
        one_vector([1.0] * (DIMENSIONS + 1)),
        one_vector([]),
        lambda asked: b'{"data": []}',
    ],
)
def test_a_vector_that_is_none_leaves_the_text_without(by_http, answer):
    by_http.answer = answer

    [embedded] = base.embed(chosen.current(), ["a text"])

    assert embedded.vector is None


@pytest.mark.promise("F6")
@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: b"",
        lambda asked: b"<html>",
        lambda asked: b"[]",
        lambda asked: b'{"error": "busy"}',
        lambda asked: b'{"data": [{"embedding": [1]}]}',
        lambda asked: b'{"data": 7}',
        one_vector("text"),
        one_vector([["nested"]]),
    ],
)
def test_an_answer_that_is_none_says_that_the_embedder_is_away(by_http, answer):
    by_http.answer = answer

    with pytest.raises(EmbedderAway):
        base.embed(chosen.current(), ["a text"])


@pytest.mark.promise("F6")
@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_a_status_of_failure_says_so_without_the_body(by_http, status):
    by_http.status = status
    by_http.answer = lambda asked: b"a person's words"

    with pytest.raises(EmbedderAway, match=str(status)) as away:
        base.embed(chosen.current(), ["a text"])

    assert "words" not in str(away.value)


@pytest.mark.promise("F6")
def test_an_endpoint_that_is_too_slow_is_not_waited_for(choose, by_http):
    released = threading.Event()

    def slowly(asked):
        released.wait(10)
        return well(asked)

    choose("http", embedder_timeout_seconds=1)
    by_http.answer = slowly

    with pytest.raises(EmbedderAway):
        base.embed(chosen.current(), ["a text"])
    released.set()
