"""Creating one memory through HTTP, against the same statement alone."""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.conf import settings
from pgvector.psycopg.halfvec import register_halfvec_info
from psycopg.types import TypeInfo

from kimberly.lib import clock
from kimberly.lib.sql import statement
from memory.models import Plan, TierPolicy
from memory.rules.tiers import Tier
from memory.services import embeddings, quotas
from tests.bench import load
from tests.bench.load import CLIENTS, Client, Result
from tests.personas import Person, issue_key
from tests.web import WebServer

ROUNDS = 5
LEAST_RATIO, STRETCH_RATIO, MOST_P95_MS = 0.30, 0.35, 20
CONTENT = "Prefers the window seat on long flights, and a vegetarian meal when there is one to be had. " * 2
METADATA = {"tags": ["travel", "food"], "source": "chat", "session": "s-1"}


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the document."""

    text: str
    passed: bool


def measure() -> Section:
    """Alternate the floor and the service, round by round, so that the machine's moods meet both."""
    people = make_people()
    key = issue_key()
    floors: list[Result] = []
    services: list[Result] = []
    with WebServer() as web:
        clients = [Client.posting(web.port, "/api/v1/memory", key, _body(person)) for person in people]
        for _ in range(ROUNDS):
            floors.append(load.run(lambda number: plain_sql(people[number])))
            services.append(load.run_http(clients))
    return _section(floors, services)


def make_people() -> list[Person]:
    """One user a client, on a plan whose rates and bytes do not end the run."""
    Plan.objects.create(slug="bench", name="Bench", write_per_minute=10_000_000, query_per_minute=10_000_000)
    room = 1 << 36
    for tier in Tier:
        TierPolicy.objects.create(
            plan_id="bench",
            tier=tier,
            soft_bytes=room,
            hard_bytes=room,
            archived_bytes=room,
            life_seconds=86400 if tier is Tier.SHORT_TERM else None,
            changed_at=clock.utc_now(),
        )
    return [Person.register(f"client-{number}", plan="bench") for number in range(CLIENTS)]


def _body(person: Person) -> dict[str, object]:
    return {"user_id": person.external_id, "type": "long-term", "content": CONTENT, "metadata": METADATA}


def plain_sql(person: Person) -> Callable[[], None]:
    """The floor: the service's own statement on a connection of its own."""
    text = statement(quotas.__file__, "store_item")
    connection = psycopg.connect(settings.KIMBERLY.database_url, autocommit=True, prepare_threshold=0)
    info = TypeInfo.fetch(connection, "halfvec")
    assert info is not None
    register_halfvec_info(connection, info)
    cursor = connection.cursor()
    [embedded] = embeddings.of_texts([CONTENT]) or []
    parameters = {
        "user_id": person.id,
        "tier": "long-term",
        "content": CONTENT,
        "metadata": json.dumps(METADATA),
        "size_bytes": 300,
        "protected": False,
        "created_by": "bench",
        "embedding": embedded.vector,
        "embedding_model": embedded.model,
    }

    def call() -> None:
        now = clock.utc_now()
        cursor.execute(text, {**parameters, "now": now, "created_at": now})
        if cursor.fetchone() is None:
            raise RuntimeError("the floor's statement stored nothing")

    return call


def _section(floors: list[Result], services: list[Result]) -> Section:
    ratios = [service.per_second / floor.per_second for floor, service in zip(floors, services, strict=True)]
    ratio, p95 = statistics.median(ratios), statistics.median(service.p95_ms for service in services)
    floor = statistics.median(result.per_second for result in floors)
    service = statistics.median(result.per_second for result in services)
    passed = ratio >= LEAST_RATIO and p95 < MOST_P95_MS
    rounds = ", ".join(f"{one:.2f}" for one in sorted(ratios))
    text = f"""## Create through HTTP, {CLIENTS} clients

With API keys, throttles, rate limits, metrics and request log; two web processes; each client writes for its own user.

| | per second | p50 | p95 |
| --- | --- | --- | --- |
| floor: the same statement alone, {CLIENTS} connections | {floor:,.0f} | | |
| service | {service:,.0f} | {statistics.median(r.p50_ms for r in services):.1f} ms | {p95:.1f} ms |
| **ratio, median of {len(ratios)} rounds** | **{ratio:.2f}** | | |
| target | >= {LEAST_RATIO:.2f} (stretch {STRETCH_RATIO:.2f}) | | < {MOST_P95_MS} ms |

Rounds: {rounds}. {"Reached." if passed else "Not reached."}"""
    return Section(text, passed)
