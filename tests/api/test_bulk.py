"""POST /memory/bulk: many memories of one user, all or nothing, or each by itself."""

from typing import Any

import httpx
import pytest

from kimberly.lib import clock
from memory.models import Refusal
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, Caller
from tests.api.problems import MEMBERS, problem_in
from tests.personas import content_of, unique


def item(content: str = "x", **fields: Any) -> dict[str, Any]:
    return {"type": "long-term", "content": content, **fields}


def test_all_are_stored_and_answered_in_the_order_given(alice: Caller):
    tiers = ["long-term", "permanent", "short-term", "long-term"]
    sent = [item("x" * (place + 1), type=tier) for place, tier in enumerate(tiers)]

    response = alice.posts_many(*sent)

    rows = response.json()["items"]
    assert response.status_code == 201
    assert [(row["type"], row["size_bytes"]) for row in rows] == [(tier, n + 3) for n, tier in enumerate(tiers)]
    assert [set(row) for row in rows] == [{"id", "type", "size_bytes", "created_at", "etag"}] * 4
    assert [alice.reads(row["id"]).json()["content"] for row in rows] == [one["content"] for one in sent]
    assert response.json()["errors"] == []


def test_the_usage_of_each_tier_written_to_is_told(alice: Caller):
    response = alice.posts_many(item("x"), item("yy", type="permanent"), item("zzz"))

    used = {row["tier"]: (row["used_bytes"], row["items"]) for row in response.json()["usage"]}

    assert used == {"long-term": (8, 2), "permanent": (4, 1)}


def test_a_thousand_are_stored_and_one_more_is_refused(alice: Caller):
    thousand = [item(str(number)) for number in range(1_000)]

    stored, refused = alice.posts_many(*thousand), alice.posts_many(*thousand, item())

    assert (stored.status_code, len(stored.json()["items"])) == (201, 1_000)
    assert [error["pointer"] for error in problem_in(refused)["errors"]] == ["/items"]
    assert alice.lists()["total"] == 1_000


def test_none_is_refused(alice: Caller):
    assert problem_in(alice.posts_many())["errors"][0]["pointer"] == "/items"


def test_when_one_has_no_room_none_is_stored(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=100, at=clock.utc_now())
    before = alice.usage("short-term")

    response = alice.posts_many(
        item(), item(content_of(60), type="short-term"), item(content_of(60), type="short-term")
    )

    problem = problem_in(response)
    assert (response.status_code, problem["tier"], problem["needed_bytes"]) == (413, "short-term", 120)
    assert alice.usage("short-term") == {**before, "refusals_today": 1}
    assert alice.usage("long-term")["items"] == 0


def test_when_one_is_wrong_none_is_stored_and_each_fault_is_named(alice: Caller):
    response = alice.posts_many(item(), item(""), item(type="nowhere"), "no object", item(color="red"))

    assert response.status_code == 422
    assert [error["pointer"] for error in problem_in(response)["errors"]] == [
        *("/items/1/content", "/items/2/type", "/items/3", "/items/4/color"),
    ]
    assert alice.lists()["total"] == 0


def test_with_atomic_false_each_is_stored_or_refused_by_itself(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=100, at=clock.utc_now())
    sent = [
        item("Kept."),
        item(content_of(60), type="short-term"),
        item(""),
        item(content_of(60), type="short-term"),
        item(content_of(40), type="short-term"),
    ]

    response = alice.posts_many(*sent, atomic=False)

    body = response.json()
    assert response.status_code == 201
    assert [row is not None for row in body["items"]] == [True, True, False, False, True]
    assert [(error["index"], error["status"]) for error in body["errors"]] == [(2, 422), (3, 413)]
    assert [error["type"].rpartition("/")[2] for error in body["errors"]] == ["invalid-request", "quota-exceeded"]
    assert alice.usage("short-term")["used_bytes"] == 524_288


def test_a_refusal_by_index_says_as_much_as_one_alone(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())
    large = item(content_of(11), type="short-term")

    response = alice.posts_many(item("Kept."), large, atomic=False)
    error = response.json()["errors"][0]
    alone = problem_in(alice.posts(large["content"], type="short-term"))

    assert set(MEMBERS) | {"index"} <= set(error)
    assert error["request_id"] == response.headers["x-request-id"]
    same = set(alone) - {"instance", "request_id"}
    assert {name: error[name] for name in same} == {name: alone[name] for name in same}


def test_each_refusal_for_lack_of_room_is_kept(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())
    large = item(content_of(11), type="short-term")

    alice.posts_many(large, item("Kept."), large, atomic=False)

    assert Refusal.objects.filter(user_id=alice.person.id, kind="quota").count() == 2


def test_a_smaller_one_fits_where_a_larger_one_did_not(alice: Caller):
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())

    response = alice.posts_many(
        item(content_of(11), type="short-term"), item(content_of(10), type="short-term"), atomic=False
    )

    assert [row is not None for row in response.json()["items"]] == [False, True]


def test_when_all_are_refused_the_answer_is_still_whole(alice: Caller):
    response = alice.posts_many(item(""), item(type="nowhere"), atomic=False)

    assert response.status_code == 201
    assert response.json()["items"] == [None, None]
    assert [error["index"] for error in response.json()["errors"]] == [0, 1]
    assert alice.lists()["total"] == 0


def test_no_user_is_made_for_a_bulk_of_which_nothing_can_be_kept(service: httpx.Client):
    user_id = unique("nobody")
    body = {"user_id": user_id, "items": [item(""), item(type="nowhere")], "atomic": False}
    answer = service.post(f"{MEMORY}/bulk", json=body)

    problem = problem_in(answer)
    assert answer.status_code == 422
    assert {error["pointer"].split("/")[2] for error in problem["errors"]} == {"0", "1"}
    assert service.get(f"/api/v1/users/{user_id}").status_code == 404


def test_the_user_may_be_named_in_the_items_as_well(alice: Caller, service: httpx.Client):
    newcomer = unique("newcomer")
    inside = [item(user_id=newcomer), item()]

    bound = alice.posts_many(item(user_id=alice.user_id), user_id=alice.user_id)
    bound_without = alice.posts_many(item(user_id=alice.user_id))
    unbound = service.post(f"{MEMORY}/bulk", json={"items": inside})

    assert [response.status_code for response in (bound, bound_without, unbound)] == [201, 201, 201]
    assert service.get(MEMORY, params={"user_id": newcomer}).json()["total"] == 2


def test_two_users_in_one_bulk_are_refused(service: httpx.Client):
    one, other = unique("one"), unique("other")
    body = {"user_id": one, "items": [item(), item(user_id=other)]}

    response = service.post(f"{MEMORY}/bulk", json=body)

    assert problem_in(response)["errors"][0]["pointer"] == "/items/1/user_id"


@pytest.mark.parametrize("atomic", [True, False])
def test_above_the_soft_limit_a_header_says_so(alice: Caller, atomic):
    usage = alice.usage("short-term")
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=usage["hard_bytes"] - usage["soft_bytes"], at=clock.utc_now())

    response = alice.posts_many(item(type="short-term"), item(), atomic=atomic)

    assert response.headers["x-quota-warning"].startswith("short-term;")
    assert {row["tier"]: row["over_soft"] for row in response.json()["usage"]} == {
        "short-term": True,
        "long-term": False,
    }


def test_a_bulk_of_more_than_one_mebibyte_is_read(alice: Caller):
    response = alice.posts_many(*(item("x" * 150_000, type="permanent") for _ in range(10)))

    assert response.status_code == 201
