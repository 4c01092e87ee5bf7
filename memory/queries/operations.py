"""Long work as whoever asked for it may follow it: how far a meditation is, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from memory.models import MeditationRun
from memory.queries import runprogress
from memory.queries.runprogress import Progress
from memory.rules.meditation import RunState, Trigger


@dataclass(frozen=True, slots=True)
class Operation:
    """A run of the meditation. `external_id` is None for a run of many, `cohort` is empty for one that is not of some,
    `error` without one. `seconds_left` goes by the rate so far; None when there is none yet, or nothing moves.
    """

    public_id: str
    trigger: Trigger
    external_id: str | None
    cohort: Mapping[str, Any]
    state: RunState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str
    progress: Progress
    seconds_left: int | None


def of_any(run_id: UUID, *, now: datetime) -> Operation | None:
    """Whoever's run it is; None when there is none."""
    return _operation(MeditationRun.objects.filter(pk=run_id), now)


def of_user(run_id: UUID, *, user_id: UUID, now: datetime) -> Operation | None:
    """A run about this user alone; None for any other."""
    return _operation(MeditationRun.objects.filter(pk=run_id, user_id=user_id), now)


def of_run(run: MeditationRun, *, now: datetime) -> Operation:
    """The run as an operation."""
    external_id = run.user.external_id if run.user else None
    progress = runprogress.of([run.pk]).get(run.pk, Progress())
    left = progress.left(run, now=now)
    seconds_left = 0 if run.ended_at is not None else round(left.total_seconds()) if left is not None else None
    return Operation(
        run.public_id, Trigger(run.trigger), external_id, run.cohort, RunState(run.state),
        run.created_at, run.started_at, run.ended_at, run.error, progress, seconds_left,
    )  # fmt: skip


def _operation(runs: QuerySet[MeditationRun], now: datetime) -> Operation | None:
    run = runs.select_related("user").first()
    return of_run(run, now=now) if run else None
