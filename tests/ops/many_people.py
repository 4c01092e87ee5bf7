"""So many people that an index is worth reading, for tests that look at a plan."""

from django.db import connection

MANY = """
    INSERT INTO memory_user (
        external_id, display_name, email, plan_id, state, purpose, time_zone, version,
        created_at, changed_at
    )
    SELECT
        'acct-' || n, 'Name' || n || ' Last' || n, n || '@example.org', 'free', 'active', 'customer', 'UTC', 1,
        now(), now()
    FROM generate_series(1, 3000) AS n
"""


def make_many() -> None:
    """Make them, and have PostgreSQL look: else what the planner knows is what other tests left."""
    with connection.cursor() as cursor:
        cursor.execute(MANY)
        cursor.execute("ANALYZE memory_user")
