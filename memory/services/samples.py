"""Samples of the counters, hour by hour: what history, slope and time to full are read from."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import UsageSample, UsageSampling

SWEEP_ROWS = 10_000


def take(*, now: datetime) -> int | None:
    """Sample each counter that has changed since its last sample; how many. None when this hour is sampled already."""
    hour = hour_of(now)
    with transaction.atomic():
        _forget_after(hour)
        # Of two that sample at once the second waits here for the first, and finds nothing left to do.
        _, is_ours = UsageSampling.objects.get_or_create(hour=hour, defaults={"taken_at": now})
        return _take(hour, None) if is_ours else None


def take_of(user_id: UUID, *, now: datetime) -> int:
    """One user's samples, while that hour has none of theirs: for a history that is carried out afterwards."""
    return _take(hour_of(now), [user_id])


def note_hours(*, since: datetime, until: datetime) -> None:
    """Say of each hour between that it was sampled, on the hour; `take_of` then tells what changed in them."""
    hours = range(-(-int((until - hour_of(since)).total_seconds()) // 3600))
    begin = hour_of(since)
    rows = [UsageSampling(hour=begin + timedelta(hours=n), taken_at=begin + timedelta(hours=n)) for n in hours]
    UsageSampling.objects.bulk_create(rows, ignore_conflicts=True)


def sweep(*, keep: timedelta, now: datetime) -> int:
    """Delete what changed again before the retention, a batch at a time; gives how many went."""
    cut, gone = hour_of(now - keep), 0
    UsageSampling.objects.filter(hour__lt=cut).delete()
    while True:
        parameters = {"cut": cut, "rows": SWEEP_ROWS}
        deleted = statements.execute(statement(__file__, "sweep_usage_samples"), parameters)
        gone += deleted
        if deleted < SWEEP_ROWS:
            return gone


def hour_of(moment: datetime) -> datetime:
    """The hour in which it lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _take(hour: datetime, user_ids: list[UUID] | None) -> int:
    return statements.execute(statement(__file__, "take_usage_samples"), {"hour": hour, "user_ids": user_ids})


def _forget_after(hour: datetime) -> None:
    """A clock that was ahead has left samples in hours that are still to come: they would be wrong when those come."""
    if not UsageSampling.objects.filter(hour__gt=hour).exists():
        return
    UsageSample.objects.filter(hour__gt=hour).delete()
    UsageSample.objects.filter(next_hour__gt=hour).update(next_hour=None)
    UsageSampling.objects.filter(hour__gt=hour).delete()
