"""The clock, read at the edge and passed inwards as `now`; and the zone in which a person reads times."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo

_zone: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


def spelled(moment: datetime) -> str:
    """An instant in UTC as ISO 8601 writes it, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


@contextmanager
def reading_in(zone: tzinfo) -> Iterator[None]:
    """What is told to people in this block is told in their zone; what is kept stays in UTC."""
    token = _zone.set(zone)
    try:
        yield
    finally:
        _zone.reset(token)


def as_read(at: datetime) -> datetime:
    """The instant on the clock of the person who reads: UTC unless they chose a zone."""
    return at.astimezone(_zone.get())


def zone_name(at: datetime) -> str:
    """What to write behind a time as read: `UTC`, or the offset of that day, `UTC+02:00`."""
    offset = f"{as_read(at):%z}"
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"


def time_and_zone(at: datetime) -> str:
    """For a sentence that stands alone: `12:15 UTC`."""
    return f"{as_read(at):%H:%M} {zone_name(at)}"


def time_of_day(at: datetime, now: datetime) -> str:
    """For people, with the day where it is not today: `04:12`, `tomorrow 03:12`, `19 Nov 03:12`."""
    at, now = as_read(at), as_read(now)
    days = (at.date() - now.date()).days
    near = {0: "", 1: "tomorrow ", -1: "yesterday "}
    year = "" if at.year == now.year else f" {at.year}"
    return f"{near.get(days, f'{at.day} {at:%b}{year} ')}{at:%H:%M}"
