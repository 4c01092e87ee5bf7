"""How pages say times, sizes and measures: short, the number first. Pure Python; `now` is always given."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kimberly.lib import clock
from memory.rules.limits import ThrottleScope

STEPS = (
    (timedelta(seconds=100), timedelta(seconds=1), "s"),
    (timedelta(minutes=100), timedelta(minutes=1), "min"),
    (timedelta(hours=48), timedelta(hours=1), "h"),
    (timedelta(days=60), timedelta(days=1), "days"),
    (timedelta(days=730), timedelta(days=30), "months"),
)


# By what stands in an item's `archive_reason` or `purge_reason`.
ARCHIVED_BECAUSE = {
    "user": "a client deleted it",
    "staff": "a lead deleted it",
    "expired": "its life had ended",
    "no-room": "there was no room for it",
}


def span(length: timedelta) -> str:
    """`14 s`, `49 min`, `16 h`, `3 days`: one unit, rounded."""
    length = abs(length)
    for limit, unit, name in STEPS:
        if length < limit:
            return f"{round(length / unit)} {name}"
    return f"{round(length / timedelta(days=365))} years"


def relative(at: datetime, now: datetime) -> str:
    """`14 s ago`, `in 49 min`, `just now`."""
    if abs(at - now) < timedelta(seconds=1):
        return "just now" if at <= now else "now"
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def exact(at: datetime) -> str:
    """`2026-11-17 03:11:50 UTC`; for who reads in a zone of their own `2026-11-17 04:11:50 UTC+01:00`."""
    return f"{clock.as_read(at):%Y-%m-%d %H:%M:%S} {clock.zone_name(at)}"


def rate(scope: str, per_minute: int) -> str:
    """`10 writes a minute`."""
    word = ThrottleScope(scope).call
    return f"{per_minute:,} {word}{'' if per_minute == 1 else 's'} a minute"


def blocked(scope: str) -> str:
    """What a block stops: `all writes blocked`."""
    return f"all {ThrottleScope(scope).call}s blocked"


def brake(scope: str, per_minute: int | None) -> str:
    """What a throttle does: a rate, or a block."""
    return blocked(scope) if per_minute is None else rate(scope, per_minute)


def percent(share: float) -> str:
    """`53 %`."""
    return f"{round(share * 100)} %"


def counted(number: int, noun: str) -> str:
    """`1 item`, `1,752 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, characters: int) -> str:
    """The text, with an ellipsis where it is longer."""
    return text if len(text) <= characters else f"{text[: characters - 1].rstrip()}…"


def listed(names: Sequence[str]) -> str:
    """`long-term`, `long-term and permanent`, `long-term, permanent and short-term`."""
    return " and ".join(part for part in (", ".join(names[:-1]), "".join(names[-1:])) if part)
