"""The portal's pages with many users: server time of each, with nothing remembered from one call to the next."""

import html
import re
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urljoin

from django.db import connection

from kimberly.lib import clock
from kimberly.lib.remember import forget_everything
from memory.services import samples
from ops.roles import Role
from tests.bench.create import Section
from tests.bench.settling import settle
from tests.ops.portal import Portal, user_page
from tests.personas import Person, hire

PEOPLE, ITEMS_OF_EACH, ITEMS_OF_ONE = 100_000, 10, 10_000
CALLS, PAGES_ON = 40, 5
MOST_OF_A_LIST_MS, MOST_OF_A_USER_MS, MOST_OF_THE_OVERVIEW_MS = 150, 200, 300

PEOPLE_SQL = """
INSERT INTO memory_user (
    external_id, display_name, email, plan_id, state, purpose, time_zone, version, created_at, changed_at
)
SELECT
    'acct-' || n,
    (ARRAY['Dana', 'Olu', 'Ines', 'Tomasz', 'Aiko', 'Priya', 'Sven', 'Leila'])[1 + n %% 8] || ' ' || md5(n::text),
    md5(n::text) || '@example.org',
    'free',
    CASE WHEN n %% 997 = 0 THEN 'suspended' ELSE 'active' END,
    'customer',
    'UTC',
    1,
    now() - n * interval '1 minute',
    now()
FROM generate_series(1 + %(before)s::int, %(people)s::int + %(before)s::int) AS n
"""
ITEMS_SQL = """
INSERT INTO memory_item (
    user_id, tier, state, content, metadata, size_bytes, protected, version, created_at, changed_at, access_count,
    archive_reason, purge_reason, created_by, consent
)
SELECT
    u.id, 'long-term', 'active', 'memory ' || n, '{}', 20, FALSE, 1, now() - n * interval '1 minute', now(), 0, '', '',
    'bench', ''
FROM memory_user AS u CROSS JOIN generate_series(1, %(items)s::int) AS n
WHERE starts_with(u.external_id, %(whose)s)
"""
# One in twenty is over soft, one in a hundred over hard.
COUNTERS_SQL = """
INSERT INTO usage_counter (user_id, tier, active_bytes, active_items, archived_bytes, archived_items)
SELECT
    u.id,
    p.tier,
    CASE
        WHEN place %% 100 = 7 THEN p.hard_bytes + place %% 1000
        WHEN place %% 20 = 3 THEN p.soft_bytes + place %% 1000
        ELSE 200 + place %% (p.soft_bytes / 2)
    END,
    10,
    0,
    0
FROM (
    SELECT id, plan_id, row_number() OVER (ORDER BY id) AS place
    FROM memory_user WHERE starts_with(external_id, 'acct-')
) AS u
INNER JOIN tier_policy AS p ON u.plan_id = p.plan_id
ON CONFLICT DO NOTHING
"""
# Each hour another tenth of the people writes.
GROW_SQL = """
UPDATE usage_counter SET active_bytes = active_bytes + 100 + abs(hashtext(user_id::text)) %% 5000
WHERE abs(hashtext(user_id::text)) %% 10 = %(hour)s
"""
THROTTLES_SQL = """
INSERT INTO throttle (
    user_id, tier, scope, mode, per_minute, period, planned_end_at, reason, ticket, created_by, created_by_label,
    created_at, ended_by
)
SELECT
    id, '', 'write', 'rate', 10, tstzrange(now() - interval '1 hour', now() + interval '1 day'),
    now() + interval '1 day', 'made by the benchmark', '', 'bench', '', now(), ''
FROM memory_user WHERE starts_with(external_id, 'acct-9')
LIMIT 500
"""
REFUSALS_SQL = """
INSERT INTO refusal (
    user_id, kind, tier, needed_bytes, used_bytes, room_bytes, limit_bytes, source, source_id, request_id, refused_at,
    last_refused_at, times
)
SELECT id, 'quota', 'short-term', 100, 1000, 0, 1000, 'plan', 'free', '', now(), now(), 1
FROM memory_user WHERE starts_with(external_id, 'acct-5')
LIMIT 5000
"""
LISTS = (
    "/ops/find/?q=da",
    "/ops/find/?q=dana+c4",
    "/ops/users/",
    *(
        f"/ops/users/?show={show}"
        for show in ("attention", "over-soft", "over-hard", "throttled", "refused-today", "suspended")
    ),
    "/ops/users/?show=over-soft&tier=long-term&sort=long-term",
    "/ops/users/?q=dana&show=over-soft",
    "/ops/refusals/",
    "/ops/burst/",
    "/ops/burst/?tier=long-term&over=24h",
    "/ops/expiring/",
)
OF_ONE = ("", "?range=90d", "?tab=items", "?tab=history", "search/")


def furnish() -> Person:
    """A hundred thousand people with a million items, in every state that a list asks for; and one with many items."""
    one = Person.register("has-many", at=clock.utc_now())
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE_SQL, {"people": PEOPLE, "before": 0})
        # A foreign key is checked by a plan that is kept: counted when there was nobody, it would read all of them.
        settle()
        cursor.execute(ITEMS_SQL, {"items": ITEMS_OF_EACH, "whose": "acct-"})
        cursor.execute(ITEMS_SQL, {"items": ITEMS_OF_ONE, "whose": "has-many"})
        cursor.execute(COUNTERS_SQL, {})
        for hours in (3, 2, 1):
            samples.take(now=clock.utc_now() - timedelta(hours=hours))
            cursor.execute(GROW_SQL, {"hour": hours})
        cursor.execute(THROTTLES_SQL)
        cursor.execute(REFUSALS_SQL)
    settle()
    return one


def measure() -> Section:
    """Each page first and where its links for the next page lead, as somebody with all roles sees it."""
    one = furnish()
    portal = Portal(hire("bench", *Role), SERVER_NAME="127.0.0.1")
    rows, passed = [], True
    for path, most_ms in _addresses(portal, one):
        took = [_call(portal, path) for _ in range(CALLS)]
        cuts = statistics.quantiles(took, n=100)
        shown = re.sub(
            "cursor=[^&]*", f"cursor={PAGES_ON}-pages-on", path.replace(user_page(one), "/ops/users/<user>/")
        )
        rows.append(f"| `{shown}` | {cuts[49]:.0f} | {cuts[94]:.0f} | < {most_ms} |")
        passed = passed and cuts[94] < most_ms
    lines = "\n".join(rows)
    text = f"""## The portal's pages

Server time in milliseconds at {PEOPLE:,} users and {PEOPLE * ITEMS_OF_EACH:,} items, {CALLS} calls each, nothing \
remembered between them. The user has {ITEMS_OF_ONE:,} items.

| page | p50 | p95 | target of p95 |
| --- | --- | --- | --- |
{lines}

{"Reached." if passed else "Not reached."}"""
    return Section(text, passed)


def _addresses(portal: Portal, one: Person) -> Iterator[tuple[str, int]]:
    yield "/ops/", MOST_OF_THE_OVERVIEW_MS  # no list; as it is each 15 s, when what it remembers has aged
    for path in LISTS:
        yield path, MOST_OF_A_LIST_MS
        page = portal.opens(path).content.decode()
        for _ in range(PAGES_ON):
            following = re.search(r'rel="next" href="([^"]*)"', page)
            if following is None:
                break
            later = urljoin(path, html.unescape(following[1]))
            page = portal.opens(later).content.decode()
        else:
            yield later, MOST_OF_A_LIST_MS
    for part in OF_ONE:
        yield user_page(one) + part, MOST_OF_A_USER_MS


def _call(portal: Portal, path: str) -> float:
    """How long the server took, in milliseconds."""
    forget_everything()
    begun = time.perf_counter()
    answer = portal.opens(path)
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return took
