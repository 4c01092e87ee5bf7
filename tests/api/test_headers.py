"""Headers that go with every answer."""

import re

import pytest

from tests.api.callers import MEMORY, USERS, Caller
from tests.api.operations import operations, valid_call
from tests.api.problems import problem_in

MADE = re.compile(r"req_[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["abc", "01HXYZ", "a.b-c_d:e", "x" * 64, "5f0c5a52-8d3e-4c1b-9d59-0a6f2f1f7d11"])
def test_a_harmless_request_id_is_taken_and_echoed(alice: Caller, given):
    response = alice.http.get("/api/v1/nothing", headers={"X-Request-ID": given})

    assert response.headers["x-request-id"] == problem_in(response)["request_id"] == given


@pytest.mark.parametrize("given", ["", "-a", "a b", "a\tb", "x" * 65, "<script>", "a,b", "é", '"', "a;b", "a%0d%0ab"])
def test_any_other_request_id_is_replaced(alice: Caller, given):
    response = alice.http.get("/api/v1/nothing", headers={"X-Request-ID": given.encode()})

    assert MADE.fullmatch(response.headers["x-request-id"])
    assert problem_in(response)["request_id"] == response.headers["x-request-id"]


def test_each_request_has_an_id_of_its_own(alice: Caller):
    ids = {alice.http.get(MEMORY).headers["x-request-id"] for _ in range(5)}

    assert len(ids) == 5


@pytest.mark.parametrize("operation_id", sorted(operations()))
def test_no_answer_is_kept_by_a_cache_or_taken_for_another_type(alice: Caller, operation_id):
    response = valid_call(operation_id, alice).send(alice.http)

    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "operation_id", ["write_item", "read_item", "change_item", "restore_item", "read_user", "put_user"]
)
def test_one_thing_is_answered_with_its_version(alice: Caller, operation_id):
    response = valid_call(operation_id, alice).send(alice.http)

    assert response.headers["etag"] == response.json()["etag"]


@pytest.mark.parametrize(
    "traceparent",
    ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0", "", "ff" * 400, "00-" + "z" * 32 + "-1-01"],
)
def test_any_traceparent_is_accepted(alice: Caller, traceparent):
    assert alice.http.get(MEMORY, headers={"traceparent": traceparent}).status_code == 200


def test_an_error_does_not_say_what_runs_here(alice: Caller):
    response = alice.posts("")

    said = f"{response.text} {response.headers}".lower()
    assert not [word for word in ("django", "python", "pydantic", "traceback", "psycopg", "postgres") if word in said]


def test_a_validation_error_does_not_repeat_what_was_sent(alice: Caller):
    response = alice.posts("A secret.", created_at="a secret time", protected="secret", metadata=["secret"])

    assert response.status_code == 422
    assert "secret" not in response.text
    assert {error["pointer"] for error in problem_in(response)["errors"]} == {"/created_at", "/protected", "/metadata"}


def test_the_type_of_a_problem_leads_to_a_page(alice: Caller):
    problem = problem_in(alice.http.get(f"{USERS}/nobody-knows-them"))

    assert alice.http.get(problem["type"]).status_code == 200
