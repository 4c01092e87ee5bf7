"""A call that is sent again with its Idempotency-Key has no second effect and gets the first answer."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection

from kimberly.clients import idempotency
from kimberly.clients.models import IdempotencyRecord
from kimberly.lib import clock
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, Caller
from tests.api.problems import problem_in
from tests.web import WebServer

pytestmark = pytest.mark.promise("F2")

FIRST = {"Idempotency-Key": "the-first"}
SECRET = "A secret that must not be kept twice."


def without_headers_of_the_moment(response: httpx.Response) -> dict[str, str]:
    passing = ("x-request-id", "ratelimit", "date", "idempotency-replayed")
    return {name: value for name, value in response.headers.items() if name not in passing}


def test_the_same_call_again_gets_the_same_answer_and_stores_nothing(alice: Caller):
    first = alice.posts(SECRET, headers=FIRST, metadata={"tags": ["x"]})

    second = alice.posts(SECRET, headers=FIRST, metadata={"tags": ["x"]})

    assert (second.status_code, second.json()) == (201, first.json())
    assert without_headers_of_the_moment(second) == without_headers_of_the_moment(first)
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert alice.lists()["total"] == 1


def test_another_body_under_the_same_key_is_refused(alice: Caller):
    alice.posts("One thing.", headers=FIRST)

    response = alice.posts("Another thing.", headers=FIRST)

    assert response.status_code == 422
    assert problem_in(response)["type"].endswith("/problems/idempotency-key-reused")
    assert alice.lists()["total"] == 1


def test_another_address_under_the_same_key_is_refused(alice: Caller):
    item = alice.posts("One thing.", headers=FIRST).json()
    alice.deletes(item["id"])

    response = alice.restores(item["id"], headers=FIRST)

    assert problem_in(response)["type"].endswith("/problems/idempotency-key-reused")


def test_another_key_stores_it_again(alice: Caller):
    alice.posts("The same.", headers=FIRST)

    alice.posts("The same.", headers={"Idempotency-Key": "the-second"})

    assert alice.lists()["total"] == 2


def test_a_key_of_one_program_says_nothing_to_another(web: WebServer, alice: Caller, bob: Caller):
    alice.posts("Alice's.", headers=FIRST)
    with web.client(alice.person.gets_key()) as second_program:
        body = {"type": "long-term", "content": "Alice's, by another program."}
        answers = [second_program.post(MEMORY, json=body, headers=FIRST), bob.posts("Bob's.", headers=FIRST)]

    assert [response.status_code for response in answers] == [201, 201]
    assert not [response for response in answers if "idempotency-replayed" in response.headers]


def test_a_refused_call_is_not_kept_and_may_be_sent_again(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())
    refused = alice.posts("More than fits.", type="short-term", headers=FIRST)
    alice.deletes(alice.lists()["items"][0]["id"])

    response = alice.posts("More than fits.", type="short-term", headers=FIRST)

    assert (refused.status_code, response.status_code) == (413, 201)


@pytest.mark.promise("V8")
def test_what_is_kept_has_neither_content_nor_metadata(alice: Caller):
    item = alice.posts(SECRET, headers=FIRST, metadata={"tags": ["private tag"]}).json()
    alice.deletes(item["id"])
    alice.restores(item["id"], headers={"Idempotency-Key": "the-restore"})
    bulk = [{"type": "long-term", "content": SECRET, "metadata": {"tags": ["private tag"]}}]
    alice.http.post(f"{MEMORY}/bulk", json={"items": bulk}, headers={"Idempotency-Key": "the-bulk"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT record::text FROM idempotency_record AS record WHERE user_id = %s", [alice.person.id])
        kept = [row[0] for row in cursor.fetchall()]

    assert len(kept) == 3
    assert not [row for row in kept if "secret" in row.lower() or "private" in row]


def test_a_replay_takes_the_content_from_the_item_while_it_is_there(alice: Caller):
    item = alice.posts("As it was.", headers=FIRST, metadata={"n": 1}).json()
    alice.patches(item["id"], if_match=item["etag"], content="As it is now.", metadata={"n": 2})

    replayed = alice.posts("As it was.", headers=FIRST, metadata={"n": 1}).json()

    assert (replayed["content"], replayed["metadata"]) == ("As it is now.", {"n": 2})
    assert {**replayed, "content": None, "metadata": None} == {**item, "content": None, "metadata": None}


@pytest.mark.parametrize(("purge", "content"), [("false", "Still here."), ("true", None)])
def test_a_replay_after_a_delete_has_the_content_until_it_is_purged(alice: Caller, purge, content):
    item = alice.posts("Still here.", headers=FIRST).json()
    alice.deletes(item["id"], purge=purge)

    replayed = alice.posts("Still here.", headers=FIRST)

    assert replayed.status_code == 201
    assert replayed.json()["content"] == content
    assert replayed.json()["id"] == item["id"]


def test_a_bulk_sent_again_stores_nothing_and_gets_the_same_ids(alice: Caller):
    body = {"items": [{"type": "long-term", "content": f"{number}"} for number in range(3)]}

    first = alice.http.post(f"{MEMORY}/bulk", json=body, headers=FIRST)
    second = alice.http.post(f"{MEMORY}/bulk", json=body, headers=FIRST)

    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert alice.lists()["total"] == 3


def test_a_partial_bulk_sent_again_tells_the_same_refusals(alice: Caller):
    body = {"items": [{"type": "long-term", "content": "Good."}, {"type": "long-term"}], "atomic": False}

    first = alice.http.post(f"{MEMORY}/bulk", json=body, headers=FIRST)
    second = alice.http.post(f"{MEMORY}/bulk", json=body, headers=FIRST)

    assert second.json() == first.json()
    assert [error["index"] for error in second.json()["errors"]] == [1]
    assert alice.lists()["total"] == 1


def test_a_restore_sent_again_gets_the_first_answer_instead_of_a_conflict(alice: Caller):
    item = alice.keeps("Back again.")
    alice.deletes(item["id"])

    first = alice.restores(item["id"], headers=FIRST)
    second = alice.restores(item["id"], headers=FIRST)
    third = alice.restores(item["id"])

    assert (second.status_code, second.json()) == (200, first.json())
    assert second.headers["idempotency-replayed"] == "true"
    assert third.status_code == 409


def test_an_answer_is_given_again_for_a_day(alice: Caller):
    alice.posts("Once.", headers=FIRST)
    record = IdempotencyRecord.objects.get(user_id=alice.person.id)

    IdempotencyRecord.objects.filter(pk=record.pk).update(expires_at=clock.utc_now())
    response = alice.posts("Once.", headers=FIRST)

    assert record.expires_at - record.created_at == timedelta(hours=24)
    assert "idempotency-replayed" not in response.headers
    assert alice.lists()["total"] == 2


def test_the_sweep_removes_what_is_past_its_day_and_nothing_else(alice: Caller):
    for key in ("old", "new"):
        alice.posts("Something.", headers={"Idempotency-Key": key})
    now = clock.utc_now()
    records = IdempotencyRecord.objects.filter(user_id=alice.person.id)
    records.filter(key="old").update(expires_at=now - timedelta(seconds=1))

    idempotency.sweep(now=now)

    assert [record.key for record in records] == ["new"]


def test_the_key_may_be_any_printable_text(alice: Caller):
    keys = ["x", "x" * 255, 'with spaces and "quotes"', "a,b;c=d", json.dumps({"a": 1})]

    statuses: list[Any] = [alice.posts(headers={"Idempotency-Key": key}).status_code for key in keys]

    assert statuses == [201] * len(keys)
