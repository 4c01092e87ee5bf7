"""Long work as whoever asked for it may follow it: how far a meditation is, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from memory.models import MeditationRun, MeditationShard
from memory.rules.meditation import RunState, ShardState, Trigger

ENDED = Q(state__in=(ShardState.SUCCEEDED, ShardState.FAILED))
SUMS = ("users_done", "items_scored", "promoted", "archived", "purged", "freed_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is done of a run. `seconds_left` goes by the rate so far; None when there is none yet, or nothing moves."""

    shards_total: int
    shards_done: int
    shards_failed: int
    users_total: int
    users_done: int
    items_scored: int
    promoted: int
    archived: int
    purged: int
    freed_bytes: int
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A run of the meditation. `external_id` is None for a run of all customers; `error` is empty without one."""

    public_id: str
    trigger: Trigger
    external_id: str | None
    state: RunState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str
    progress: Progress


def of_any(run_id: UUID, *, now: datetime) -> Operation | None:
    """Whoever's run it is; None when there is none."""
    return _operation(MeditationRun.objects.filter(pk=run_id), now)


def of_user(run_id: UUID, *, user_id: UUID, now: datetime) -> Operation | None:
    """A run about this user alone; None for any other."""
    return _operation(MeditationRun.objects.filter(pk=run_id, user_id=user_id), now)


def of_run(run: MeditationRun, *, now: datetime) -> Operation:
    """The run as an operation."""
    external_id = run.user.external_id if run.user else None
    return Operation(
        run.public_id, Trigger(run.trigger), external_id, RunState(run.state),
        run.created_at, run.started_at, run.ended_at, run.error, _progress(run, now),
    )  # fmt: skip


def _operation(runs: QuerySet[MeditationRun], now: datetime) -> Operation | None:
    run = runs.select_related("user").first()
    return of_run(run, now=now) if run else None


def _progress(run: MeditationRun, now: datetime) -> Progress:
    found = MeditationShard.objects.filter(run=run).aggregate(
        shards_total=Count("pk"),
        shards_done=Count("pk", filter=Q(state=ShardState.SUCCEEDED)),
        shards_failed=Count("pk", filter=Q(state=ShardState.FAILED)),
        users=Sum(F("user_ids__len"), default=0),
        users_ended=Sum(F("user_ids__len"), filter=ENDED, default=0),
        later=Sum("users_left", default=0),
        **{f"{name}_sum": Sum(name, default=0) for name in SUMS},
    )
    # Who was left to a later shard stands in two of them.
    users_total = found["users"] - found["later"]
    return Progress(
        users_total=users_total,
        seconds_left=_seconds_left(run, found["users_ended"], found["users"], now),
        **{name: found[name] for name in ("shards_total", "shards_done", "shards_failed")},
        **{name: found[f"{name}_sum"] for name in SUMS},
    )


def _seconds_left(run: MeditationRun, ended: int, users: int, now: datetime) -> int | None:
    if run.ended_at is not None:
        return 0
    if run.state != RunState.RUNNING or run.started_at is None or not ended:
        return None
    return round((now - run.started_at).total_seconds() * (users - ended) / ended)
