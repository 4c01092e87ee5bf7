"""While the embedder is away nothing is refused: memories are found by their words, and get their vectors later."""

import pytest

from memory.models import MemoryItem
from memory.queries.retrieval import Narrowing
from memory.rules.tiers import Tier
from memory.services import embeddings, goals, items, retrieval
from memory.services.drafts import prepare
from memory.services.retrieval import Question
from tests.counts import rounds
from tests.embedding.conftest import DIMENSIONS
from tests.personas import NOON, TESTER

NOTES = ["Prefers the window seat.", "Is allergic to hazelnuts.", "Learns Italian on Mondays.", "Lives near Utrecht."]


def writes(person, content):
    draft = prepare(tier=Tier.LONG_TERM, content=content, now=NOON)
    [embedded] = embeddings.of_drafts([draft])
    return items.write_item(embedded, user_id=person.id, created_by=TESTER, now=NOON)


def asks(person, text):
    return retrieval.look(Question(person.id, text, 10, Narrowing()))


def models_of(person):
    return set(MemoryItem.objects.filter(user_id=person.id).values_list("embedding_model", flat=True))


@pytest.mark.promise("R6")
def test_memories_are_found_by_words_meanwhile_and_embedded_later(by_http, alice):
    by_http.status = 503
    for note in NOTES:
        writes(alice, note)
    meanwhile = asks(alice, "the window seat")

    by_http.status = 200
    embeddings.wake()
    done = embeddings.embed_late(seconds=10)

    assert meanwhile.is_lexical
    assert meanwhile.items[0].content == NOTES[0]
    assert done == len(NOTES)
    assert models_of(alice) == {f"http/test-model:{DIMENSIONS}"}
    afterwards = asks(alice, "the window seat")
    assert not afterwards.is_lexical
    assert afterwards.items[0].components.semantic is not None
    assert embeddings.embed_late(seconds=10) == 0


def test_an_embedder_that_failed_is_left_alone_for_a_while(by_http, alice):
    by_http.status = 503

    for note in NOTES:
        writes(alice, note)

    assert len(by_http.asked) == 1


def test_a_text_without_a_vector_is_not_asked_about_again(by_http, alice):
    by_http.answer = lambda asked: b'{"data": []}'
    writes(alice, NOTES[0])

    assert embeddings.embed_late(seconds=10) == 0
    assert models_of(alice) == {f"http/test-model:{DIMENSIONS}"}


@pytest.mark.promise("R6")
@pytest.mark.parametrize("turn", range(rounds(1, 5)))
def test_a_change_of_model_never_compares_two_models(choose, endpoint, alice, turn):
    for note in NOTES[:2]:
        writes(alice, note)
    choose("http", embedder_url=endpoint.url, embedder_model=f"other-{turn}", embedder_dimensions=8)
    for note in NOTES[2:]:
        writes(alice, note)

    between = asks(alice, "a seat in Utrecht")
    embeddings.embed_late(seconds=10)

    assert {one.content: one.components.semantic is not None for one in between.items} == dict.fromkeys(NOTES, True)
    assert models_of(alice) == {f"http/other-{turn}:8"}
    assert not asks(alice, "a seat in Utrecht").is_lexical


def test_an_item_that_changes_meanwhile_keeps_its_own_vector(by_http, alice):
    by_http.status = 503
    stored = writes(alice, NOTES[0])
    by_http.status = 200
    embeddings.wake()
    batch = embeddings._batch_of(None)
    items.change_item(stored.id, items.Change(content=NOTES[1]), user_id=alice.id, expected=None, now=NOON)
    changed = alice.item(stored.id).embedding

    kept = embeddings._keep(batch, embeddings.of_texts([NOTES[0]]) or [])

    assert kept == 0
    assert alice.item(stored.id).embedding == changed


def test_goals_get_their_vectors_later_too(by_http, alice):
    by_http.status = 503
    goal, _ = goals.set_goal(alice.id, "Learn Italian.", embedded=None, created_by=TESTER, now=NOON)
    by_http.status = 200
    embeddings.wake()

    embeddings.embed_late(seconds=10)

    goal.refresh_from_db()
    assert goal.embedding_model == f"http/test-model:{DIMENSIONS}"


def test_without_any_embedder_words_do(choose, alice):
    choose("none")
    writes(alice, NOTES[0])

    assert asks(alice, "window").items[0].content == NOTES[0]
    assert embeddings.embed_late(seconds=10) == 0


def test_an_embedder_that_was_switched_off_embeds_no_query_either(choose, alice):
    choose("wordllama")
    writes(alice, NOTES[0])
    embeddings.embed_late(seconds=10)
    choose("none")

    assert asks(alice, "window").is_lexical
