"""Whatever a client sends, it is refused with a problem that says where, nothing is stored, and nothing breaks."""

from typing import Any
from urllib.parse import quote

import pytest

from tests import corpus, corpuswords
from tests.api.callers import MEMORY, USERS, Caller
from tests.api.operations import Call, operations, valid_call, writing
from tests.api.problems import fault_of, problem_in
from tests.api.rows import everything_of
from tests.corpus import Bad

pytestmark = pytest.mark.promise("F3")
MANY = 150  # cases for each writing endpoint


def faults(caller: Caller, call: Call, cases: list[Bad]) -> dict[str, str]:
    """The cases that were not refused as they should be, and whatever changed although they were refused."""
    before = everything_of(caller)
    found: dict[str, Any] = {}
    for case in cases:
        response = call.send(caller.http, content=case.content, headers=case.headers)
        if fault := fault_of(response, status=case.status, pointer=case.pointer):
            found[case.name] = fault
    if everything_of(caller) != before:
        found["afterwards"] = "something was stored"
    return found


def test_every_writing_operation_is_known_here():
    items = {"write_item", "write_items", "change_item", "restore_item", "give_feedback"}
    plans = {"make_plan", "apply_plan", "undo_plan"}
    assert set(writing()) == items | plans | {"put_user", "query_memory", "set_goal", "begin_meditation"}


@pytest.mark.parametrize("operation_id", sorted(writing()))
def test_a_bad_body_is_refused_by_every_writing_operation(alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    assert call.template is not None
    cases = corpus.every_case(call.template, body_limit_bytes=call.body_limit_bytes)

    found = faults(alice, call, cases)

    assert len(cases) >= MANY
    assert found == {}


@pytest.mark.parametrize("operation_id", sorted(writing()))
def test_a_field_of_another_type_is_refused(alice: Caller, operation_id):
    call, schema = valid_call(operation_id, alice), writing()[operation_id].body_schema
    assert call.template is not None

    assert faults(alice, call, list(corpus.bad_fields(schema, call.template))) == {}


@pytest.mark.parametrize("operation_id", sorted(set(writing()) - {"restore_item", "apply_plan", "undo_plan"}))
@pytest.mark.parametrize("raw", [b"", b"null"])
def test_a_body_that_is_missing_is_refused(alice: Caller, operation_id, raw):
    call = valid_call(operation_id, alice)
    headers = {"Content-Type": "application/json"}

    response = call.send(alice.http, content=raw, headers=headers)

    assert fault_of(response, status=422, pointer="") is None


@pytest.mark.parametrize("field", ["content", "metadata"])
def test_an_item_that_is_too_large_or_empty_is_refused_wherever_it_is_written(alice: Caller, field):
    values = corpus.bad_contents() if field == "content" else corpus.bad_metadata()
    found: dict[str, Any] = {}
    for operation_id in ("write_item", "change_item"):
        call = valid_call(operation_id, alice)
        assert call.template is not None
        cases = [Bad(name, call.template.replacing(field, value), 422, f"/{field}") for name, value in values.items()]
        found |= faults(alice, call, cases)
    bulk = alice.posts_many(*({"type": "long-term", "content": "x", field: value} for value in values.values()))

    assert found == {}
    assert [error["pointer"] for error in problem_in(bulk)["errors"]] == [
        f"/items/{index}/{field}" for index in range(len(values))
    ]


@pytest.mark.parametrize("operation_id", ["write_item", "write_items"])
def test_a_time_that_is_none_is_refused(alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    assert call.template is not None
    at = call.template.open_at.removesuffix("/metadata")

    cases = []
    for time in (*corpuswords.BAD_TIMES, 1_700_000_000, 0, -1, 1.5):
        body = _with_time(call.template.body, time)
        cases.append(Bad(repr(time), body, 422, f"{at}/created_at"))

    assert faults(alice, call, cases) == {}


def _with_time(body: dict[str, Any], time: Any) -> bytes:
    template = corpus.Template(body)
    if "items" in body:
        return template.replacing("items", [{**body["items"][0], "created_at": time}])
    return template.replacing("created_at", time)


def test_a_user_id_that_is_none_is_refused_in_bodies(service, alice: Caller):
    found: dict[str, Any] = {}
    for user_id in corpuswords.BAD_USER_IDS:
        for path, rest in ((MEMORY, {"type": "long-term", "content": "x"}), (f"{MEMORY}/bulk", {"items": [{}]})):
            response = service.post(path, json={"user_id": user_id, **rest})
            if fault := fault_of(response, status=422, pointer="/user_id"):
                found[f"{user_id!r} {path}"] = fault

    assert found == {}


def test_a_user_id_that_is_none_is_refused_in_addresses(service):
    found: dict[str, Any] = {}
    for user_id in set(corpuswords.BAD_USER_IDS) - {"", ".", "..", "a/b"}:  # these lead to other addresses
        for method in ("GET", "PUT"):
            response = service.request(method, f"{USERS}/{quote(user_id, safe='')}", json={})
            if fault := fault_of(response, status=422, pointer="/user_id"):
                found[f"{method} {user_id!r}"] = fault

    assert found == {}


@pytest.mark.parametrize("operation_id", sorted(name for name, one in operations().items() if "{item_id}" in one.path))
def test_an_item_id_that_is_none_answers_like_an_unknown_one(alice: Caller, operation_id):
    call = valid_call(operation_id, alice)
    own_id = call.path.split("/")[4]
    found: dict[str, Any] = {}
    for wrong in corpuswords.BAD_ITEM_IDS:
        path = call.path.replace(own_id, wrong if "%" in wrong else quote(wrong, safe=""))
        response = Call(call.method, path, call.template, call.headers).send(alice.http)
        if fault := fault_of(response, status=404, pointer=None):
            found[wrong] = fault

    assert found == {}


@pytest.mark.parametrize("name", sorted({name for name, _ in corpuswords.BAD_QUERIES}))
def test_a_query_parameter_that_cannot_be_used_is_named(alice: Caller, name):
    found: dict[str, Any] = {}
    for value in (value for other, value in corpuswords.BAD_QUERIES if other == name):
        response = alice.http.get(MEMORY, params={name: value})
        if fault := fault_of(response, status=422, pointer="/" + name):
            found[value] = fault

    assert found == {}


@pytest.mark.parametrize("octets", ["%ff", "%c0%80", "%ed%a0%80", "a%f0%9f%98"])
@pytest.mark.parametrize("path", [MEMORY, f"{MEMORY}/metrics"])
def test_a_query_that_is_not_utf8_is_refused_and_not_guessed_at(alice: Caller, path, octets):
    response = alice.http.get(f"{path}?user_id={octets}")

    assert fault_of(response, status=400, pointer=None) is None


def test_a_query_parameter_that_stands_there_twice_is_refused(alice: Caller):
    response = alice.http.get(f"{MEMORY}?page=1&page=2")

    assert fault_of(response, status=422, pointer="/page") is None


def test_a_cursor_of_another_order_is_refused(alice: Caller):
    for number in range(3):
        alice.keeps(f"{number}")
    cursor = alice.lists(per_page=1)["next_cursor"]

    response = alice.http.get(MEMORY, params={"cursor": cursor, "sort": "size_bytes"})

    assert fault_of(response, status=422, pointer="/cursor") is None


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_an_idempotency_key_that_is_none_is_refused(alice: Caller, key):
    response = alice.posts(headers={"Idempotency-Key": key.encode()})

    assert fault_of(response, status=422, pointer="/Idempotency-Key") is None
    assert alice.lists()["total"] == 0
