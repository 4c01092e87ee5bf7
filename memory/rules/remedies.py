"""What each remedy for a tier that fills would do: what a page predicts is what happens afterwards (promise P8)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from memory.rules import forecast
from memory.rules.forecast import Forecast, Limit, Pace
from memory.rules.tiers import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One user's tier as it is. `write_bytes` is the mean size of the writes of late, `refused_bytes` what the last
    refused one needed; None where there was none.
    """

    used_bytes: int
    limit: Limit
    plan_bytes: int
    bytes_per_hour: float
    write_bytes: int | None = None
    refused_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Movable:
    """What a plan or a meditation may take of a tier: its unprotected items, as long as it is not permanent for the
    latter. Bytes; `over` and `over_protected` are short-term items whose life is over, whatever the tier;
    `largest` is the largest of all these items; `allowed` is what the day's cap leaves of archiving down to `soft`.
    """

    tier: Tier
    bytes: int
    largest_bytes: int
    over_bytes: int
    over_protected_bytes: int
    soft_bytes: int
    allowed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What holds once the remedy is in force. Limit, room and share are exact, and so are a block and the writes that a
    throttle lets through; where a remedy frees bytes, room and share are a bound: there is at least that room. Growth
    and time to full are those of today's slope; where a throttle slows it, they are a bound, as long as writes are not
    larger than those of late.
    """

    limit_bytes: int
    room_bytes: int
    share: float
    fits_refused: bool | None
    """Whether the last refused write would fit; None where none was refused."""
    bytes_per_hour: float
    most_per_hour: int | None
    """Of a throttle: the most that it lets through, in writes as large as those of late."""
    slows: bool
    """Whether growth is held below what it is now."""
    per_minute: int | None
    """Writes that are let through, 0 for none; None where the remedy limits none."""
    forecast: Forecast
    limit: Limit
    pace: Pace
    ends_at: datetime | None
    then_bytes: int
    """The limit after its end."""
    frees_bytes: int | None
    """What the tier loses at least, below 0 where it may gain; None where the remedy archives nothing."""

    def most_writes(self, within: timedelta) -> int | None:
        """How many writes pass in that time at most: a minute's worth at once, then evenly."""
        if self.per_minute is None:
            return None
        return int(self.per_minute * (1 + within / timedelta(minutes=1))) if self.per_minute else 0


def nothing(situation: Situation, *, now: datetime) -> Effect:
    """What comes if nobody does anything."""
    return _effect(situation, _pace(situation), now=now, ends_at=situation.limit.ends_at)


def raised(situation: Situation, *, hard_bytes: int, ends_at: datetime, now: datetime) -> Effect:
    """Another limit until the end, in whose place the plan's comes."""
    limit = Limit(hard_bytes, ends_at, situation.plan_bytes)
    return _effect(replace(situation, limit=limit), _pace(situation), now=now, ends_at=ends_at)


def throttled(situation: Situation, *, per_minute: int, ends_at: datetime, now: datetime) -> Effect:
    """So many writes a minute until the end, then growth as it is now; it makes nothing grow faster."""
    now_per_hour, most = situation.bytes_per_hour, None
    if situation.write_bytes is not None:
        most = 60 * per_minute * situation.write_bytes
    held = now_per_hour if most is None else min(now_per_hour, float(most))
    pace = Pace(held, ends_at, now_per_hour)
    return _effect(situation, pace, now=now, ends_at=ends_at, per_minute=per_minute, most_per_hour=most)


def blocked(situation: Situation, *, ends_at: datetime, now: datetime) -> Effect:
    """No write until the end, then growth as it is now."""
    pace = Pace(0, ends_at, situation.bytes_per_hour)
    return _effect(situation, pace, now=now, ends_at=ends_at, per_minute=0)


def planned(situation: Situation, movable: Movable, *, target_bytes: int, now: datetime) -> Effect:
    """A prune plan for so many bytes, applied: it frees them or, where there is less, all that may go."""
    frees = min(target_bytes, movable.bytes)
    return _freed(situation, frees, now=now)


def meditated(situation: Situation, movable: Movable, *, now: datetime) -> Effect:
    """A meditation of the user: short-term items past their life leave short-term, the worthy ones for long-term; then
    the tier is archived down to its soft limit, within the daily cap. Of permanent it takes nothing.
    """
    over = movable.over_bytes + movable.over_protected_bytes
    comes, goes, may_go = 0, 0, movable.bytes
    if movable.tier is Tier.SHORT_TERM:
        goes, may_go = movable.over_bytes, movable.bytes - movable.over_bytes
    elif movable.tier is Tier.LONG_TERM:
        comes = min(over, max(0, situation.limit.hard_bytes - situation.used_bytes))
        may_go += max(0, comes - movable.over_protected_bytes)
    used = situation.used_bytes + comes - goes
    # The head that reaches the soft limit may pass the cap with its last item, which then stays.
    allowed = max(0, movable.allowed_bytes - movable.largest_bytes + 1)
    brought_down = min(max(0, used - movable.soft_bytes), may_go, allowed)
    if movable.tier is Tier.PERMANENT:
        brought_down = 0
    left = used - brought_down
    return _freed(situation, situation.used_bytes - left, now=now)


def _freed(situation: Situation, frees_bytes: int, *, now: datetime) -> Effect:
    left = replace(situation, used_bytes=situation.used_bytes - frees_bytes)
    return _effect(left, _pace(situation), now=now, ends_at=situation.limit.ends_at, frees_bytes=frees_bytes)


def _pace(situation: Situation) -> Pace:
    return Pace(situation.bytes_per_hour)


def _effect(
    situation: Situation,
    pace: Pace,
    *,
    now: datetime,
    ends_at: datetime | None,
    per_minute: int | None = None,
    most_per_hour: int | None = None,
    frees_bytes: int | None = None,
) -> Effect:
    used, limit = situation.used_bytes, situation.limit
    room = max(0, limit.hard_bytes - used)
    return Effect(
        limit_bytes=limit.hard_bytes,
        room_bytes=room,
        share=used / limit.hard_bytes,
        fits_refused=None if situation.refused_bytes is None else situation.refused_bytes <= room,
        bytes_per_hour=pace.bytes_per_hour,
        most_per_hour=most_per_hour,
        slows=pace.bytes_per_hour < situation.bytes_per_hour,
        per_minute=per_minute,
        forecast=forecast.when_full(used, limit, pace, write_bytes=situation.write_bytes or 1, now=now),
        limit=limit,
        pace=pace,
        ends_at=ends_at,
        then_bytes=limit.then_bytes if limit.ends_at else limit.hard_bytes,
        frees_bytes=frees_bytes,
    )
