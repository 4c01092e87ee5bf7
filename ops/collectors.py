"""Facts that a scrape reads from PostgreSQL. Each collector is a function; adding one edits only the table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from kimberly.lib import clock, metrics
from kimberly.lib.metrics import Metric
from memory import metrics as memory_metrics
from memory.embedding import chosen
from memory.models import Plan
from memory.queries import meditations, retrieval, scoring, totals
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import RunState
from ops.models import InvariantCheck
from ops.services import invariants

DB_UP = metrics.database_gauge("kimberly_db_up", "1 when the database answered this scrape.")
VIOLATIONS = metrics.database_gauge(
    "kimberly_invariant_violations",
    "Violations that the last check of the invariant found.",
    {"invariant": tuple(invariants.CHECKS)},
)
CHAIN_VALID = metrics.database_gauge(
    "kimberly_audit_chain_valid", "1 when the last check found the audit chain whole, else 0."
)
APPLIED = metrics.database_gauge("django_migrations_applied", "Migrations that this database has.")
UNAPPLIED = metrics.database_gauge("django_migrations_unapplied", "Migrations of this code that the database lacks.")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one family."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class CollectorOf:
    """A function that reads samples, and how long its reading may be given again."""

    name: str
    read: Callable[[], Iterable[Sample]]
    cache_seconds: float


def _connection() -> Iterator[Sample]:
    """Nothing but the question whether the database answers; the exporter makes `kimberly_db_up` of the outcome."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield from ()


def _usage() -> Iterator[Sample]:
    for row in totals.by_tier(now=clock.utc_now()):
        tier = str(row.tier)
        yield Sample(memory_metrics.USED_BYTES, (tier,), row.used_bytes)
        yield Sample(memory_metrics.QUOTA_BYTES, (tier,), row.limit_bytes)
        yield Sample(memory_metrics.ITEMS, (tier, "active"), row.active_items)
        yield Sample(memory_metrics.ITEMS, (tier, "archived"), row.archived_items)
        yield Sample(memory_metrics.ITEMS, (tier, "protected"), row.protected_items)
        for band, users in row.bands.items():
            yield Sample(memory_metrics.QUOTA_BANDS, (tier, band), users)


def _measures() -> Iterator[Sample]:
    now = clock.utc_now()
    for plan, scope in product(Plan.objects.order_by("pk").values_list("pk", flat=True), ThrottleScope):
        memory_metrics.RATE_LIMITED.labels(str(scope), plan)  # plans are rows: their series begin at 0 from here on
    for tier, users in totals.users_refused(since=now - timedelta(minutes=10)).items():
        yield Sample(memory_metrics.USERS_REFUSED, (str(tier),), users)
    for tier, overrides in totals.overrides_in_force(now=now).items():
        yield Sample(memory_metrics.OVERRIDES_ACTIVE, (str(tier),), overrides)
    for scope, users in totals.users_throttled(now=now).items():
        yield Sample(memory_metrics.THROTTLED_USERS, (str(scope),), users)


def _embeddings() -> Iterator[Sample]:
    yield Sample(memory_metrics.EMBEDDINGS_MISSING, (), retrieval.without_current_vector(chosen.current().model))


def _meditation() -> Iterator[Sample]:
    for one in meditations.standing(now=clock.utc_now()):
        yield Sample(memory_metrics.MEDITATION_RUNNING, (one.trigger,), one.running_seconds)
        if one.last_seconds is not None:
            yield Sample(memory_metrics.MEDITATION_LAST_DURATION, (one.trigger,), one.last_seconds)
            has_succeeded = one.last_outcome is RunState.SUCCEEDED
            yield Sample(memory_metrics.MEDITATION_LAST_OUTCOME, (one.trigger,), has_succeeded)
        if one.last_success_at is not None:
            yield Sample(memory_metrics.MEDITATION_LAST_SUCCESS, (one.trigger,), one.last_success_at.timestamp())
    for decision, items in meditations.last_run_decisions().items():
        yield Sample(memory_metrics.MEDITATION_LAST_ITEMS, (decision,), items)
    yield Sample(memory_metrics.MEDITATION_VERSION, (str(scoring.current_profile().version),), 1)


def _meditation_backlog() -> Iterator[Sample]:
    backlog = meditations.backlog(now=clock.utc_now())
    yield Sample(memory_metrics.MEDITATION_BEHIND, (), backlog.users_behind)
    yield Sample(memory_metrics.MEDITATION_OLDEST_SCORE, (), backlog.oldest_seconds)
    yield Sample(memory_metrics.MEDITATION_SLOW, (), backlog.slow_seconds)


def _search_indexes() -> Iterator[Sample]:
    for index in retrieval.indexes(memory_metrics.SEARCH_INDEXES):
        yield Sample(memory_metrics.VECTOR_INDEX_VALID, (index.name,), index.is_valid)
        if index.size_bytes is not None:
            yield Sample(memory_metrics.VECTOR_INDEX_BYTES, (index.name,), index.size_bytes)


def _invariants() -> Iterator[Sample]:
    """What the last check found; before the first one there is nothing to say."""
    for row in InvariantCheck.objects.order_by("invariant"):
        yield Sample(VIOLATIONS, (row.invariant,), row.violations)
        if row.invariant == invariants.AUDIT_CHAIN:
            yield Sample(CHAIN_VALID, (), row.violations == 0)


def _migrations() -> Iterator[Sample]:
    executor = MigrationExecutor(connection)
    yield Sample(APPLIED, (), len(executor.loader.applied_migrations))
    yield Sample(UNAPPLIED, (), len(executor.migration_plan(executor.loader.graph.leaf_nodes())))


CONNECTION = "connection"
ALL = (
    CollectorOf(CONNECTION, _connection, 0),
    CollectorOf("usage", _usage, 60),
    CollectorOf("measures", _measures, 15),
    CollectorOf("embeddings", _embeddings, 60),
    CollectorOf("search_indexes", _search_indexes, 15),
    CollectorOf("meditation", _meditation, 15),
    CollectorOf("meditation_backlog", _meditation_backlog, 60),
    CollectorOf("invariants", _invariants, 15),
    CollectorOf("migrations", _migrations, 60),
)
NAMES = tuple(collector.name for collector in ALL)
