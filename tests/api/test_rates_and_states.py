"""Rates, throttles and suspension: who is held back, how they are told, and what goes on all the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from kimberly.lib import clock
from kimberly.web.ratelimit import Rule, Verdict
from memory.models import MemoryUser, Refusal
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import UserState
from tests.api.callers import MEMORY, USERS, Caller
from tests.api.conftest import OnPlan
from tests.api.operations import operations, valid_call
from tests.api.problems import problem_in
from tests.waiting import until

WRITES = (
    "write_item",
    "write_items",
    "change_item",
    "restore_item",
    "put_user",
    "give_feedback",
    "set_goal",
    "begin_meditation",
    "make_plan",
    "apply_plan",
    "undo_plan",
)
NOT_LIMITED = ("delete_item", "remove_goal", "remove_goals")


def limits_of(response: httpx.Response) -> dict[str, dict[str, int]]:
    """RateLimit-Policy and RateLimit by the rule's name: q and w, r and t."""
    found: dict[str, dict[str, int]] = {}
    for header in ("ratelimit-policy", "ratelimit"):
        for entry in filter(None, response.headers.get(header, "").split(", ")):
            name, *parameters = entry.split(";")
            numbers = {key: int(value) for key, value in (parameter.split("=") for parameter in parameters)}
            found.setdefault(name.strip('"'), {}).update(numbers)
    return found


@pytest.mark.promise("R3")
@pytest.mark.parametrize("operation_id", sorted(set(operations()) - set(NOT_LIMITED)))
def test_each_limited_call_says_what_is_left(alice: Caller, operation_id):
    response = valid_call(operation_id, alice).send(alice.http)

    [(name, limits)] = limits_of(response).items()
    assert name == ("write" if operation_id in WRITES else "query")
    assert (limits["q"], limits["w"]) == (1_200, 60)
    assert 0 <= limits["r"] < 1_200
    assert 0 < limits["t"] <= 60


@pytest.mark.promise("R3")
def test_what_is_left_counts_down_by_one_a_call_and_then_the_call_waits(on_plan: OnPlan):
    carol = on_plan(write_per_minute=3)

    answers = [carol.posts() for _ in range(5)]

    left = [limits_of(response)["write"]["r"] for response in answers]
    problem = problem_in(answers[3])
    assert [response.status_code for response in answers] == [201, 201, 201, 429, 429]
    assert left == [2, 1, 0, 0, 0]
    assert {name: problem[name] for name in ("rule", "scope", "per_minute")} == {
        "rule": "plan",
        "scope": "write",
        "per_minute": 3,
    }
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20
    assert carol.lists()["total"] == 3


@pytest.mark.promise("R3")
def test_reads_and_writes_have_rates_of_their_own(on_plan: OnPlan):
    carol = on_plan(write_per_minute=1)

    statuses = [carol.posts().status_code, carol.posts().status_code, carol.http.get(MEMORY).status_code]

    assert statuses == [201, 429, 200]


@pytest.mark.promise("R3")
def test_one_users_calls_take_nothing_from_another(on_plan: OnPlan):
    carol, other = on_plan(write_per_minute=1), on_plan(write_per_minute=1)
    carol.posts()

    assert (carol.posts().status_code, other.posts().status_code) == (429, 201)


@pytest.mark.promise("R3")
def test_all_keys_of_a_user_share_the_rate(web, on_plan: OnPlan, service: httpx.Client):
    carol = on_plan(write_per_minute=2)
    body = {"user_id": carol.user_id, "type": "long-term", "content": "x"}

    statuses = [carol.posts().status_code, *(service.post(MEMORY, json=body).status_code for _ in range(2))]

    assert statuses == [201, 201, 429]


def held_back(send: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that refuses for a rate: each process hears of a new throttle within two seconds."""

    def refused() -> httpx.Response | None:
        response = send()
        return response if response.status_code == 429 else None

    return until(refused, what="the throttle to work", limit_seconds=2)


@pytest.mark.promise("R3")
def test_a_throttle_that_holds_a_user_back_is_named(alice: Caller):
    now = clock.utc_now()
    throttle = alice.person.is_throttled(ThrottleScope.WRITE, per_minute=1, until=now + timedelta(hours=1), at=now)

    response = held_back(alice.posts)

    problem = problem_in(response)
    quotas = {name: limit["q"] for name, limit in limits_of(response).items()}
    assert (problem["rule"], problem["throttle_id"], problem["per_minute"]) == ("throttle", throttle.public_id, 1)
    assert quotas == {"write": 1_200, throttle.public_id: 1}


@pytest.mark.promise("R3")
def test_a_block_says_until_when(alice: Caller):
    now = clock.utc_now()
    alice.person.is_throttled(ThrottleScope.ALL, per_minute=None, until=now + timedelta(hours=1), at=now)

    answers = [held_back(alice.posts), held_back(lambda: alice.http.get(MEMORY))]

    assert {problem_in(response)["type"].rpartition("/")[2] for response in answers} == {"throttled"}
    assert all(3_590 < int(response.headers["retry-after"]) <= 3_600 for response in answers)
    assert all(problem_in(response)["ends_at"].endswith("Z") for response in answers)


@pytest.mark.promise("R3")
def test_a_held_back_user_may_still_delete(alice: Caller):
    item = alice.keeps()
    now = clock.utc_now()
    alice.person.is_throttled(ThrottleScope.ALL, per_minute=None, until=now + timedelta(hours=1), at=now)
    held_back(alice.posts)

    assert alice.deletes(item["id"]).status_code == 200


@pytest.mark.promise("R3")
def test_calls_that_are_held_back_are_counted_in_one_row_a_minute(on_plan: OnPlan):
    carol = on_plan(write_per_minute=1)

    for _ in range(6):
        carol.posts()

    kept = Refusal.objects.filter(user_id=carol.person.id)
    assert sum(row.times for row in kept) == 5
    assert len(kept) <= 2  # the minute may turn meanwhile
    assert {(row.kind, row.limit_per_minute) for row in kept} == {("rate", 1)}


def suspend(caller: Caller) -> None:
    """The service that does this comes with the portal's action; until then the state is set where it lies."""
    MemoryUser.objects.filter(pk=caller.person.id).update(state=UserState.SUSPENDED)


@pytest.fixture
def suspended(web) -> Any:
    """Someone suspended who keeps an active and an archived item."""
    caller = Caller.of(web, "mallory")
    with caller.http:
        caller.keeps("Active.")
        caller.deletes(caller.keeps("Archived.")["id"])
        suspend(caller)
        yield caller


def test_a_suspended_user_cannot_write_at_once(suspended: Caller):
    answers = [suspended.posts(), suspended.posts_many({"type": "long-term", "content": "x"})]

    assert [response.status_code for response in answers] == [403, 403]
    assert {problem_in(response)["type"].rpartition("/")[2] for response in answers} == {"user-suspended"}
    assert suspended.lists()["total"] == 1


def test_a_suspended_user_cannot_change_or_restore_within_two_seconds(suspended: Caller):
    active, archived = suspended.lists()["items"][0], suspended.lists(state="archived")["items"][0]
    path = f"{USERS}/{suspended.user_id}"
    anew = {"Connection": "close"}

    def all_refused() -> bool:
        # So many that both processes are met, however unevenly they take new connections.
        answers = [suspended.http.put(path, json={"display_name": "M"}, headers=anew) for _ in range(30)]
        return {response.status_code for response in answers} == {403}

    until(all_refused, what="both processes to know of it", limit_seconds=2)

    answers = [suspended.patches(active["id"], if_match="*", content="x"), suspended.restores(archived["id"])]
    assert [response.status_code for response in answers] == [403, 403]


def test_a_suspended_users_list_figures_and_deletes_go_on(suspended: Caller):
    item = suspended.lists()["items"][0]

    answers = [
        suspended.reads(item["id"]),
        suspended.http.get(f"{MEMORY}/metrics"),
        suspended.http.get(f"{USERS}/{suspended.user_id}"),
        suspended.deletes(item["id"]),
        suspended.deletes(item["id"], purge="true"),
    ]

    assert [response.status_code for response in answers] == [200] * 5
    assert suspended.http.get(f"{USERS}/{suspended.user_id}").json()["state"] == "suspended"


def test_a_suspended_users_refused_writes_are_counted(suspended: Caller):
    suspended.posts()

    assert Refusal.objects.get(user_id=suspended.person.id).kind == "suspended"


def test_the_reset_of_a_rate_is_when_the_whole_quota_is_there_again():
    half_used = Verdict(Rule("write", "k", quota=60), passes=True, remaining=30, wait_seconds=0)

    assert half_used.reset_seconds == 30
