"""Plans read one user's rows by indexes, however many items and plans others have, and whatever the planner knows."""

import json
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from tests import sql
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.meditation.test_plan import WORDS_OF_EACH
from tests.personas import Person
from tests.pruning.planning import applied, plan_of, undone
from tests.retrieval.test_plan import nodes_of

pytestmark = pytest.mark.slow

ITEMS, OTHERS, LOADED = 300, 12_000, 4_000
ROWS_OF_MANY = {"memory_item", "prune_plan_item"}
ACTS = {"make": ["freeze_plan", "frozen_of_plan"], "apply": ["apply_plan"], "undo": ["plan_to_undo", "undo_plan"]}


def forget(*people):
    of_these = [person.id for person in people]
    listed = "SELECT id FROM prune_plan WHERE user_id = ANY(%s)"
    sql.run(f"DELETE FROM prune_plan_item WHERE plan_id IN ({listed})", of_these)
    for table in ("prune_plan", "memory_item"):
        sql.run(f"DELETE FROM {table} WHERE user_id = ANY(%s)", of_these)
    sql.change(
        "UPDATE usage_counter SET active_items = 0, active_bytes = 0, archived_items = 0, archived_bytes = 0 "
        "WHERE user_id = ANY(%s)", of_these,
    )  # fmt: skip


@contextmanager
def explained():
    """The plans of all statements about items and plans, each run twice: once to look at, and taken back."""
    found: list[tuple[str, list[dict[str, Any]]]] = []
    inside: list[str] = []

    def look(execute, text, parameters, many, context):
        if not inside and any(name in text for name in ("prune_plan_item", "memory_item")):
            inside.append(text)
            point = transaction.savepoint()
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", parameters)
                row = cursor.fetchone()[0]
            transaction.savepoint_rollback(point)
            inside.clear()
            found.append((text, nodes_of((json.loads(row) if isinstance(row, str) else row)[0]["Plan"])))
        return execute(text, parameters, many, context)

    with connection.execute_wrapper(look):
        yield found


def acts_of(person):
    """Make, apply and undo one plan of half; gives the statements of all with their plans."""
    with transaction.atomic(), explained() as found:
        plan = plan_of(person, share=0.5)
        applied(plan)
        undone(plan)
        transaction.set_rollback(True)
    assert len(found) >= sum(len(names) for names in ACTS.values())
    return found


@pytest.fixture
def crowd(committed_db):
    """Somebody with some hundred items among others with thousands, and a plan of all of those."""
    dana, others = Person.register("dana"), Person.register("others")
    fill(others, OTHERS)
    fill(dana, ITEMS)
    settle()
    plan_of(others, share=1.0)
    with psycopg.connect(settings.KIMBERLY.owner_database_url, autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) prune_plan, prune_plan_item")
    yield dana
    forget(dana, others)


def test_only_rows_of_the_user_are_touched(crowd):
    for text, nodes in acts_of(crowd):
        reads = [node for node in nodes if node.get("Relation Name") in ROWS_OF_MANY]
        scanned = [node["Relation Name"] for node in reads if node["Node Type"] == "Seq Scan"]
        assert scanned == [], text
        assert max(node["Actual Rows"] * node["Actual Loops"] for node in reads) <= ITEMS, text
        dropped = [node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in reads]
        assert max(dropped) <= ITEMS, text


@pytest.fixture
def loaded_at_once(committed_db):
    """Thousands of items are there where a moment ago were none: the planner has not looked since."""
    dana = Person.register("dana")
    settle()
    fill(dana, LOADED)
    yield dana
    forget(dana)


def test_right_after_a_large_load_nothing_is_compared_with_all_others(loaded_at_once):
    for text, nodes in acts_of(loaded_at_once):
        most = max(node["Actual Rows"] * node["Actual Loops"] for node in nodes)
        assert most <= 2 * LOADED * WORDS_OF_EACH, text
