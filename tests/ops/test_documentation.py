"""The documentation page tells all that the API's description holds, and every problem's address answers."""

import re

import pytest

from kimberly.api import api
from kimberly.lib.errors import Refusal
from ops.views.openapi import Description
from tests.ops.portal import text_of

DOCS = "/api/v1/docs"


@pytest.fixture(scope="module")
def schema():
    return api.get_openapi_schema(path_prefix="/api/v1")


def test_every_operation_is_told_with_its_fields_and_answers(stranger, schema, db):
    text = text_of(stranger.opens(DOCS))

    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert f"{operation['summary']} {method.upper()} {path}" in text
            for parameter in operation.get("parameters", ()):
                assert f"{parameter['name']} in the {parameter['in']}" in text


def test_every_field_of_every_object_has_a_sentence_and_an_example(schema):
    for thing in Description(schema).things:
        for field in thing.fields:
            assert field.about, f"{thing.name}.{field.name}"
            assert field.example, f"{thing.name}.{field.name}"


def test_each_reference_leads_to_an_object_of_the_page(stranger, db):
    body = stranger.opens(DOCS).content.decode()

    targets = set(re.findall(r'href="#([^"]+)"', body))
    assert len(targets) > 20
    assert targets - set(re.findall(r'id="([^"]+)"', body)) == set()


def test_the_page_needs_no_script_and_no_other_host(stranger, db):
    body = stranger.opens(DOCS).content.decode()

    assert set(re.findall(r'<script[^>]*src="([^"]+)"', body)) == {"/static/admin/js/theme.js"}
    assert [link for link in re.findall(r'(?:src|href)="([^"]+)"', body) if "://" in link] == []


def test_an_example_of_a_body_is_one_that_the_api_would_take(schema):
    create = next(one for one in Description(schema).operations if one.id == "write_item")

    assert '"type": "long-term"' in create.body_example
    assert '"content": "Prefers the window seat on long flights."' in create.body_example
    assert '"usage": {' in create.answer_example


@pytest.mark.parametrize("slug", sorted({*Refusal.registry, "internal-error"}))
def test_each_type_of_problem_has_a_page(stranger, slug, db):
    text = text_of(stranger.opens(f"/problems/{slug}"))

    assert f"Type {slug} Status" in text


def test_a_type_that_is_none_has_no_page(stranger, db):
    assert stranger.opens("/problems/of-mine").status_code == 404


def test_a_problem_page_opens_without_a_database(client):
    assert client.get("/problems/quota-exceeded").status_code == 200
