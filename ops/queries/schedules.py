"""What runs when, by the table that beat reads: the next time of each job, and when beat sent it last."""

import json
from dataclasses import dataclass
from datetime import datetime

from django_celery_beat.models import PeriodicTask

from memory.models import MeditationRun
from memory.queries import nightly
from memory.rules.meditation import Trigger
from ops.schedules import ALL


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One job. `next_at` is None while it is switched off; `sent_at` while beat has never sent it."""

    name: str
    about: str
    task: str
    queue: str
    says: str
    zone: str
    is_on: bool
    is_as_made: bool
    next_at: datetime | None
    sent_at: datetime | None
    times: int


def listed(*, now: datetime) -> list[ScheduleRow]:
    """Every schedule, the next one first; those that are off at the end."""
    rows = PeriodicTask.objects.exclude(task__startswith="celery.").select_related("crontab", "interval")
    told = [_row(row, now) for row in rows.order_by("name")]
    return sorted(told, key=lambda row: (row.next_at is None, row.next_at or now, row.name))


def last_night() -> MeditationRun | None:
    """The last run that the schedule of the meditation began; None before the first."""
    return MeditationRun.objects.filter(trigger=Trigger.NIGHTLY).order_by("-created_at", "-pk").first()


def missing(rows: list[ScheduleRow]) -> list[str]:
    """The names of schedules that ought to be there."""
    there = {row.name for row in rows}
    return [schedule.name for schedule in ALL if schedule.name not in there]


def _row(row: PeriodicTask, now: datetime) -> ScheduleRow:
    table, says = row.crontab, _times(row)
    default = json.loads(row.headers or "{}").get("default")
    return ScheduleRow(
        name=row.name,
        about=row.description,
        task=row.task,
        queue=row.queue or "",
        says=says,
        zone=str(table.timezone) if table else "UTC",
        is_on=row.enabled,
        is_as_made=row.enabled and default == f"{says} {row.task} {row.queue}",
        next_at=nightly.after(now, table) if table and row.enabled else None,
        sent_at=row.last_run_at,
        times=row.total_run_count,
    )


def _times(row: PeriodicTask) -> str:
    """The crontab, or `every 10 seconds`."""
    if row.crontab is None:
        return f"every {row.interval.every} {row.interval.period}" if row.interval else "at no time"
    of = row.crontab
    return f"{of.minute} {of.hour} {of.day_of_month} {of.month_of_year} {of.day_of_week}"
