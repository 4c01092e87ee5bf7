"""When the next meditation of all customers is due, by the table that beat reads."""

from datetime import UTC, datetime, timedelta

from django_celery_beat.models import CrontabSchedule, PeriodicTask

from kimberly.lib.remember import Remembered

TASK = "memory.meditate_nightly"
LOOKED_BACK = timedelta(days=8)  # A schedule may be weekly.
AHEAD_OF_US = timedelta(seconds=30)
"""So far ahead the clock of whoever sends may be; the times of a crontab are a minute apart at least."""
REMEMBERED_SECONDS = 10.0  # Each refused write asks; whoever changes the schedule is heard within this time.

_held: Remembered[str, list[CrontabSchedule]] = Remembered(seconds=REMEMBERED_SECONDS, most=1)


def next_at(*, now: datetime) -> datetime | None:
    """The time at which beat will send it next, in UTC; None while no schedule of it is enabled."""
    return min((after(now, crontab) for crontab in _held.get(TASK, _enabled) or []), default=None)


def _enabled(task: str) -> list[CrontabSchedule]:
    rows = PeriodicTask.objects.filter(task=task, enabled=True, crontab__isnull=False).select_related("crontab")
    return [row.crontab for row in rows.order_by("pk")]


def is_scheduled() -> bool:
    """Whether a schedule of it is enabled, of whatever kind."""
    return bool(PeriodicTask.objects.filter(task=TASK, enabled=True).exists())


def due_at(*, now: datetime) -> datetime | None:
    """The last time at which beat was to send it, in UTC; None where no schedule of it is enabled, or none was due
    within the last days.
    """
    return max((found for row in _scheduled() if (found := _last_due(row, now))), default=None)


def _scheduled() -> list[PeriodicTask]:
    return list(
        PeriodicTask.objects.filter(task=TASK, enabled=True).select_related("crontab", "interval").order_by("pk")
    )


def _last_due(row: PeriodicTask, now: datetime) -> datetime | None:
    if row.interval is not None:
        seconds = row.interval.schedule.run_every.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    if row.crontab is None:
        return None
    last, due = None, after(now - LOOKED_BACK, row.crontab)
    while due <= now + AHEAD_OF_US:
        last, due = due, after(due, row.crontab)
    return last


def after(now: datetime, crontab: CrontabSchedule) -> datetime:
    """When the crontab is due next, by beat's own reckoning, its zone included."""
    since, step, _ = crontab.schedule.remaining_delta(now)
    due: datetime = since + step
    return due.astimezone(UTC)
