"""How pages say times, sizes and measures: short, the number first. Pure Python; `now` is always given."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kimberly.lib import bytesize, clock
from memory.rules.forecast import Forecast, Outlook
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import Reason

STEPS = (
    (timedelta(seconds=100), timedelta(seconds=1), "s"),
    (timedelta(minutes=100), timedelta(minutes=1), "min"),
    (timedelta(hours=48), timedelta(hours=1), "h"),
    (timedelta(days=60), timedelta(days=1), "days"),
    (timedelta(days=730), timedelta(days=30), "months"),
)

SLOW_BYTES = 100
OUTLOOKS = {
    Outlook.FULL: "full now",
    Outlook.FAR: "not within two years",
    Outlook.STEADY: "not full at this pace",
}


# By the reason of a meditation's decision.
MEDITATED_BECAUSE: dict[str, str] = {
    Reason.WORTHY: "its life had ended, and its score reached the threshold",
    Reason.EXPIRED: "its life had ended, and its score did not reach the threshold",
    Reason.NO_ROOM: "its life had ended, and long-term had no room for it",
    Reason.SOFT_LIMIT: "its tier was over the soft limit, and it was among the least useful for its size",
    Reason.GRACE: "it had been archived for as long as was promised",
}
# By what stands in an item's `archive_reason` or `purge_reason`.
ARCHIVED_BECAUSE: dict[str, str] = {
    "user": "a client deleted it",
    "staff": "a lead deleted it",
    Reason.PLAN: "somebody applied a prune plan, and it was among the least useful for its size",
    **MEDITATED_BECAUSE,
}
PURGED_BECAUSE: dict[str, str] = {
    "user": "a client erased it, or deleted others while the archive was full",
    "staff": "a lead deleted others while the archive was full",
    **MEDITATED_BECAUSE,
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


def pace(bytes_per_hour: float) -> str:
    """`+154 KiB/h`, `-3 KiB/h`; what is slow is said by the day: `+12 B a day`."""
    per_day = round(bytes_per_hour * 24)
    if abs(bytes_per_hour) >= SLOW_BYTES:
        return f"{'+' if bytes_per_hour > 0 else ''}{bytesize.human(round(bytes_per_hour))}/h"
    return f"{'+' if per_day > 0 else ''}{bytesize.human(per_day)} a day" if per_day else "no growth"


def outlook(forecast: Forecast, now: datetime) -> str:
    """`full in 9 h`, `full now`, `not full at this pace`."""
    if forecast.outlook is Outlook.FILLS and forecast.full_at is not None:
        return f"full {relative(forecast.full_at, now)}"
    return OUTLOOKS.get(forecast.outlook, "")
