"""Sums over all customers, for metrics and for the overview."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from kimberly.db import statements
from kimberly.lib.remember import Remembered
from kimberly.lib.sql import statement
from memory.models import MemoryItem, QuotaOverride, Refusal, Throttle
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.tiers import TIERS_SHOWN, ItemState, Purpose, Tier

BANDS = ("lt50", "lt80", "lt90", "lt100", "over")


@dataclass(frozen=True, slots=True)
class TierTotal:
    """One tier over all customers. `bands` counts users by their share of the effective limit."""

    tier: Tier
    used_bytes: int
    active_items: int
    archived_items: int
    protected_items: int
    limit_bytes: int
    bands: dict[str, int]


def by_tier(*, now: datetime) -> list[TierTotal]:
    """One row for every tier, also for one that nobody uses."""
    found = {row[0]: row[1:] for row in statements.fetch_all(statement(__file__, "totals_by_tier"), {"now": now})}
    protected = _protected_items()
    nothing = (0,) * 9
    totals = []
    for tier in Tier:
        used, items, archived, limit, *bands = found.get(tier, nothing)
        by_band = dict(zip(BANDS, bands, strict=True))
        totals.append(TierTotal(tier, used, items, archived, protected.get(tier, 0), limit, by_band))
    return totals


@dataclass(frozen=True, slots=True)
class TierKept:
    """One tier over all customers: what is kept of how much, and how many users stand above a limit."""

    tier: Tier
    items: int
    used_bytes: int
    limit_bytes: int
    over_soft: int
    over_hard: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Every tier, as counted at one moment."""

    tiers: list[TierKept]
    counted_at: datetime


KEPT_SECONDS = 15.0  # Counting reads every counter; a page that refreshes itself must not do so each time.
_kept: Remembered[str, Kept] = Remembered(seconds=KEPT_SECONDS, most=1)


def kept(*, now: datetime) -> Kept:
    """What is kept, at most 15 seconds old: `counted_at` says when it was counted."""
    return _kept.get("all", lambda _key: _count(now)) or Kept([], now)


def _count(now: datetime) -> Kept:
    found = {row[0]: row[1:] for row in statements.fetch_all(statement(__file__, "tiers_kept"), {"now": now})}
    return Kept([TierKept(tier, *found.get(tier, (0, 0, 0, 0, 0))) for tier in TIERS_SHOWN], now)


def _protected_items() -> dict[str, int]:
    items = MemoryItem.objects.filter(protected=True, state=ItemState.ACTIVE, user__purpose=Purpose.CUSTOMER)
    return dict(items.values_list("tier").annotate(number=Count("pk")).order_by("tier"))


def users_refused(*, since: datetime) -> dict[Tier, int]:
    """Different users whose writes were refused for lack of room since then, for every tier."""
    rows = Refusal.objects.filter(kind=RefusalKind.QUOTA, refused_at__gte=since)
    found = dict(rows.values_list("tier").annotate(users=Count("user_id", distinct=True)).order_by("tier"))
    return {tier: found.get(tier, 0) for tier in Tier}


def overrides_in_force(*, now: datetime) -> dict[Tier, int]:
    """Overrides that hold now, for every tier."""
    rows = QuotaOverride.objects.filter(period__contains=now)
    found = dict(rows.values_list("tier").annotate(number=Count("pk")).order_by("tier"))
    return {tier: found.get(tier, 0) for tier in Tier}


def users_throttled(*, now: datetime) -> dict[ThrottleScope, int]:
    """Users under a throttle of their own now, for every scope."""
    rows = Throttle.objects.filter(period__contains=now, user__isnull=False)
    found = dict(rows.values_list("scope").annotate(users=Count("user_id", distinct=True)).order_by("scope"))
    return {scope: found.get(scope, 0) for scope in ThrottleScope}
