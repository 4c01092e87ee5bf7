"""Who fills a tier fastest: how fast, when it is full, and which share of all growth that is."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kimberly.db import statements
from kimberly.lib import ids
from kimberly.lib.remember import Remembered
from kimberly.lib.sql import statement
from memory.queries import samples
from memory.rules import forecast
from memory.rules.forecast import HOUR, Forecast, Level, Limit, Pace
from memory.rules.remedies import Situation
from memory.rules.tiers import Tier
from ops import badges, words

MOST_REFUSED = 10
DRAWN = timedelta(hours=24)


class Window(StrEnum):
    """Over which time growth is looked at."""

    HOUR = "1h"
    DAY = "24h"

    @property
    def length(self) -> timedelta:
        return timedelta(hours=int(self.value.removesuffix("h")))

    @property
    def said(self) -> str:
        return {Window.HOUR: "last hour"}.get(self, "last 24 hours")


@dataclass(frozen=True, slots=True)
class Refused:
    """How many writes of somebody found no room, and what the last of them needed."""

    writes: int
    needed_bytes: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Brake:
    """A throttle of writes in force; None a minute blocks them."""

    public_id: str
    says: str
    per_minute: int | None
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """One user who fills the tier, or was refused in it."""

    user_id: UUID
    name: str
    external_id: str
    plan_id: str
    used_bytes: int
    items: int
    growth_bytes: int
    growth_items: int
    over: timedelta
    limit: Limit
    soft_bytes: int
    plan_bytes: int
    plan_per_minute: int
    share_of_growth: float
    refused: Refused | None
    brakes: Sequence[Brake]
    levels: Sequence[Level]
    now: datetime

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.USER, self.user_id)

    @property
    def share(self) -> float:
        return self.used_bytes / self.limit.hard_bytes

    @property
    def bytes_per_hour(self) -> float:
        return self.growth_bytes / (self.over / HOUR)

    @property
    def write_bytes(self) -> int | None:
        """The mean size of what came since; of all that is there where nothing came."""
        size, number = self.growth_bytes, self.growth_items
        if size <= 0 or number <= 0:
            size, number = self.used_bytes, self.items
        return round(size / number) if number else None

    @property
    def tone(self) -> str:
        """How bad it is, for the colour of a curve that stands beside words."""
        if self.share >= badges.NEARLY_FULL:
            return "bad"
        return "warn" if self.used_bytes > self.soft_bytes else "ok"

    @property
    def forecast(self) -> Forecast:
        pace, size = Pace(self.bytes_per_hour), self.write_bytes or 1
        return forecast.when_full(self.used_bytes, self.limit, pace, write_bytes=size, now=self.now)

    @property
    def situation(self) -> Situation:
        return Situation(
            used_bytes=self.used_bytes,
            limit=self.limit,
            plan_bytes=self.plan_bytes,
            bytes_per_hour=self.bytes_per_hour,
            write_bytes=self.write_bytes,
            refused_bytes=self.refused.needed_bytes if self.refused else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One tier's growth since `since`; the fastest first, then those who were refused without growing."""

    since: datetime
    over: timedelta
    fillers: list[Filler]
    users: int
    growth_bytes: int
    full_within_an_hour: int

    @property
    def others(self) -> int:
        """How many grow and are not listed."""
        return self.users - sum(filler.growth_bytes > 0 for filler in self.fillers)

    @property
    def others_bytes(self) -> int:
        return self.growth_bytes - sum(max(0, filler.growth_bytes) for filler in self.fillers)


@dataclass(frozen=True, slots=True)
class RefusedInTier:
    """Of one tier: how many users and writes were refused, and the most refused users."""

    users: int
    writes: int
    most: dict[UUID, Refused]


NOBODY_REFUSED = RefusedInTier(0, 0, {})
_leaders: Remembered[int, Burst] = Remembered(seconds=15, most=1)


def fastest(
    *,
    now: datetime,
    size: int,
    tier: Tier = Tier.SHORT_TERM,
    window: Window = Window.HOUR,
    refused: RefusedInTier = NOBODY_REFUSED,
) -> Burst | None:
    """Who fills the tier fastest, and those of `refused`; None before the counters were sampled for the first time.

    Growth is what the counters say now, less what they said in the sampled hour that is nearest to the window's
    beginning: what came since the last sample is in it, and what was archived or deleted meanwhile is taken off.
    """
    base = samples.nearest(now - window.length, now=now)
    if base is None or base.taken_at >= now:
        return None
    over = now - base.taken_at
    parameters = {
        "tier": str(tier), "hour": base.hour, "now": now, "hours": over / HOUR, "size": size,
        "user_ids": list(refused.most),
    }  # fmt: skip
    rows = statements.fetch_all(statement(__file__, "fastest_users"), parameters)
    user_ids = [row[0] for row in rows]
    levels = _levels(user_ids, tier, based_at=base.taken_at, now=now)
    users, growth, soon = rows[0][-3:] if rows else (0, 0, 0)
    fillers = [_filler(row, over, refused.most.get(row[0]), levels[row[0]], now) for row in rows]
    return Burst(
        since=base.taken_at, over=over, fillers=fillers, users=users, growth_bytes=growth, full_within_an_hour=soon
    )


def leaders(*, now: datetime, size: int) -> Burst | None:
    """Who fills short-term fastest, at most 15 seconds old: for a page that everybody has open all day."""
    return _leaders.get(size, lambda most: fastest(now=now, size=most))


def refused_since(since: datetime, *, now: datetime) -> dict[Tier, RefusedInTier]:
    """Whose writes found no room since then, for every tier."""
    parameters = {"since": since, "now": now, "size": MOST_REFUSED}
    found = dict.fromkeys(Tier, NOBODY_REFUSED)
    for tier, user_id, writes, needed, last_at, users, all_writes in statements.fetch_all(
        statement(__file__, "refused_lately"), parameters
    ):
        most = {**found[Tier(tier)].most, user_id: Refused(writes, needed, last_at)}
        found[Tier(tier)] = RefusedInTier(users, all_writes, most)
    return found


def _filler(
    row: statements.Row,
    over: timedelta,
    refused: Refused | None,
    levels: Sequence[Level],
    now: datetime,
) -> Filler:
    user_id, used, items, growth, growth_items, limit, soft, plan, ends_at, external_id, name, plan_id, rate = row[:13]
    return Filler(
        user_id=user_id,
        name=name or external_id,
        external_id=external_id,
        plan_id=plan_id,
        used_bytes=used,
        items=items,
        growth_bytes=growth,
        growth_items=growth_items,
        over=over,
        limit=Limit(limit, ends_at, plan),
        soft_bytes=soft,
        plan_bytes=plan,
        plan_per_minute=rate,
        share_of_growth=max(0, growth) / row[15] if row[15] else 0.0,
        refused=refused,
        brakes=_brakes(row[13]),
        levels=[*levels, Level(now, used)],
        now=now,
    )


def _brakes(found: str | None) -> list[Brake]:
    """The throttles of a user's writes, as the statement gives them in JSON: id, scope, calls a minute, end."""
    return [
        Brake(
            ids.encode(ids.Prefix.THROTTLE, UUID(key)), words.brake(scope, rate), rate, datetime.fromisoformat(ends_at)
        )
        for key, scope, rate, ends_at in json.loads(found or "[]")
    ]


def _levels(user_ids: Collection[UUID], tier: Tier, *, based_at: datetime, now: datetime) -> dict[UUID, list[Level]]:
    """What the samples of the last day say; who had none at the beginning of the window had nothing then."""
    since = now - DRAWN
    parameters = {"user_ids": list(user_ids), "tier": str(tier), "since": since}
    found: dict[UUID, list[Level]] = {user_id: [] for user_id in user_ids}
    for user_id, hour, used in statements.fetch_all(statement(__file__, "levels_of_users"), parameters):
        levels = found[user_id]
        if not levels and hour > based_at:
            levels.append(Level(max(based_at, since), 0))
        levels.append(Level(max(hour, since), used))
    return {user_id: levels or [Level(max(based_at, since), 0)] for user_id, levels in found.items()}
