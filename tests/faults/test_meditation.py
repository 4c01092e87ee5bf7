"""PostgreSQL restarted under a meditation: the run ends by itself, and nothing is done twice or half."""

import pytest

from tests.counts import rounds
from tests.meditation.workers import Beat, Worker
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("M2")]
USERS, ITEMS = 12, 8  # fewer than what the brakes would hold the run for
HEALED_SECONDS = 60
DONE = (
    "SELECT count(*) FROM meditation_shard AS s WHERE s.state = 'succeeded' AND s.run_id = ("
    "SELECT id FROM meditation_run ORDER BY created_at DESC LIMIT 1)"
)
BEAT_READS = "SELECT 1 FROM pg_stat_activity WHERE strpos(query, 'celery_beat') > 0 AND pid <> pg_backend_pid()"
ENDED = ("succeeded", "failed", "aborted", "held")


@pytest.fixture
def people(stack):
    """Users with memories whose life is over."""
    made = [stack.new_user(f"restarted{n}") for n in range(USERS)]
    with stack.client() as client:
        for user_id in made:
            items = [{"type": "short-term", "content": f"rare{n} and some more words"} for n in range(ITEMS)]
            answer = client.post("/api/v1/memory/bulk", json={"user_id": user_id, "items": items})
            assert answer.status_code in (200, 201, 207), answer.text
    stack.sql("UPDATE memory_item SET expires_at = now() - interval '1 hour' WHERE tier = 'short-term'")
    # The watch would begin the first night of a new installation: of everybody there is one run at a time.
    stack.sql("UPDATE django_celery_beat_periodictask SET enabled = FALSE WHERE task = 'memory.meditate_nightly'")
    return made


@pytest.mark.parametrize("nth", range(rounds(1, 5)))
def test_the_run_ends_by_itself_after_a_restart(stack, people, nth):
    environment = stack.environment()
    with stack.client() as client, Worker(environment=environment), Beat(environment=environment):
        # One that finds no database at its start ends, and is started again by whoever watches over it.
        until(lambda: stack.sql(BEAT_READS), what="beat to have read its schedules", limit_seconds=30)
        begun = client.post("/api/v1/memory/meditate", json={}, headers={"Idempotency-Key": f"restart-{nth}"})
        assert begun.status_code == 202, begun.text
        until(lambda: stack.sql(DONE)[0][0] >= nth % 2, what="some of it to be done")
        stack.postgres.stop("immediate" if nth % 2 else "fast")
        stack.postgres.restart()

        def ended():
            answer = client.get(begun.headers["location"])
            return answer.status_code == 200 and answer.json()["state"] in ENDED

        until(ended, what="the run to end by itself", limit_seconds=HEALED_SECONDS + 15)
        assert client.get(begun.headers["location"]).json()["state"] == "succeeded"

    twice = "SELECT item_id FROM meditation_decision GROUP BY item_id, run_id, act HAVING count(*) > 1"
    assert stack.sql(twice) == []
    [(decided,)] = stack.sql(
        "SELECT count(*) FROM meditation_decision AS d INNER JOIN memory_user AS u ON d.user_id = u.id "
        "WHERE u.external_id = ANY(%s) AND d.act IN ('archived', 'promoted')",
        people,
    )
    assert decided == USERS * ITEMS
