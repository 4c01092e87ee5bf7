"""The API's description is complete: whoever reads only that can write a client."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from kimberly.api import PREFIX, api
from kimberly.lib.errors import Refusal
from kimberly.web.problems import STATUS
from ops.reference import modules
from ops.views.docs import problems

DOCUMENT: Any = api.get_openapi_schema(path_prefix=PREFIX)
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
SCHEMAS = DOCUMENT["components"]["schemas"]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
EVERYWHERE = {401, 403, 404, 503}
WITH_BODY = {400, 413, 415, 422, 429}


def fields_of(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema and of the objects described inside of it, with its path."""
    for field, described in schema.get("properties", {}).items():
        yield f"{name}.{field}", described
        yield from fields_of(f"{name}.{field}", described.get("items", {}))


FIELDS = dict(pair for name, schema in SCHEMAS.items() for pair in fields_of(name, schema))


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_an_operation_has_a_name_a_title_and_a_description(operation):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    assert operation["summary"]
    assert operation["description"].endswith((".", "`"))
    assert operation["tags"]


def test_names_of_operations_are_unique():
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_names_its_errors(name):
    operation = OPERATIONS[name]
    expected = EVERYWHERE | (WITH_BODY if "requestBody" in operation else set())
    takes_parameters = any(parameter["in"] == "query" for parameter in operation.get("parameters", ()))

    assert expected <= set(operation["responses"])
    assert not takes_parameters or 422 in operation["responses"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_needs_a_key(name):
    assert OPERATIONS[name]["security"] == [{"BearerKey": []}]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_is_described_as_a_problem(name):
    errors = {status: answer for status, answer in OPERATIONS[name]["responses"].items() if status >= 400}

    assert {status: answer["content"] for status, answer in errors.items()} == {
        status: {"application/problem+json": {"schema": PROBLEM}} for status in errors
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_parameter_has_a_description_and_an_example(name):
    for parameter in OPERATIONS[name].get("parameters", ()):
        assert parameter["description"], parameter["name"]
        assert parameter.get("examples") or parameter["schema"].get("examples"), parameter["name"]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_a_description_and_an_example(name):
    described = FIELDS[name]

    assert described.get("description", "").endswith(".")
    assert described.get("examples")


@pytest.mark.parametrize("name", [name for name in FIELDS if name.endswith("_bytes")])
def test_a_field_of_bytes_says_so(name):
    assert "byte" in FIELDS[name]["description"].lower()


@pytest.mark.parametrize("name", [name for name in FIELDS if name.endswith(("_at", "_until"))])
def test_a_field_of_a_time_says_which_clock(name):
    assert "UTC" in FIELDS[name]["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_object_says_what_it_is(name):
    assert SCHEMAS[name].get("description")


def refusals() -> list[type[Refusal]]:
    """Every refusal of the service; the tests may declare some of their own."""
    modules.import_all()
    found, kinds = [], [Refusal]
    while kinds:
        below = kinds.pop().__subclasses__()
        kinds += below
        found += [kind for kind in below if kind.__module__.startswith(("kimberly.", "memory.", "ops."))]
    return [kind for kind in found if not kind.__subclasses__()]


def test_each_problem_has_a_page_that_says_what_it_is(client):
    pages = {kind.slug: client.get(f"/problems/{kind.slug}") for kind in refusals()}

    assert {slug: page.status_code for slug, page in pages.items()} == dict.fromkeys(pages, 200)
    for kind in refusals():
        text = unescape(pages[kind.slug].content.decode())
        assert str(STATUS[kind.kind]) in text
        assert kind.title in text


def test_each_refusal_is_registered_by_a_name_of_its_own():
    """One without a slug would have a type that leads nowhere."""
    slugs = [kind.slug for kind in refusals()]

    assert "" not in slugs
    assert len(slugs) == len(set(slugs))
    assert set(slugs) <= set(Refusal.registry)
    assert {*slugs, "internal-error"} <= {str(one["slug"]) for one in problems()}


def test_an_unknown_problem_has_no_page(client):
    assert client.get("/problems/nothing").status_code == 404


def test_the_document_is_open_to_all_and_what_the_service_answers(client):
    response = client.get(f"{PREFIX}/openapi.json")

    assert response.status_code == 200
    assert set(response.json()["paths"]) == set(DOCUMENT["paths"])
