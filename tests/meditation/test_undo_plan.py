"""What was decided of one user is read by an index, however many others the run had and however many runs were."""

import json

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from kimberly.lib.sql import statement
from memory.models import MeditationRun
from memory.rules.meditation import RunState, Trigger
from memory.services import meditationundo
from tests import sql
from tests.bench.query import fill
from tests.personas import NOON, TESTER, Person
from tests.retrieval.test_plan import nodes_of

pytestmark = pytest.mark.slow
DECIDED = """
    INSERT INTO meditation_decision
        (run_id, user_id, item_id, act, reason, tier, size_bytes, inputs, item_version, decided_at, undone_by)
    SELECT %s::uuid, user_id, id, 'archived', 'soft-limit', tier, size_bytes, '{}', 2, %s, ''
    FROM memory_item WHERE user_id = ANY(%s)
"""


@pytest.fixture
def runs(committed_db):
    """Two runs that each decided 40 items of dana's and 4,000 of others; known to the planner."""
    dana, others = Person.register("dana"), Person.register("others")
    fill(dana, 40)
    fill(others, 4_000)
    of_these, made = [dana.id, others.id], []
    for _ in range(2):
        run = MeditationRun.objects.create(
            trigger=Trigger.MANUAL, state=RunState.SUCCEEDED, user_id=dana.id, profile_version=1, created_at=NOON,
            created_by=str(TESTER), ended_at=NOON,
        )  # fmt: skip
        sql.change(DECIDED, run.pk, NOON, of_these)
        made.append(run)
    with psycopg.connect(settings.KIMBERLY.owner_database_url, autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) memory_item, meditation_decision")
    yield dana, made
    for table in ("meditation_decision", "memory_item"):
        sql.change(f"DELETE FROM {table} WHERE user_id = ANY(%s)", of_these)
    sql.change("UPDATE usage_counter SET active_items = 0, active_bytes = 0 WHERE user_id = ANY(%s)", of_these)


def test_one_users_part_of_a_run_is_read_by_their_index(runs):
    dana, (run, _) = runs
    parameters = {"run_id": run.pk, "user_id": dana.id, "item_ids": None, "now": NOON}

    with connection.cursor() as cursor:
        text = statement(meditationundo.__file__, "decided_in_run")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", parameters)
        found = cursor.fetchone()[0]

    plan = json.loads(found) if isinstance(found, str) else found
    reads = [node for node in nodes_of(plan[0]["Plan"]) if node.get("Index Name", "").startswith("meditation_decision")]
    assert [node["Index Name"] for node in reads] == ["meditation_decision_user_ix"]
    assert max(node["Actual Rows"] for node in nodes_of(plan[0]["Plan"])) <= 80
