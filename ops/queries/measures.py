"""Throttles and raises as the pages show them: what holds, what has ended, who did it and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Max

from kimberly.lib import bytesize
from memory.models import QuotaOverride, Throttle
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from ops import words
from ops.queries.names import Name, Names

MOST_SHOWN = 50


class Sort(StrEnum):
    THROTTLE = "throttle"
    RAISE = "raise"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """One throttle or raise of a user. `says` is what it does, such as `10 writes a minute`."""

    id: UUID
    public_id: str
    sort: Sort
    user_id: UUID
    says: str
    scope: ThrottleScope | None = None
    per_minute: int | None = None
    """Of a throttle: None blocks."""
    tier: Tier | None
    hard_bytes: int | None
    starts_at: datetime
    ends_at: datetime
    planned_end_at: datetime
    reason: str
    ticket: str
    owner: str
    ended_by: Name
    now: datetime

    @property
    def is_in_force(self) -> bool:
        return self.starts_at <= self.now < self.ends_at

    @property
    def ended_early(self) -> bool:
        return self.ends_at < self.planned_end_at

    @property
    def ended_by_itself(self) -> bool:
        return self.ends_at <= self.now and not self.ended_early


def of_user(user_id: UUID, *, names: Names, now: datetime) -> list[MeasureRow]:
    """The user's measures: those that hold first, then the newest; at most 50 of each sort."""
    throttles = list(Throttle.objects.filter(user_id=user_id).order_by("-created_at", "-pk")[:MOST_SHOWN])
    overrides = list(QuotaOverride.objects.filter(user_id=user_id).order_by("-created_at", "-pk")[:MOST_SHOWN])
    rows = [of_throttle(row, names, now) for row in throttles] + [of_override(row, names, now) for row in overrides]
    return sorted(rows, key=lambda row: (row.is_in_force, row.starts_at, row.public_id), reverse=True)


def one_throttle(throttle_id: UUID, *, now: datetime) -> MeasureRow | None:
    """A user's throttle; None when there is none, or it brakes a client or a tier."""
    row = Throttle.objects.filter(pk=throttle_id, user__isnull=False).first()
    return of_throttle(row, Names(), now) if row else None


def one_override(override_id: UUID, *, now: datetime) -> MeasureRow | None:
    """A raise of a user's tier."""
    row = QuotaOverride.objects.filter(pk=override_id).first()
    return of_override(row, Names(), now) if row else None


def throttled_until(user_ids: Collection[UUID], *, now: datetime) -> dict[UUID, datetime]:
    """When the last throttle in force of each throttled user ends."""
    rows = Throttle.objects.filter(user_id__in=user_ids, period__contains=now).values("user_id")
    found = rows.annotate(until=Max("period__endswith")).order_by("user_id")
    return {row["user_id"]: row["until"] for row in found}


def of_throttle(row: Throttle, names: Names, now: datetime) -> MeasureRow:
    """A throttle of a user as a row."""
    return MeasureRow(
        id=row.pk,
        public_id=row.public_id,
        sort=Sort.THROTTLE,
        user_id=row.user_id or row.pk,
        says=words.brake(row.scope, row.per_minute),
        scope=ThrottleScope(row.scope),
        per_minute=row.per_minute,
        tier=None,
        hard_bytes=None,
        starts_at=row.period.lower,
        ends_at=row.period.upper,
        planned_end_at=row.planned_end_at,
        reason=row.reason,
        ticket=row.ticket,
        owner=row.created_by_label or row.created_by,
        ended_by=names.of(row.ended_by),
        now=now,
    )


def of_override(row: QuotaOverride, names: Names, now: datetime) -> MeasureRow:
    """A raise as a row."""
    tier = Tier(row.tier)
    return MeasureRow(
        id=row.pk,
        public_id=row.public_id,
        sort=Sort.RAISE,
        user_id=row.user_id,
        says=f"{tier} at {bytesize.human(row.hard_bytes)}",
        tier=tier,
        hard_bytes=row.hard_bytes,
        starts_at=row.period.lower,
        ends_at=row.period.upper,
        planned_end_at=row.planned_end_at,
        reason=row.reason,
        ticket=row.ticket,
        owner=row.created_by_label or row.created_by,
        ended_by=names.of(row.ended_by),
        now=now,
    )
