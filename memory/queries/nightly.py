"""When the next meditation of all customers is due, by the table that beat reads."""

from datetime import UTC, datetime

from django_celery_beat.models import CrontabSchedule, PeriodicTask

from kimberly.lib.remember import Remembered

TASK = "memory.meditate_nightly"
REMEMBERED_SECONDS = 10.0  # Each refused write asks; whoever changes the schedule is heard within this time.

_held: Remembered[str, list[CrontabSchedule]] = Remembered(seconds=REMEMBERED_SECONDS, most=1)


def next_at(*, now: datetime) -> datetime | None:
    """The time at which beat will send it next, in UTC; None while no schedule of it is enabled."""
    return min((after(now, crontab) for crontab in _held.get(TASK, _enabled) or []), default=None)


def _enabled(task: str) -> list[CrontabSchedule]:
    rows = PeriodicTask.objects.filter(task=task, enabled=True, crontab__isnull=False).select_related("crontab")
    return [row.crontab for row in rows.order_by("pk")]


def after(now: datetime, crontab: CrontabSchedule) -> datetime:
    """When the crontab is due next, by beat's own reckoning, its zone included."""
    since, step, _ = crontab.schedule.remaining_delta(now)
    due: datetime = since + step
    return due.astimezone(UTC)
