"""Who fills a tier fastest is read from the indexes of the samples, never from their table, however long history is."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from kimberly.db import statements
from kimberly.lib.sql import statement
from ops.queries import burst
from tests.personas import NOON

pytestmark = pytest.mark.slow

PEOPLE, HOURS = 300, 60
MARK = "crowd-of-samples"
CROWD_SQL = "SELECT id FROM memory_user WHERE starts_with(external_id, %(mark)s)"
PEOPLE_SQL = """
INSERT INTO memory_user (
    external_id, display_name, email, plan_id, state, purpose, time_zone, version, created_at, changed_at
)
SELECT %(mark)s || n, '', '', 'free', 'active', 'customer', 'UTC', 1, %(now)s, %(now)s
FROM generate_series(1, %(people)s::int) AS n
"""
COUNTERS_SQL = """
INSERT INTO usage_counter (user_id, tier, active_bytes, active_items, archived_bytes, archived_items)
SELECT u.id, t.tier, 1000, 1, 0, 0
FROM memory_user AS u
CROSS JOIN (VALUES ('short-term'), ('long-term'), ('permanent')) AS t (tier)
WHERE starts_with(u.external_id, %(mark)s)
"""
SAMPLES_SQL = """
INSERT INTO usage_sample (
    user_id, tier, hour, next_hour, active_bytes, active_items, archived_bytes, archived_items
)
SELECT c.user_id, c.tier, h, nullif(h + interval '1 hour', %(now)s::timestamptz + interval '1 hour'), 1000, 1, 0, 0
FROM usage_counter AS c
INNER JOIN memory_user AS u ON u.id = c.user_id AND starts_with(u.external_id, %(mark)s)
CROSS JOIN generate_series(%(now)s::timestamptz - %(hours)s::int * interval '1 hour', %(now)s, interval '1 hour') AS h
"""


@pytest.fixture
def crowd(committed_db):
    """Some hundred people whose every tier changed each hour, known to the planner."""
    parameters = {"mark": MARK, "now": NOON, "people": PEOPLE, "hours": HOURS}
    for text in (PEOPLE_SQL, COUNTERS_SQL, SAMPLES_SQL):
        statements.execute(text, parameters)
    with psycopg.connect(
        settings.KIMBERLY.owner_database_url or settings.KIMBERLY.database_url, autocommit=True
    ) as raw:
        raw.execute("VACUUM (ANALYZE) usage_sample, usage_counter, memory_user")
    yield
    for table in ("usage_sample", "usage_counter"):
        statements.execute(f"DELETE FROM {table} WHERE user_id IN ({CROWD_SQL})", parameters)
    statements.execute(f"DELETE FROM memory_user WHERE id IN ({CROWD_SQL})", parameters)


def nodes_of(plan):
    return [plan, *(node for inner in plan.get("Plans", ()) for node in nodes_of(inner))]


@pytest.mark.parametrize("hours", [1, 24])
def test_samples_come_from_their_indexes_alone(crowd, hours):
    parameters: dict[str, Any] = {
        "tier": "short-term", "hour": NOON - timedelta(hours=hours), "now": NOON, "hours": float(hours), "size": 20,
        "user_ids": [],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement(burst.__file__, 'fastest_users')}", parameters)
        [plan] = cursor.fetchone()[0]

    scans = [node for node in nodes_of(plan["Plan"]) if node.get("Relation Name") == "usage_sample"]
    assert {node["Node Type"] for node in scans} == {"Index Only Scan"}
    assert {node["Index Name"] for node in scans} == {"usage_sample_newest_uq", "usage_sample_next_hour_ix"}
