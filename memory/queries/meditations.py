"""How meditations stand: for the figures of operators."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import MeditationRun
from memory.rules.meditation import RunState, Trigger

SLOW_SECONDS, SLOW_TIMES = 60.0, 1.5
ITEMS_PER_SECOND = 20_000
"""What a whole meditation should manage on two workers (TARGETS): the threshold of a slow one grows with the items."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one trigger: the last run that ended, when one last succeeded, and for how long one is running."""

    trigger: Trigger
    last_seconds: float | None
    last_outcome: RunState | None
    last_success_at: datetime | None
    running_seconds: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """Users who were not scored for a day, the age of the oldest score in seconds, and all active items."""

    users_behind: int
    oldest_seconds: float
    items: int

    @property
    def slow_seconds(self) -> float:
        """A run is slow from here on."""
        return max(SLOW_SECONDS, SLOW_TIMES * self.items / ITEMS_PER_SECOND)


def standing(*, now: datetime) -> list[Standing]:
    """For each trigger."""
    return [_of(trigger, now) for trigger in Trigger]


def backlog(*, now: datetime) -> Backlog:
    """Of the customers that have something to score."""
    parameters = {"now": now, "day_ago": now - timedelta(days=1)}
    [row] = statements.fetch_all(statement(__file__, "meditation_backlog"), parameters)
    return Backlog(*row)


def last_run_decisions() -> dict[str, int]:
    """What the last run that ended did, by decision."""
    last = MeditationRun.objects.filter(ended_at__isnull=False).order_by("-ended_at", "-pk").first()
    parameters = {"run_id": last.pk if last else None}
    [row] = statements.fetch_all(statement(__file__, "run_decisions"), parameters)
    return dict(zip(("kept", "promoted", "archived", "purged", "protected"), row, strict=True))


def _of(trigger: Trigger, now: datetime) -> Standing:
    runs = MeditationRun.objects.filter(trigger=trigger)
    last = runs.filter(ended_at__isnull=False).order_by("-ended_at", "-pk").first()
    succeeded = runs.filter(state=RunState.SUCCEEDED).order_by("-ended_at", "-pk").first()
    running = runs.filter(state=RunState.RUNNING).order_by("started_at", "pk").first()
    return Standing(
        trigger,
        _seconds(last.started_at, last.ended_at) if last else None,
        RunState(last.state) if last else None,
        succeeded.ended_at if succeeded else None,
        _seconds(running.started_at, now) or 0.0 if running else 0.0,
    )


def _seconds(begun_at: datetime | None, ended_at: datetime | None) -> float | None:
    return (ended_at - begun_at).total_seconds() if begun_at and ended_at else None
