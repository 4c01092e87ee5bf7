"""Keep beat's table in step with ours, without undoing what an operator changed."""

import json
from typing import Any

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from ops.schedules import ALL, Schedule


def sync() -> list[str]:
    """Make what is missing; change a row only while it still equals the default stored with it. Says what it did."""
    said = []
    with transaction.atomic():
        for schedule in ALL:
            row = PeriodicTask.objects.filter(name=schedule.name).first()
            if row is None:
                PeriodicTask.objects.create(name=schedule.name, **_columns(schedule))
                said.append(f"{schedule.name}: made, {schedule.crontab}")
            elif _is_as_made(row) and _default(schedule) != json.loads(row.headers or "{}").get("default"):
                for name, value in _columns(schedule).items():
                    setattr(row, name, value)
                row.save()
                said.append(f"{schedule.name}: now {schedule.crontab}")
    return said


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "task": schedule.task,
        "queue": schedule.queue,
        "description": schedule.about,
        "crontab": _crontab(schedule.crontab),
        # The default as it was made, beside what an operator may change; Celery sends it on as a harmless header.
        "headers": json.dumps({"default": _default(schedule)}),
    }


def _default(schedule: Schedule) -> str:
    return f"{schedule.crontab} {schedule.task} {schedule.queue}"


def _is_as_made(row: PeriodicTask) -> bool:
    table = row.crontab
    if table is None or not row.enabled:
        return False
    crontab = f"{table.minute} {table.hour} {table.day_of_month} {table.month_of_year} {table.day_of_week}"
    return bool(json.loads(row.headers or "{}").get("default") == f"{crontab} {row.task} {row.queue}")


def _crontab(text: str) -> CrontabSchedule:
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    row, _ = CrontabSchedule.objects.get_or_create(
        minute=minute,
        hour=hour,
        day_of_month=day_of_month,
        month_of_year=month_of_year,
        day_of_week=day_of_week,
        timezone="UTC",
    )
    return row
