"""How far runs of the meditation are: the sums over their shards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import MeditationRun
from memory.rules.meditation import RunState


@dataclass(frozen=True, slots=True)
class Progress:
    """The sums over a run's shards. `heard_at` is the last sign of life, None before anybody took a shard;
    `undone_at` is when an undo of the whole run ended.
    """

    shards: int = 0
    shards_done: int = 0
    shards_failed: int = 0
    shards_running: int = 0
    users: int = 0
    users_done: int = 0
    users_failed: int = 0
    items_scored: int = 0
    kept: int = 0
    protected: int = 0
    promoted: int = 0
    archived: int = 0
    purged: int = 0
    freed_bytes: int = 0
    heard_at: datetime | None = None
    undone_at: datetime | None = None

    def users_per_minute(self, run: MeditationRun, *, now: datetime) -> float | None:
        """None before the first shard is done."""
        minutes = took(run, now=now) / timedelta(minutes=1)
        return self.users_done / minutes if self.users_done and minutes > 0 else None

    def left(self, run: MeditationRun, *, now: datetime) -> timedelta | None:
        """How long a running one goes on at this pace; None where nobody knows."""
        rate, waiting = self.users_per_minute(run, now=now), self.users - self.users_done - self.users_failed
        return timedelta(minutes=waiting / rate) if run.state == RunState.RUNNING and rate else None


def took(run: MeditationRun, *, now: datetime) -> timedelta:
    """From the run's beginning to its end, or until now."""
    return (run.ended_at or now) - (run.started_at or run.created_at)


def of(run_ids: Iterable[UUID]) -> dict[UUID, Progress]:
    """Of these runs, by their ids; one without shards is not among them."""
    asked = {"run_ids": list(run_ids)}
    return {row[0]: Progress(*row[1:]) for row in statements.fetch_all(statement(__file__, "progress_of_runs"), asked)}
