"""The statement reads one user's rows by its indexes, however many others there are."""

import json
import re
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from memory.queries import retrieval
from memory.queries.retrieval import Narrowing, Search
from memory.rules.tiers import Tier
from memory.services.retrieval import vectors_of
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.personas import Person

pytestmark = pytest.mark.slow
QUESTION = "w410 w1500 w64 w7"
ITEMS = 300


@pytest.fixture
def crowd(committed_db):
    """Someone with some hundred items among others with 12,000; their sizes and places known to the planner."""
    alice, others = Person.register("alice"), Person.register("others")
    fill(alice, ITEMS)
    fill(others, 12_000)
    settle()
    yield alice
    everybody = [[alice.id, others.id]]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM memory_item WHERE user_id = ANY(%s)", everybody)
        cursor.execute("UPDATE usage_counter SET active_items = 0, active_bytes = 0 WHERE user_id = ANY(%s)", everybody)


def nodes_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", ()) for node in nodes_of(inner))]


def plan_of(person, narrowing=None, *, question=QUESTION, options="FORMAT JSON"):
    """The plan's nodes."""
    search = Search(
        user_id=person.id,
        query=question,
        vectors=vectors_of(question),
        top_k=10,
        narrowing=narrowing or Narrowing(),
        weights=retrieval.current_profile().weights,
    )
    text, parameters = search.statement()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}) {text}", parameters)
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    return nodes_of(plan[0]["Plan"])


def test_vectors_come_from_the_covering_index_alone(crowd):
    vectors = [node for node in plan_of(crowd) if node.get("Index Name") == "memory_item_vectors_ix"]

    assert vectors
    assert {node["Node Type"] for node in vectors} == {"Index Only Scan"}
    assert all("user_id" in node["Index Cond"] for node in vectors)


def test_words_are_looked_up_for_the_user_alone(crowd):
    words = [node for node in plan_of(crowd) if node.get("Index Name") == "memory_item_words_ix"]

    found = [node["Index Cond"] for node in words if "search_document" in node.get("Index Cond", "")]
    assert found
    assert all("user_id" in condition for condition in found)


narrowings = pytest.mark.parametrize(
    "narrowing",
    [Narrowing(), Narrowing(tags=("t",)), Narrowing(tier=Tier.LONG_TERM), Narrowing(include_archived=True)],
    ids=["plain", "tags", "tier", "archive"],
)


@narrowings
def test_the_table_is_never_read_from_end_to_end(crowd, narrowing):
    scans = [node for node in plan_of(crowd, narrowing) if node["Node Type"] == "Seq Scan"]

    assert [node["Relation Name"] for node in scans if node["Relation Name"] == "memory_item"] == []


def test_a_misspelt_word_is_compared_with_the_newest_thousand_only(crowd):
    fill(crowd, 1_200)

    plan = plan_of(crowd, question="seet", options="ANALYZE, TIMING OFF, FORMAT JSON")

    [newest] = [node for node in plan if node.get("Index Name") == "memory_item_list_ix"]
    assert newest["Actual Rows"] == 1_000


@pytest.fixture
def nothing_known():
    """A table that the planner has never looked at, as after the first load of a new database."""
    url = settings.KIMBERLY.owner_database_url or settings.KIMBERLY.database_url
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("SELECT pg_clear_relation_stats('public', 'memory_item')")
        raw.execute(
            "SELECT pg_clear_attribute_stats('public', 'memory_item', attname, FALSE) FROM pg_attribute"
            " WHERE attrelid = 'memory_item'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        yield
        raw.execute("ANALYZE memory_item")


def test_without_statistics_too_only_indexes_of_the_user_are_read(crowd, nothing_known):
    plan = [node for node in plan_of(crowd) if node.get("Relation Name") == "memory_item" or "Index Name" in node]

    conditions = [node["Index Cond"] for node in plan if "Index Cond" in node]
    assert conditions
    assert [one for one in conditions if "user_id" not in one and not one.startswith("(id = ")] == []
    assert "Seq Scan" not in [node["Node Type"] for node in plan]


REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def most_rows(plan):
    """The rows that the busiest node of an executed plan looked at."""
    return max(node["Actual Loops"] * sum(node.get(name, 0) for name in ("Actual Rows", *REMOVED)) for node in plan)


@narrowings
def test_without_statistics_too_the_work_does_not_grow_with_the_square_of_the_items(crowd, nothing_known, narrowing):
    plan = plan_of(crowd, narrowing, options="ANALYZE, TIMING OFF, FORMAT JSON")

    assert most_rows(plan) <= 2 * ITEMS * len(QUESTION.split())


def test_what_follows_in_a_session_is_looked_up_by_the_session(crowd, nothing_known):
    for narrowing in (Narrowing(), Narrowing(include_archived=True)):
        plan = plan_of(crowd, narrowing)

        [found] = [node for node in plan if node.get("Index Name") == "memory_item_session_ix"]
        assert re.search(r"session_key = hits\w*\.session_key.*ROW\(created_at, id\) >", found["Index Cond"])
