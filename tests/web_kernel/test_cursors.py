"""Cursors: opaque to clients, refused when they are anything but what was given."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimberly.lib.errors import Invalid
from kimberly.web.pagination import Order
from memory.models import MemoryItem
from tests.counts import rounds

BY_TIME = Order("-created_at", "created_at", descending=True, kind=datetime)
BY_SIZE = Order("size_bytes", "size_bytes", descending=False, kind=int)
BY_NAME = Order("name", "name", descending=False, kind=str)
MANY = settings(max_examples=rounds(200, 5_000), deadline=None, suppress_health_check=list(HealthCheck))
TIMES = st.datetimes(timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


TRIPLES = st.lists(JSON, min_size=3, max_size=3)


def encoded(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@MANY
@given(at=TIMES, key=st.uuids(), size=st.integers(-(2**63), 2**63 - 1), name=st.text(max_size=128))
def test_a_cursor_says_where_its_row_stood(at, key, size, name):
    row = {"id": key, "created_at": at, "size_bytes": size, "name": name.replace("\x00", "")}

    assert BY_TIME._decode(BY_TIME.cursor_at(row), "/cursor") == (at, key)
    assert BY_SIZE._decode(BY_SIZE.cursor_at(row), "/cursor") == (size, key)
    assert BY_NAME._decode(BY_NAME.cursor_at(row), "/cursor") == (row["name"], key)


@MANY
@given(
    cursor=st.text(max_size=60) | JSON.map(encoded) | st.lists(JSON, min_size=3, max_size=3).map(lambda x: encoded(*x))
)
def test_anything_else_is_refused_or_asks_the_database_a_question_it_can_answer(db, cursor):
    for order in (BY_TIME, BY_SIZE):
        with suppress(Invalid):
            list(order.apply(order.after(MemoryItem.objects.values("pk"), cursor))[:1])


@pytest.mark.parametrize(
    "parts",
    [
        ("size_bytes", 1, str(UUID(int=0))),
        ("-created_at", "2026-01-01T00:00:00", str(UUID(int=0))),
        ("-created_at", 1_700_000_000, str(UUID(int=0))),
        ("-created_at", None, str(UUID(int=0))),
        ("-created_at", "2026-01-01T00:00:00+00:00", "no uuid"),
        ("-created_at", "2026-01-01T00:00:00+00:00", 5),
        ("-created_at", "9999-12-31T23:59:59-23:59", str(UUID(int=0))),
        ("-created_at", "2026-01-01T00:00:00+00:00"),
        ("-created_at", "2026-01-01T00:00:00+00:00", str(UUID(int=0)), 1),
    ],
)
def test_a_cursor_that_was_tampered_with_is_refused(parts):
    with pytest.raises(Invalid):
        BY_TIME._decode(encoded(*parts), "/cursor")


@pytest.mark.parametrize("offset", ["+23:59", "-23:59", "+14:00", "+00:00:01"])
def test_a_cursor_of_an_odd_offset_is_a_time_like_any_other(db, offset):
    cursor = encoded("-created_at", f"2026-01-01T00:00:00{offset}", str(uuid4()))

    assert list(BY_TIME.after(MemoryItem.objects.values("pk"), cursor)) == []


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, True, 1.0, "1", None])
def test_a_size_past_64_bits_or_of_another_type_is_refused(number):
    with pytest.raises(Invalid):
        BY_SIZE._decode(encoded("size_bytes", number, str(uuid4())), "/cursor")


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**31])
def test_a_size_beyond_the_columns_own_is_compared_all_the_same(db, number):
    cursor = encoded("size_bytes", number, str(uuid4()))

    assert list(BY_SIZE.after(MemoryItem.objects.values("pk"), cursor)) == []


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_a_text_that_cannot_be_asked_for_is_refused(name):
    with pytest.raises(Invalid):
        BY_NAME._decode(encoded("name", name, str(uuid4())), "/cursor")
