"""No key reaches more than it may, on any operation, by any id. A new operation fails here until it is listed."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from kimberly.clients.models import Scope
from kimberly.lib import clock
from tests.api.callers import MEMORY, Caller
from tests.api.operations import VALID, Call, operations, valid_call
from tests.api.problems import problem_in
from tests.api.rows import everything_of
from tests.counts import rounds
from tests.personas import revoke_key
from tests.web import WebServer

pytestmark = pytest.mark.promise("F10")

SCOPE_OF = {
    "write_item": Scope.WRITE,
    "write_items": Scope.WRITE,
    "list_items": Scope.READ,
    "read_item": Scope.READ,
    "change_item": Scope.WRITE,
    "delete_item": Scope.WRITE,
    "restore_item": Scope.WRITE,
    "explain_item": Scope.READ,
    "begin_meditation": Scope.MEDITATE,
    "read_operation": Scope.MEDITATE,
    "read_metrics": Scope.METRICS,
    "read_user": Scope.READ,
    "put_user": Scope.WRITE,
    "query_memory": Scope.QUERY,
    "give_feedback": Scope.WRITE,
    "list_goals": Scope.READ,
    "set_goal": Scope.WRITE,
    "remove_goal": Scope.WRITE,
    "remove_goals": Scope.WRITE,
    "make_plan": Scope.PRUNE,
    "read_plan": Scope.PRUNE,
    "list_plan_items": Scope.PRUNE,
    "apply_plan": Scope.PRUNE,
    "undo_plan": Scope.PRUNE,
}
ANEW = {"Connection": "close"}  # the next call may meet the other process
UNKNOWN_ITEM = "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"
UNKNOWN_OPERATION = "run_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"
UNKNOWN_PLAN = "plan_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"
SAYS_WHOSE_IT_IS = ("{item_id}", "{operation_id}", "{plan_id}")
UNKNOWN_USER = "nobody-knows-them"
OPERATIONS = sorted(operations())


def expired_key(caller: Caller) -> str:
    long_ago = clock.utc_now() - timedelta(days=2)
    return caller.person.gets_key(now=long_ago, expires_at=long_ago + timedelta(days=1))


def revoked_key(caller: Caller) -> str:
    key = caller.person.gets_key()
    revoke_key(key)
    return key


AUTHORIZATIONS = {
    "no key": lambda _: {},
    "an empty key": lambda _: {"Authorization": "Bearer"},
    "another scheme": lambda caller: {"Authorization": f"Basic {caller.key}"},
    "no scheme": lambda caller: {"Authorization": caller.key},
    "an unknown key": lambda _: {"Authorization": "Bearer kmb_00000000_unknown"},
    "a key cut short": lambda caller: {"Authorization": f"Bearer {caller.key[:-1]}"},
    "a key of odd characters": lambda _: {"Authorization": "Bearer \xff\xfe"},
    "two keys": lambda caller: {"Authorization": f"Bearer {caller.key}, Bearer {caller.key}"},
    "an expired key": lambda caller: {"Authorization": f"Bearer {expired_key(caller)}"},
    "a revoked key": lambda caller: {"Authorization": f"Bearer {revoked_key(caller)}"},
    "a key in the address": lambda _: {"X-Api-Key": "kmb"},
}


def test_every_operation_is_listed():
    assert set(SCOPE_OF) == set(VALID) == set(operations())


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_valid_call_succeeds(alice: Caller, operation_id):
    """Else the refusals below would prove nothing."""
    response = valid_call(operation_id, alice).send(alice.http)

    assert response.is_success, response.text


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_without_a_valid_key_nothing_is_answered_and_nothing_changes(web: WebServer, alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    before = everything_of(alice)

    with web.client() as stranger:
        answers = {name: call.send(stranger, headers=latin(make(alice))) for name, make in AUTHORIZATIONS.items()}

    problems = {name: apart_from_the_address(response) for name, response in answers.items()}
    assert problems == dict.fromkeys(AUTHORIZATIONS, problems["no key"])  # nobody learns which of them it was
    assert (slug(problems["no key"]), problems["no key"]["status"]) == ("unauthenticated", 401)
    assert {response.headers["www-authenticate"] for response in answers.values()} == {'Bearer realm="kimberly"'}
    assert everything_of(alice) == before


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_only_the_scope_of_an_operation_opens_it(web: WebServer, alice: Caller, operation_id):
    answers = {}
    for scope in Scope:
        call = valid_call(operation_id, alice)
        with web.client(alice.person.gets_key(scope)) as client:
            answers[scope] = call.send(client)

    opened = {scope for scope, response in answers.items() if response.is_success}
    refused = [problem_in(response) for scope, response in answers.items() if scope not in opened]
    assert opened == {SCOPE_OF[operation_id]}
    assert {(slug(problem), problem["status"]) for problem in refused} == {("missing-scope", 403)}
    assert {problem["needed_scope"] for problem in refused} == {SCOPE_OF[operation_id]}


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_key_of_one_user_does_not_reach_another_and_cannot_tell_whether_they_exist(
    alice: Caller, bob: Caller, operation_id
):
    call = valid_call(operation_id, alice)
    before = everything_of(alice)

    of_another = call.send(bob.http)
    of_nobody = about_nobody(call, alice).send(bob.http)

    assert everything_of(alice) == before
    assert of_another.status_code == 404
    assert apart_from_the_address(of_another) == apart_from_the_address(of_nobody)
    assert set(of_another.headers) == set(of_nobody.headers)


def about_an_item(operation_id: str) -> bool:
    return "{item_id}" in operations()[operation_id].path


# A tombstone still says why it is one.
@pytest.mark.parametrize("operation_id", sorted(set(filter(about_an_item, OPERATIONS)) - {"explain_item"}))
def test_a_purged_item_answers_like_an_unknown_one(alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    alice.deletes(call.path.split("/")[4], purge="true")

    purged = call.send(alice.http)
    unknown = about_nobody(call, alice).send(alice.http)

    assert purged.status_code == 404
    assert apart_from_the_address(purged) == apart_from_the_address(unknown)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_bound_key_reaches_its_user_without_naming_it(alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    if call.template is not None and "user_id" in call.template.body:
        body = {name: value for name, value in call.template.body.items() if name != "user_id"}
        call = replace(call, template=replace(call.template, body=body))

    assert replace(call, query={}).send(alice.http).is_success


# A meditation without a user is one of all: test_meditation.
@pytest.mark.parametrize(
    "operation_id",
    [name for name in OPERATIONS if "{user_id}" not in operations()[name].path and name != "begin_meditation"],
)
def test_a_key_that_is_bound_to_nobody_reaches_nobody_by_default(service: httpx.Client, alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    if any(part in operations()[operation_id].path for part in SAYS_WHOSE_IT_IS):
        assert call.send(service).is_success  # the item, or the operation, says whose it is
        return
    body = {name: value for name, value in (call.template.body if call.template else {}).items() if name != "user_id"}
    unnamed = replace(call, query={}, template=replace(call.template, body=body) if call.template else None)

    response = unnamed.send(service)

    assert response.status_code == 422
    assert problem_in(response)["errors"][0]["pointer"] == "/user_id"


def test_another_user_cannot_be_named_inside_a_bulk(alice: Caller, bob: Caller):
    item = {"type": "long-term", "content": "x", "user_id": alice.user_id}

    answers = [bob.posts_many(item), bob.posts_many(item, user_id=bob.user_id), bob.posts_many(item, atomic=False)]

    assert [response.status_code for response in answers] == [404, 422, 404]
    assert alice.lists()["total"] == bob.lists()["total"] == 0


def test_a_revoked_key_stops_working_within_two_seconds_on_both_processes(web: WebServer, alice: Caller):
    with web.client(alice.person.gets_key()) as client:
        assert {client.get(MEMORY, headers=ANEW).status_code for _ in range(10)} == {200}
        revoke_key(client.headers["authorization"].removeprefix("Bearer "))
        revoked_at = last_answered_at = time.monotonic()
        while time.monotonic() < revoked_at + 2.5:
            if client.get(MEMORY, headers=ANEW).status_code == 200:
                last_answered_at = time.monotonic()

    assert last_answered_at - revoked_at < 2


@pytest.mark.slow
def test_the_time_to_an_answer_does_not_tell_a_foreign_id_from_an_unknown_one(alice: Caller, bob: Caller):
    call = valid_call("read_item", alice)
    calls = {"foreign": call, "unknown": about_nobody(call, alice)}
    took: dict[str, list[float]] = {name: [] for name in calls}

    for _ in range(rounds(50, 500)):
        for name, one in calls.items():
            began = time.perf_counter()
            one.send(bob.http)
            took[name].append(time.perf_counter() - began)

    medians = sorted(statistics.median(times) for times in took.values())
    assert medians[1] < medians[0] * 1.5


def latin(headers: Mapping[str, str]) -> dict[str, Any]:
    """Headers with any octets; httpx would refuse them as text."""
    return {name: value.encode("latin-1") for name, value in headers.items()}


def slug(problem: Mapping[str, Any]) -> str:
    return str(problem["type"]).rpartition("/")[2]


def about_nobody(call: Call, caller: Caller) -> Call:
    """The same call about an item and a user that never were."""
    parts = [UNKNOWN_ITEM if part.startswith("mem_") else part for part in call.path.split("/")]
    parts = [UNKNOWN_OPERATION if part.startswith("run_") else part for part in parts]
    parts = [UNKNOWN_PLAN if part.startswith("plan_") else part for part in parts]
    path = "/".join(UNKNOWN_USER if part == caller.user_id else part for part in parts)
    query = {name: UNKNOWN_USER if name == "user_id" else value for name, value in call.query.items()}
    if call.template is None or "user_id" not in call.template.body:
        return replace(call, path=path, query=query)
    body = {**call.template.body, "user_id": UNKNOWN_USER}
    return replace(call, path=path, query=query, template=replace(call.template, body=body))


def apart_from_the_address(response: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in problem_in(response).items() if name not in ("instance", "request_id")}
