"""Scoring reads one user's items by an index, however many others there are, and compares no word with all others."""

import json
from typing import Any

import pytest
from django.db import connection

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import MemoryItem
from memory.queries import scoring
from memory.services import meditation
from tests import sql
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.personas import Person
from tests.retrieval.test_plan import nodes_of

pytestmark = pytest.mark.slow
ITEMS, OTHERS, LOADED = 300, 12_000, 4_000
WORDS_OF_EACH = 20  # at most: one that comes twice counts once


@pytest.fixture
def loaded(committed_db):
    """Someone into whose account thousands of items were just loaded: the planner has not looked since."""
    dana, others = Person.register("dana"), Person.register("others")
    fill(others, OTHERS)
    settle()
    fill(dana, ITEMS)
    yield dana
    everybody = [dana.id, others.id]
    sql.change("DELETE FROM memory_item WHERE user_id = ANY(%s)", everybody)
    sql.change("UPDATE usage_counter SET active_items = 0, active_bytes = 0 WHERE user_id = ANY(%s)", everybody)


def scored(*people) -> list[dict[str, Any]]:
    """The plan's nodes, as they ran in the transaction of a meditation."""
    parameters: dict[str, Any] = {
        "user_ids": [person.id for person in people],
        **scoring.current_profile().parameters(),
    }
    text = statement(meditation.__file__, "scored_items")
    with statements.without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", parameters)
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    return nodes_of(plan[0]["Plan"])


def test_only_the_users_own_items_are_read(loaded):
    reads = [node for node in scored(loaded) if node.get("Relation Name") == MemoryItem._meta.db_table]

    assert reads
    assert {node["Node Type"] for node in reads} <= {"Index Scan", "Bitmap Heap Scan", "Index Only Scan"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in reads) == ITEMS


@pytest.fixture
def loaded_at_once(committed_db):
    """Thousands of items are there where a moment ago were none."""
    dana = Person.register("dana")
    settle()
    fill(dana, LOADED)
    yield dana
    sql.change("DELETE FROM memory_item WHERE user_id = ANY(%s)", [dana.id])
    sql.change("UPDATE usage_counter SET active_items = 0, active_bytes = 0 WHERE user_id = ANY(%s)", [dana.id])


def test_right_after_a_large_load_no_word_is_compared_with_all_others(loaded_at_once):
    nodes = scored(loaded_at_once)

    most = max(node["Actual Rows"] * node["Actual Loops"] for node in nodes)
    assert most <= 2 * LOADED * WORDS_OF_EACH
