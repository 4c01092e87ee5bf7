"""POST /memory: one memory is kept, and the answer says everything about it."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from kimberly.lib import clock
from memory.models import Refusal
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, USERS, Caller
from tests.api.problems import problem_in
from tests.personas import content_of, unique

ODD_TEXTS = {
    "emoji": "Likes \U0001f9c1 and \U0001f468‍\U0001f469‍\U0001f467",
    "right to left": "אוהב תה \u202ewith an override\u202c",
    "combining": "e\u0301 is not é",
    "a byte order mark inside": "\ufeffmark",
    "control characters": "bell \x07, escape \x1b[31m, tab\t, line\nline\r\n",
    "the last code point": "\U0010ffff\uffff\ufffe",
    "one space": " ",
    "no letters": "\u200b",
    "SQL": "'; DROP TABLE memory_item; --",
    "HTML": "<script>alert(1)</script>",
    "JSON": '{"a": "\\u0000"}',
    "a written escape": r"\u0000 \ud800",
}
ODD_METADATA: dict[str, Any] = {
    "the largest integers": {"a": 2**63 - 1, "b": -(2**63)},
    "large numbers": {"a": 1e300, "b": -1.5e308, "c": 1e19, "d": 1e5},
    "small numbers": {"a": 5e-324, "b": -0.0, "c": 1e-10},
    "every type": {"a": None, "b": True, "c": 1.5, "d": "x", "e": [1, [2]], "f": {}},
    "odd names": {"": 1, "a/b": 2, "~": 3, "\U0001f9c1": 4, "__proto__": 5, "x" * 200: 6},
    "20 levels": {"a": json.loads("[" * 18 + "]" * 18)},
}


def test_the_answer_is_the_item_with_its_address_its_version_and_the_tiers_usage(alice: Caller):
    response = alice.posts("Likes figs.", metadata={"tags": ["food"]}, protected=True)

    item = response.json()
    size_bytes = len("Likes figs.") + len('{"tags":["food"]}')
    assert response.status_code == 201
    assert response.headers["location"] == f"{MEMORY}/{item['id']}"
    assert response.headers["etag"] == item["etag"] == '"v1"'
    assert item["id"].startswith("mem_")
    assert (item["user_id"], item["type"], item["state"]) == (alice.user_id, "long-term", "active")
    assert (item["content"], item["metadata"], item["protected"]) == ("Likes figs.", {"tags": ["food"]}, True)
    assert item["size_bytes"] == size_bytes
    assert item["expires_at"] is item["archived_at"] is item["restorable_until"] is None
    assert item["usage"] == {
        "tier": "long-term",
        "used_bytes": size_bytes,
        "items": 1,
        "over_soft": False,
        "soft_bytes": 2 * 1024**2 * 8 // 10,
        "limit_bytes": 2 * 1024**2,
    }


def test_the_address_leads_to_the_item(alice: Caller):
    created = alice.posts("Likes figs.")

    read = alice.http.get(created.headers["location"])

    assert read.json() == {name: value for name, value in created.json().items() if name != "usage"}
    assert read.headers["etag"] == created.headers["etag"]


def test_a_short_term_item_lives_24_hours(alice: Caller):
    item = alice.keeps(type="short-term")

    life = datetime.fromisoformat(item["expires_at"]) - clock.utc_now()

    assert timedelta(hours=23, minutes=59) < life <= timedelta(hours=24)


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_any_text_comes_back_as_it_was_sent(alice: Caller, name):
    text = ODD_TEXTS[name]

    item = alice.keeps(text)

    assert item["content"] == alice.reads(item["id"]).json()["content"] == text
    assert item["size_bytes"] == len(text.encode()) + len("{}")


@pytest.mark.parametrize("name", ODD_METADATA)
def test_any_metadata_come_back_and_may_be_sent_back(alice: Caller, name):
    item = alice.keeps(metadata=ODD_METADATA[name])

    read = alice.reads(item["id"]).json()
    changed = alice.patches(item["id"], if_match=item["etag"], metadata=read["metadata"])

    assert item["metadata"] == read["metadata"] == ODD_METADATA[name]
    assert changed.status_code == 200


def test_text_of_200000_characters_of_four_bytes_is_kept(alice: Caller):
    text = "\U0001f600" * 200_000

    response = alice.http.post(
        MEMORY,
        content=json.dumps({"type": "permanent", "content": text}, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=UTF-8"},
    )

    assert response.status_code == 201
    assert response.json()["size_bytes"] == 800_002


def test_metadata_of_exactly_16_kib_are_kept(alice: Caller):
    metadata = {"x": "y" * (16 * 1024 - len('{"x":""}'))}

    item = alice.keeps("x", metadata=metadata)

    assert item["size_bytes"] == 16 * 1024 + 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2020-02-29T23:59:59Z", "2020-02-29T23:59:59Z"),
        ("2020-03-01T01:59:59+02:00", "2020-02-29T23:59:59Z"),
        ("2020-02-29t23:59:59.123456789z", "2020-02-29T23:59:59.123456Z"),
        ("2020-02-29 23:59Z", "2020-02-29T23:59:00Z"),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"),
        ("2020-03-01T23:58:00+23:59", "2020-02-29T23:59:00Z"),
        ("2020-02-29T00:00:00-23:59", "2020-02-29T23:59:00Z"),
    ],
)
def test_the_time_it_was_said_is_kept_in_utc(alice: Caller, given, kept):
    item = alice.keeps(created_at=given)

    assert item["created_at"] == alice.reads(item["id"]).json()["created_at"] == kept


def test_an_unknown_user_is_made_on_the_free_plan(service: httpx.Client):
    user_id = unique("newcomer")

    created = service.post(MEMORY, json={"user_id": user_id, "type": "long-term", "content": "First."})

    assert created.status_code == 201
    assert service.get(f"{USERS}/{user_id}").json()["plan"] == "free"


def test_an_unknown_user_is_not_made_when_that_is_not_wanted(service: httpx.Client):
    user_id = unique("nobody")
    body = {"user_id": user_id, "type": "long-term", "content": "First.", "create_user": False}

    created = service.post(MEMORY, json=body)

    assert created.status_code == 404
    assert service.get(f"{USERS}/{user_id}").status_code == 404


@pytest.mark.parametrize("path", [MEMORY, f"{MEMORY}/bulk"])
def test_no_user_is_made_for_what_cannot_be_kept(service: httpx.Client, path):
    user_id = unique("nobody")
    item = {"type": "long-term", "content": "x", "created_at": "2999-01-01T00:00:00Z"}
    body = {"user_id": user_id, **(item if path == MEMORY else {"items": [item]})}

    refused = service.post(path, json=body)

    assert refused.status_code == 422
    assert service.get(f"{USERS}/{user_id}").status_code == 404


@pytest.mark.parametrize(
    "user_id", ["a b", "ä", "x" * 128, "user@example.org", "a+b&c=d?e#f%2F", "\U0001f9c1", "...", "-"]
)
def test_a_user_may_have_any_id_that_fits_into_an_address(service: httpx.Client, user_id):
    named = unique(user_id)[:128] if len(user_id) < 100 else user_id

    created = service.post(MEMORY, json={"user_id": named, "type": "long-term", "content": "x"})

    assert created.status_code == 201
    assert service.get(MEMORY, params={"user_id": named}).json()["items"][0]["user_id"] == named


def test_a_write_above_the_soft_limit_succeeds_and_says_so(alice: Caller):
    usage = alice.usage("short-term")
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=usage["hard_bytes"] - usage["soft_bytes"], at=clock.utc_now())

    response = alice.posts("x", type="short-term")

    used = usage["soft_bytes"] + 3
    assert response.status_code == 201
    assert response.json()["usage"]["over_soft"] is True
    assert response.headers["x-quota-warning"] == f"short-term;used={used};soft={usage['soft_bytes']}"


def test_a_write_below_the_soft_limit_says_nothing(alice: Caller):
    assert "x-quota-warning" not in alice.posts().headers


def test_a_write_above_the_limit_is_refused_with_everything_one_needs_to_go_on(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=100, at=clock.utc_now())

    response = alice.posts(content_of(101), type="short-term")

    problem = problem_in(response)
    assert response.status_code == 413
    assert problem["type"].endswith("/problems/quota-exceeded")
    assert {name: problem[name] for name in ("tier", "used_bytes", "limit_bytes", "needed_bytes", "limit_source")} == {
        "tier": "short-term",
        "used_bytes": 524_188,
        "limit_bytes": 524_288,
        "needed_bytes": 101,
        "limit_source": "plan",
    }
    assert "next_meditation_at" in problem  # tests/memory/test_next_meditation.py says when
    assert problem["remedies"]
    assert alice.usage("short-term")["used_bytes"] == 524_188


def test_a_refused_write_is_counted_and_kept_with_its_request(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=1, at=clock.utc_now())

    response = alice.posts("xx", type="short-term", headers={"X-Request-ID": "asked-by-alice"})

    kept = Refusal.objects.get(user_id=alice.person.id)
    assert response.status_code == 413
    assert (kept.kind, kept.needed_bytes, kept.room_bytes, kept.request_id) == ("quota", 4, 1, "asked-by-alice")
    assert alice.usage("short-term")["refusals_today"] == 1


def test_the_last_byte_can_be_used(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=100, at=clock.utc_now())

    response = alice.posts(content_of(100), type="short-term")

    assert response.status_code == 201
    assert response.json()["usage"]["used_bytes"] == response.json()["usage"]["limit_bytes"]


def test_an_override_is_named_as_the_source_of_the_limit(alice: Caller):
    now = clock.utc_now()
    alice.person.is_raised(Tier.SHORT_TERM, 10, until=now + timedelta(hours=1), at=now)

    problem = problem_in(alice.posts("more than ten", type="short-term"))

    assert (problem["limit_source"], problem["limit_bytes"]) == ("override", 10)
    assert datetime.fromisoformat(problem["limit_ends_at"]) == now + timedelta(hours=1)
