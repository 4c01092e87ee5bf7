"""An embedder that gives nonsense spoils nothing: what is written is kept, and every score is a number."""

import json
import math
import threading

import pytest

from memory.models import MemoryItem
from memory.queries.retrieval import Narrowing
from memory.rules.tiers import Tier
from memory.services import embeddings, items, retrieval
from memory.services.drafts import prepare
from memory.services.retrieval import Question
from tests.counts import rounds
from tests.embedding.conftest import DIMENSIONS
from tests.embedding.endpoint import well
from tests.personas import NOON, TESTER

pytestmark = pytest.mark.slow

NOTES = [f"Note {number}: the window seat of row {number}." for number in range(rounds(2, 20))]


def all_alike(vector):
    return lambda asked: json.dumps(
        {"data": [{"index": place, "embedding": vector} for place in range(len(asked["input"]))]}
    ).encode()


NONSENSE = {
    "zeros": all_alike([0.0] * DIMENSIONS),
    "no numbers": all_alike([math.nan] * DIMENSIONS),
    "infinity": all_alike([math.inf] * DIMENSIONS),
    "another length": all_alike([1.0] * (DIMENSIONS + 1)),
    "nothing": lambda asked: b'{"data": []}',
}


def writes(person, content):
    draft = prepare(tier=Tier.LONG_TERM, content=content, now=NOON)
    [embedded] = embeddings.of_drafts([draft])
    return items.write_item(embedded, user_id=person.id, created_by=TESTER, now=NOON)


def asks(person):
    return retrieval.look(Question(person.id, "the window seat", 10, Narrowing()))


def vectors_of(person):
    return [item.embedding for item in MemoryItem.objects.filter(user_id=person.id)]


def scores_of(reply):
    return [part for found in reply.items for part in (found.score, found.components.semantic) if part is not None]


@pytest.mark.promise("F6")
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_what_got_nonsense_is_kept_without_a_vector_among_others_that_have_one(by_http, alice, answer):
    writes(alice, "A note with a vector about the window seat.")
    by_http.answer = answer
    for note in NOTES:
        writes(alice, note)
    during = asks(alice)
    by_http.answer = well

    afterwards = asks(alice)

    assert [vector is None for vector in vectors_of(alice)].count(True) == len(NOTES)
    assert len(during.items) == len(afterwards.items) == min(10, len(NOTES) + 1)
    assert all(map(math.isfinite, [*scores_of(during), *scores_of(afterwards)]))


@pytest.mark.promise("F6")
def test_components_of_seventy_thousand_are_scaled_and_kept(by_http, alice):
    by_http.answer = all_alike([70_000.0] * DIMENSIONS)

    for note in NOTES:
        writes(alice, note)

    assert None not in vectors_of(alice)
    assert all(math.isfinite(score) and 0 <= score <= 1 for score in scores_of(asks(alice)))


@pytest.mark.promise("F6")
def test_what_was_embedded_too_late_is_kept_without_a_vector(choose, by_http, alice):
    released = threading.Event()

    def slowly(asked):
        released.wait(10)
        return well(asked)

    choose("http", embedder_timeout_seconds=1)
    by_http.answer = slowly

    for note in NOTES:
        writes(alice, note)

    assert set(vectors_of(alice)) == {None}
    assert len(asks(alice).items) == min(10, len(NOTES))
    released.set()
