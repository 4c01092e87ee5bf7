"""How one user's tiers have grown, and when they are full if that goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from memory.queries import samples
from memory.queries.usage import TierUsage
from memory.rules import forecast
from memory.rules.forecast import DAY, Forecast, Level, Limit, Pace, Slope
from memory.rules.tiers import Tier

WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Growth:
    """One tier's levels, the last of them now, and its slopes; None where there were too few samples."""

    levels: Sequence[Level]
    day: Slope | None
    week: Slope | None
    forecast: Forecast | None
    """By the faster of both slopes: who is warned early can look."""


def of_user(user_id: UUID, tiers: Mapping[Tier, TierUsage], *, since: datetime, now: datetime) -> dict[Tier, Growth]:
    """The growth of each tier; its levels reach back to `since`, and to the week at least that a slope needs."""
    found = samples.of_user(user_id, since=min(since, now - WEEK - DAY), now=now)
    return {tier: _growth([*found[tier], Level(now, usage.active_bytes)], usage, now) for tier, usage in tiers.items()}


def under(limit: Limit, usage: TierUsage, growth: Growth, *, now: datetime) -> Forecast | None:
    """When the tier would be full under another limit; full is a tier in which nothing of the usual size fits."""
    paces = [slope.bytes_per_hour for slope in (growth.day, growth.week) if slope is not None]
    if not paces:
        return None
    usual = max(1, usage.active_bytes // max(1, usage.active_items))
    return forecast.when_full(usage.active_bytes, limit, Pace(max(paces)), write_bytes=usual, now=now)


def _growth(levels: Sequence[Level], usage: TierUsage, now: datetime) -> Growth:
    day, week = (forecast.slope(levels, within=length) for length in (DAY, WEEK))
    grown = Growth(levels, day, week, None)
    return replace(grown, forecast=under(usage.limit, usage, grown, now=now))
