"""What users use and may use, tier by tier."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.rules.forecast import Limit
from memory.rules.limits import LimitSource
from memory.rules.tiers import TIERS_SHOWN, Tier


@dataclass(frozen=True, slots=True)
class TierUsage:
    """One user's tier: what is in it, and the limits as they are at one moment. Sizes in bytes."""

    user_id: UUID
    tier: Tier
    active_bytes: int
    active_items: int
    archived_bytes: int
    archived_items: int
    soft_bytes: int
    plan_bytes: int
    archived_limit_bytes: int
    life_seconds: int | None
    grace_days: int
    plan_id: str
    override_id: UUID | None
    override_bytes: int | None
    override_ends_at: datetime | None

    @property
    def limit_bytes(self) -> int:
        """The effective hard limit: the override's in force, else the plan's."""
        return self.plan_bytes if self.override_bytes is None else self.override_bytes

    @property
    def limit(self) -> Limit:
        """The same, with what holds after the override's end."""
        return Limit(self.limit_bytes, self.override_ends_at, self.plan_bytes)

    @property
    def limit_source(self) -> LimitSource:
        return LimitSource.PLAN if self.override_bytes is None else LimitSource.OVERRIDE

    @property
    def room_bytes(self) -> int:
        """What still fits; 0 when the tier is full or above its limit."""
        return max(0, self.limit_bytes - self.active_bytes)

    @property
    def is_over_soft(self) -> bool:
        return self.active_bytes > self.soft_bytes

    @property
    def is_over_limit(self) -> bool:
        return self.active_bytes > self.limit_bytes

    @property
    def share(self) -> float:
        """Used of the effective limit; above 1 when an override ended or a policy was lowered."""
        return self.active_bytes / self.limit_bytes


def of_users(user_ids: Collection[UUID], *, now: datetime) -> dict[UUID, dict[Tier, TierUsage]]:
    """The usage of each of the users, tiers in the order in which people read them; unknown users are left out."""
    found = statements.fetch_all(statement(__file__, "tier_facts"), {"user_ids": list(user_ids), "now": now})
    rows = [TierUsage(row[0], Tier(row[1]), *row[2:]) for row in found]
    by_user: dict[UUID, dict[Tier, TierUsage]] = {}
    for row in sorted(rows, key=lambda usage: TIERS_SHOWN.index(usage.tier)):
        by_user.setdefault(row.user_id, {})[row.tier] = row
    return by_user


def of_user(user_id: UUID, *, now: datetime) -> dict[Tier, TierUsage]:
    """The usage of one user; empty when there is no such user."""
    return of_users([user_id], now=now).get(user_id, {})
