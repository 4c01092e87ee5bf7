"""The strict JSON parser: what is valid is read as Python reads it, what is not is refused and never breaks."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kimberly.lib.errors import Invalid
from kimberly.web import bodies
from kimberly.web.bodies import BodyTooLarge, UnreadableBody, UnsupportedBody
from tests.counts import rounds
from tests.web_kernel.requests import request_with

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)
MANY = settings(max_examples=rounds(300, 10_000), deadline=None)


def levels_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(levels_of, value.values()), default=0)
    return 1 + max(map(levels_of, value), default=0) if isinstance(value, list) else 0


@MANY
@given(value=VALUES, escaped=st.booleans(), indent=st.none() | st.integers(0, 2))
def test_what_is_valid_is_read_as_python_reads_it(value, escaped, indent):
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)

    if levels_of(value) <= bodies.MAX_DEPTH:
        parsed = bodies.parse(text.encode())

        assert parsed == json.loads(text)
        assert json.dumps(parsed) == json.dumps(json.loads(text))


@MANY
@given(raw=st.binary(max_size=60))
@example(raw=b"[" * 100_000)
@example(raw=b'{"":' * 100_000)
@example(raw=b"-")
@example(raw=b'"\\ud800"')
def test_any_bytes_are_read_or_refused(raw):
    try:
        parsed = bodies.parse(raw)
    except (UnreadableBody, Invalid):
        return

    json.dumps(parsed, allow_nan=False).encode()


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"\\u0000"',
    '"\\ud83d"',
    "1",
    "1e999",
    "NaN",
    "-Infinity",
    "9" * 25,
    "null",
]


@MANY
@given(text=st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_what_is_read_is_finite_fits_64_bits_and_can_be_written_again(text):
    try:
        parsed = bodies.parse(text.encode())
    except (UnreadableBody, Invalid):
        return

    for leaf in leaves_of(parsed):
        assert not isinstance(leaf, float) or math.isfinite(leaf)
        assert not isinstance(leaf, int) or -(2**63) <= leaf < 2**63
        assert not isinstance(leaf, str) or leaf.encode().count(b"\x00") == 0


def leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for pair in value.items() for part in pair for leaf in leaves_of(part)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves_of(inner)]
    return [value]


@pytest.mark.parametrize("levels", [1, 19, 20])
def test_20_levels_are_read(levels):
    assert levels_of(bodies.parse(b"[" * levels + b"]" * levels)) == levels


def test_the_21st_level_is_refused_where_it_begins():
    with pytest.raises(Invalid) as refusal:
        bodies.parse(b"[" * 21 + b"]" * 21)

    assert refusal.value.errors == (("/0" * 20, "has more than 20 levels"),)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"a": {"b": [0, NaN]}}', "/a/b/1"),
        ('{"a~/b": 1e999}', "/a~0~1b"),
        ('{"": {"": "\\u0000"}}', "//"),
        ('[1, {"x": 9223372036854775808}]', "/1/x"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "/b/c"),
        ('"\\ud800"', ""),
    ],
)
def test_a_value_that_cannot_be_kept_is_named_by_its_pointer(text, pointer):
    with pytest.raises(Invalid) as refusal:
        bodies.parse(text.encode())

    assert [error[0] for error in refusal.value.errors] == [pointer]


def test_every_fault_is_named_up_to_twenty():
    with pytest.raises(Invalid) as few:
        bodies.parse(b'{"a": NaN, "b": "\\u0000"}')
    with pytest.raises(Invalid) as many:
        bodies.parse(f"[{','.join(['NaN'] * 100)}]".encode())

    assert [pointer for pointer, _ in few.value.errors] == ["/a", "/b"]
    assert len(many.value.errors) == 20


def test_the_refusal_of_a_body_that_is_no_json_says_where_it_stops_making_sense():
    with pytest.raises(UnreadableBody) as refusal:
        bodies.parse(b'{"a": 1,\n "b"}')

    assert "line 2, column 5" in refusal.value.detail


def test_the_refusal_of_a_body_that_is_no_utf8_names_the_byte():
    with pytest.raises(UnreadableBody) as refusal:
        bodies.parse(b'{"a": "\xff"}')

    assert "byte 7" in refusal.value.detail


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON ; charset=UTF-8", 'application/json; charset="utf-8"']
)
def test_json_in_utf8_is_read(media_type):
    assert bodies.read_json(request_with(b"{}", CONTENT_TYPE=media_type), limit_bytes=10) == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"CONTENT_TYPE": "text/plain"},
        {"CONTENT_TYPE": "application/json; charset=latin-1"},
        {"CONTENT_TYPE": ""},
        {"CONTENT_TYPE": "application/json", "HTTP_CONTENT_ENCODING": "gzip"},
    ],
)
def test_anything_else_is_refused_before_it_is_read(headers):
    with pytest.raises(UnsupportedBody):
        bodies.read_json(request_with(b"{}", unread=True, **headers), limit_bytes=10)


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_refused():
    exactly, more = b" " * 8 + b"{}", b" " * 9 + b"{}"

    assert bodies.read(request_with(exactly), limit_bytes=10) == exactly
    with pytest.raises(BodyTooLarge):
        bodies.read(request_with(more, unread=True), limit_bytes=10)


def test_a_body_of_undeclared_length_is_read_up_to_one_byte_past_the_limit():
    request = request_with(b"x" * 1_000, CONTENT_LENGTH="")

    with pytest.raises(BodyTooLarge):
        bodies.read(request, limit_bytes=10)

    assert request.META["wsgi.input"].tell() == 11


def test_a_body_that_is_shorter_than_its_declared_length_is_refused():
    with pytest.raises(UnreadableBody) as refusal:
        bodies.read(request_with(b"{}", CONTENT_LENGTH="10"), limit_bytes=10)

    assert "2 of 10 bytes" in refusal.value.detail
