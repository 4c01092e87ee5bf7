"""The clock, read at the edge and passed inwards as `now`."""

from datetime import UTC, datetime


def spelled(moment: datetime) -> str:
    """An instant in UTC as ISO 8601 writes it, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


def time_of_day(at: datetime, now: datetime) -> str:
    """For people, with the day where it is not today: `04:12`, `tomorrow 03:12`, `19 Nov 03:12`."""
    days = (at.date() - now.date()).days
    near = {0: "", 1: "tomorrow ", -1: "yesterday "}
    year = "" if at.year == now.year else f" {at.year}"
    return f"{near.get(days, f'{at.day} {at:%b}{year} ')}{at:%H:%M}"
