"""Querying one user's memories through HTTP, against the same statement alone, while others have a million items."""

import statistics
from collections.abc import Callable

import psycopg
from django.conf import settings
from django.db import connection, connections
from pgvector.psycopg.halfvec import register_halfvec_info
from psycopg.types import TypeInfo

from kimberly.lib import clock
from kimberly.local.databases import DATABASE
from memory.queries import retrieval
from memory.queries.retrieval import Narrowing, Search
from memory.services.retrieval import vectors_of
from tests import plugin
from tests.bench import load
from tests.bench.create import Section
from tests.bench.load import CLIENTS, Client, Result
from tests.bench.settling import settle
from tests.personas import Person, issue_key
from tests.web import WebServer

ROUNDS = 3
SECONDS = 3.0
SIZES = {1_000: 20, 10_000: 50, 60_000: 150}  # items of the user: the most p95 in milliseconds, one client
FEW, MANY = 10_000, 1_000_000  # items of others
LEAST_RATIO, STRETCH_RATIO, MOST_GROWTH = 0.60, 0.70, 1.1
WORDS = 5_000
QUESTIONS = ("w30 w410 w1500", "w7 w95 w2200 w3900", "w64 w700 w4100", "w250 w1000 w12")

# Words by Zipf's law, as in any language: few are common, most are rare. A session has twenty items.
FILL = """
INSERT INTO memory_item (
    user_id, tier, state, content, metadata, size_bytes, protected, version, created_at, changed_at, access_count,
    archive_reason, purge_reason, created_by, consent, embedding, embedding_model
)
SELECT
    %(user_id)s::uuid,
    'long-term',
    'active',
    (SELECT string_agg('w' || power(%(words)s::float8, random())::int, ' ') FROM generate_series(1, 20 + 0 * n)),
    jsonb_build_object('session', 's' || (n / 20)),
    150,
    FALSE,
    1,
    now() - n * interval '1 minute',
    now(),
    0,
    '',
    '',
    'bench',
    '',
    (SELECT array_agg(random() - 0.5) FROM generate_series(1, 256 + 0 * n))::real[]::halfvec,
    'wordllama:256'
FROM generate_series(1, %(items)s::int) AS n
"""


def fill(person: Person, items: int) -> None:
    """Give the person so many items, at once and past the services: a million through them would take an hour."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"user_id": person.id, "items": items, "words": WORDS})
        cursor.execute(
            "UPDATE usage_counter SET active_items = %s, active_bytes = %s WHERE user_id = %s AND tier = 'long-term'",
            [items, items * 150, person.id],
        )


def plain_sql(person: Person) -> Callable[[], None]:
    """The floor: the service's own statement on a connection of its own, its vectors made before."""
    url = settings.KIMBERLY.database_url
    raw = psycopg.connect(url, autocommit=True, prepare_threshold=0, options="-c work_mem=16MB")
    info = TypeInfo.fetch(raw, "halfvec")
    assert info is not None
    register_halfvec_info(raw, info)
    cursor = raw.cursor()
    weights = retrieval.current_profile().weights
    asked = [
        Search(
            user_id=person.id,
            query=question,
            vectors=vectors_of(question),
            top_k=10,
            narrowing=Narrowing(),
            weights=weights,
        ).statement()
        for question in QUESTIONS
    ]
    turn = 0

    def call() -> None:
        nonlocal turn
        turn += 1
        cursor.execute(*asked[turn % len(asked)])
        if len(cursor.fetchall()) != 10:
            raise RuntimeError("the floor's statement did not find ten items")

    return call


def client_of(web: WebServer, person: Person, key: str) -> Client:
    """Asks every question in turn."""
    bodies = [{"user_id": person.external_id, "query": question, "top_k": 10} for question in QUESTIONS]
    return Client.posting(web.port, "/api/v1/memory/query", key, *bodies, expected_status=200)


def measure() -> Section:
    """Eight clients against the floor at 1,000 items; one client at each size, beside few items of others and many.

    Few and many are two databases that are alike but for that, asked in turn: minutes apart, the machine's moods would
    be measured.
    """
    people = {items: Person.register(f"has-{items}", plan="bench", at=clock.utc_now()) for items in SIZES}
    for items, person in people.items():
        fill(person, items)
    others = Person.register("others", plan="bench", at=clock.utc_now())
    fill(others, FEW)
    key = issue_key()
    settle()
    beside_few = _copy_of_the_database()
    fill(others, MANY - FEW)
    settle()
    few: dict[int, list[Result]] = {items: [] for items in SIZES}
    many: dict[int, list[Result]] = {items: [] for items in SIZES}
    floors, services = [], []
    uncached = {"KIMBERLY_QUERY_CACHE_SECONDS": "0"}
    with (
        WebServer(environment=uncached) as web,
        WebServer(environment={**uncached, "DATABASE_URL": beside_few}) as other_web,
    ):
        for _ in range(ROUNDS):
            for items, person in people.items():
                few[items].append(_alone(other_web, person, key))
                many[items].append(_alone(web, person, key))
            floors.append(load.run(lambda _: plain_sql(people[1_000]), seconds=SECONDS))
            services.append(load.run_http([client_of(web, people[1_000], key)] * CLIENTS, seconds=SECONDS))
    return _section(few, many, floors, services)


def _copy_of_the_database() -> str:
    """The address of a database like this one as it is now. Nobody may be connected to what is copied."""
    connections.close_all()
    plugin.postgres().create_database("beside_few", template=DATABASE)
    return plugin.postgres().url(database="beside_few")


def _alone(web: WebServer, person: Person, key: str) -> Result:
    """One client."""
    return load.run_http([client_of(web, person, key)], seconds=SECONDS)


def _times(results: list[Result]) -> tuple[float, float]:
    """p50 and p95 in milliseconds, each the median of the rounds."""
    return statistics.median(r.p50_ms for r in results), statistics.median(r.p95_ms for r in results)


def _section(
    few: dict[int, list[Result]], many: dict[int, list[Result]], floors: list[Result], services: list[Result]
) -> Section:
    ratio = statistics.median(s.per_second / f.per_second for s, f in zip(services, floors, strict=True))
    passed = ratio >= LEAST_RATIO
    rows = []
    for items, most in SIZES.items():
        p50, p95 = _times(few[items])
        p50_many, p95_many = _times(many[items])
        # Of the means: the questions differ, and the middle one jumps between two of them.
        growth = statistics.median(f.per_second / m.per_second for f, m in zip(few[items], many[items], strict=True))
        few_text, many_text = f"{p50:.1f} / {p95:.1f} ms", f"{p50_many:.1f} / {p95_many:.1f} ms"
        rows.append(f"| {items:,} | {few_text} | {many_text} | {growth:.2f} | < {most} ms |")
        passed = passed and p95_many < most and growth <= MOST_GROWTH
    lines = "\n".join(rows)
    text = f"""## Query through HTTP

Cache off. One client, median of {len(floors)} rounds:

| items of the user | p50 / p95, others have {FEW:,} | p50 / p95, others have {MANY:,} | growth | target of p95 |
| --- | --- | --- | --- | --- |
{lines}

Eight clients on a user of 1,000 items, while others have {MANY:,}:

| | per second | p50 | p95 |
| --- | --- | --- | --- |
| floor: the same statement alone | {statistics.median(f.per_second for f in floors):,.0f} | | |
| service | {statistics.median(s.per_second for s in services):,.0f} \
| {statistics.median(s.p50_ms for s in services):.1f} ms | {statistics.median(s.p95_ms for s in services):.1f} ms |
| **ratio, median of {len(floors)} rounds** | **{ratio:.2f}** | | |
| target | >= {LEAST_RATIO:.2f} (stretch {STRETCH_RATIO:.2f}), growth <= {MOST_GROWTH} | | |

{"Reached." if passed else "Not reached."}"""
    return Section(text, passed)
