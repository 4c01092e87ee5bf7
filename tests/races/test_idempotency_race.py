"""F2: fifty parallel posts with one Idempotency-Key."""

from functools import partial

import pytest

from memory.models import MemoryItem
from memory.rules.tiers import Tier
from memory.services import reconcile
from tests.counts import rounds
from tests.personas import Person, unique
from tests.races.together import at_once
from tests.web import WebServer

pytestmark = [pytest.mark.slow, pytest.mark.promise("F2")]

CALLERS = 50


@pytest.mark.parametrize("round_number", range(rounds(2, 20)))
def test_fifty_posts_with_one_key_make_one_item(web, round_number):
    alice = Person.register("alice")
    key, header = alice.gets_key(), {"Idempotency-Key": unique("import")}
    body = {"type": "long-term", "content": "Her daughter's name is Noor."}

    clients = [web.client(key) for _ in range(CALLERS)]
    for client in clients:
        client.headers.update(header)
    answers = at_once([partial(client.post, "/api/v1/memory", json=body) for client in clients])
    for client in clients:
        client.close()

    stored = [answer.json() for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(stored) + len(waiting) == CALLERS
    assert {answer["id"] for answer in stored} == {stored[0]["id"]}
    assert {answer["content"] for answer in stored} == {body["content"]}
    assert all(answer.headers["Retry-After"] for answer in waiting)
    assert MemoryItem.objects.filter(user_id=alice.id).count() == 1
    assert reconcile.drifts([alice.id]) == []


def test_another_body_under_the_same_key_is_refused_and_changes_nothing(web):
    alice = Person.register("alice")
    headers = {"Idempotency-Key": unique("import")}
    with web.client(alice.gets_key()) as client:
        client.headers.update(headers)
        first = client.post("/api/v1/memory", json={"type": "long-term", "content": "one"})

        second = client.post("/api/v1/memory", json={"type": "long-term", "content": "two"})

    assert (first.status_code, second.status_code) == (201, 422)
    assert second.json()["type"].endswith("/idempotency-key-reused")
    assert alice.usage(Tier.LONG_TERM).active_items == 1


def test_the_answer_is_given_again_after_a_restart(committed_db, django_db_setup):
    alice = Person.register("alice")
    key, headers = alice.gets_key(), {"Idempotency-Key": unique("import")}
    body = {"type": "long-term", "content": "Moved to Porto in May."}

    answers = []
    for _ in range(2):
        with WebServer() as web, web.client(key) as client:
            answers.append(client.post("/api/v1/memory", json=body, headers=headers))

    first, again = answers
    assert first.json() == {**again.json(), "usage": first.json()["usage"]}
    assert again.headers["Idempotency-Replayed"] == "true"
    assert alice.usage(Tier.LONG_TERM).active_items == 1
