"""How fast a tier grows, and when it is full if that goes on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HORIZON = timedelta(days=730)
"""Nobody plans by what a slope of today says of the time behind it."""


@dataclass(frozen=True, slots=True)
class Level:
    """What was used at one moment."""

    at: datetime
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth, and the time over which it was seen; below 0 where the tier shrinks."""

    bytes_per_hour: float
    over: timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit in force; where it ends by itself, when, and what holds then."""

    hard_bytes: int
    ends_at: datetime | None = None
    then_bytes: int = 0

    def at(self, moment: datetime) -> int:
        return self.hard_bytes if self.ends_at is None or moment < self.ends_at else self.then_bytes


@dataclass(frozen=True, slots=True)
class Pace:
    """Growth from now on; where it changes at a time that is known, when, and what it is then."""

    bytes_per_hour: float
    ends_at: datetime | None = None
    then_per_hour: float = 0

    def at(self, moment: datetime) -> float:
        return self.bytes_per_hour if self.ends_at is None or moment < self.ends_at else self.then_per_hour


class Outlook(StrEnum):
    """full: nothing more fits; fills: at a known time; far: later than anybody plans; steady: not at this slope."""

    FULL = "full"
    FILLS = "fills"
    FAR = "far"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`full_at` is None unless the tier fills."""

    outlook: Outlook
    full_at: datetime | None = None


def slope(levels: Sequence[Level], *, within: timedelta) -> Slope | None:
    """Growth over the last such time of levels in order of time; None where there is too little to say.

    An archive, a prune or a meditation drops a level at once, and would hide what goes on before and behind it. So the
    largest fall of each day begun is left out, together with its time; what falls more often than that is use, and
    counts.
    """
    steps = list(pairwise(_since(levels, within)))
    if not steps:
        return None
    over = steps[-1][1].at - steps[0][0].at
    falls = sorted((step for step in steps if _change(step) < 0), key=_change)[: max(1, math.ceil(over / DAY))]
    counted = [step for step in steps if step not in falls]
    hours = sum((after.at - before.at) / HOUR for before, after in counted)
    return Slope(sum(map(_change, counted)) / hours, over) if hours > 0 else None


def _since(levels: Sequence[Level], within: timedelta) -> Sequence[Level]:
    """From the level on that is nearest to the beginning: hours in which nobody looked make the time longer."""
    if len(levels) < 2:
        return []
    begins_at = levels[-1].at - within
    return levels[min(range(len(levels) - 1), key=lambda place: abs(levels[place].at - begins_at)) :]


def _change(step: tuple[Level, Level]) -> int:
    return step[1].used_bytes - step[0].used_bytes


def when_full(used_bytes: int, limit: Limit, pace: Pace, *, write_bytes: int = 1, now: datetime) -> Forecast:
    """When a write of that size does not fit any more: because the tier grows, or because a higher limit ends."""
    level = float(used_bytes) + write_bytes - 1
    if level >= limit.at(now):
        return Forecast(Outlook.FULL)
    for begins_at, ends_at in _stretches(limit, pace, now):
        hard_bytes, per_hour = limit.at(begins_at), pace.at(begins_at)
        if level >= hard_bytes:
            return Forecast(Outlook.FILLS, begins_at)
        hours = (ends_at - begins_at) / HOUR
        if per_hour > 0 and (hard_bytes - level) / per_hour < hours:
            return Forecast(Outlook.FILLS, begins_at + (hard_bytes - level) / per_hour * HOUR)
        level = max(write_bytes - 1.0, level + per_hour * hours)
    grows = pace.at(now + HORIZON) > 0
    return Forecast(Outlook.FAR if grows else Outlook.STEADY)


def curve(used_bytes: int, limit: Limit, pace: Pace, *, now: datetime, until: datetime) -> list[Level]:
    """The level from now until then, where it bends: growth stops at the limit, and nothing is lost when that falls."""
    level, levels = float(used_bytes), [Level(now, used_bytes)]
    for begins_at, stretch_ends_at in _stretches(limit, pace, now):
        if begins_at >= until:
            break
        ends_at = min(stretch_ends_at, until)
        hard_bytes, per_hour = limit.at(begins_at), pace.at(begins_at)
        grown = level + max(0.0, per_hour) * ((ends_at - begins_at) / HOUR)
        if level < hard_bytes < grown:
            levels.append(Level(begins_at + (hard_bytes - level) / per_hour * HOUR, hard_bytes))
        level = max(level, min(grown, float(hard_bytes)))
        levels.append(Level(ends_at, round(level)))
    return levels


def _stretches(limit: Limit, pace: Pace, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From now to the horizon, cut where limit or pace change."""
    ends = {at for at in (limit.ends_at, pace.ends_at) if at is not None and now < at < now + HORIZON}
    return pairwise(sorted({now, *ends, now + HORIZON}))
