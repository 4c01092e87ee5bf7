"""What users used, hour by hour."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import UsageSampling
from memory.rules.forecast import Level
from memory.rules.tiers import Tier


def of_user(user_id: UUID, *, since: datetime, now: datetime) -> dict[Tier, list[Level]]:
    """The user's level in each hour since then that was sampled, in order; hours in which nobody looked have none."""
    rows = statements.fetch_all(statement(__file__, "usage_history"), {"user_id": user_id, "since": since, "now": now})
    samplings = [(hour, taken_at) for tier, hour, _, taken_at, _ in rows if tier is None]
    return {tier: _levels(samplings, [row for row in rows if row[0] == tier]) for tier in Tier}


def _levels(samplings: Sequence[tuple[datetime, datetime]], samples: Sequence[statements.Row]) -> list[Level]:
    """A counter without a sample was empty."""
    begins = [hour for _, hour, *_ in samples]
    levels = []
    for hour, taken_at in samplings:
        place = bisect_right(begins, hour) - 1
        levels.append(Level(taken_at, samples[place][4] if place >= 0 else 0))
    return levels


def nearest(moment: datetime, *, now: datetime) -> UsageSampling | None:
    """The hour sampled nearest to that moment; None before the first."""
    taken = UsageSampling.objects.filter(taken_at__lte=now)
    before = taken.filter(taken_at__lte=moment).order_by("-hour")[:1]
    after = taken.filter(taken_at__gt=moment).order_by("hour")[:1]
    return min(before.union(after, all=True), key=lambda found: abs(found.taken_at - moment), default=None)
