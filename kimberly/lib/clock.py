"""The clock, read at the edge and passed inwards as `now`."""

from datetime import UTC, datetime


def spelled(moment: datetime) -> str:
    """An instant in UTC as ISO 8601 writes it, with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)
