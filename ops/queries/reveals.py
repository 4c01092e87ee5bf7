"""Who reads a user's content now, and who did so in the last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet

from ops import roles
from ops.models import ContentReveal

SHOWN = timedelta(days=1)
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealRow:
    """One reveal. Whoever has one in force may read: functions that give content ask for it."""

    id: UUID
    user_id: UUID
    staff_id: int
    who: str
    reason: str
    ticket: str
    started_at: datetime
    ends_at: datetime
    is_in_force: bool
    """Whether it shows content at this moment: a person who lost the role, or whose account is off, sees none."""

    @property
    def public_id(self) -> str:
        return str(self.id)


def of_user(user_id: UUID, *, now: datetime) -> list[RevealRow]:
    """The reveals of the last day, newest first; at most 50."""
    recent = ContentReveal.objects.filter(user_id=user_id, ends_at__gt=now - SHOWN)
    return [_row(reveal, now) for reveal in _known(recent).order_by("-ends_at", "-pk")[:MOST_SHOWN]]


def one(reveal_id: UUID, *, now: datetime) -> RevealRow | None:
    """One reveal; None when there is none."""
    reveal = _known(ContentReveal.objects.filter(pk=reveal_id)).first()
    return _row(reveal, now) if reveal else None


def own(rows: Sequence[RevealRow], staff: Any) -> RevealRow | None:
    """The reveal by which this person reads now; None while the content is masked to them."""
    if roles.why_not(staff, roles.REVEAL) is not None:
        return None
    return next((row for row in rows if row.is_in_force and row.staff_id == staff.pk), None)


def _known(reveals: QuerySet[ContentReveal]) -> QuerySet[ContentReveal]:
    """With the names of the people, and whether they may still read."""
    readers = get_user_model().objects.filter(
        is_active=True, is_staff=True, groups__name__in=[str(role) for role in roles.REVEAL.roles]
    )
    may_read = Exists(readers.filter(pk=OuterRef("staff_id")))
    return reveals.select_related("staff").annotate(may_read=may_read)


def _row(reveal: Any, now: datetime) -> RevealRow:
    ends_at = reveal.ended_at or reveal.ends_at
    return RevealRow(
        id=reveal.pk,
        user_id=reveal.user_id,
        staff_id=reveal.staff_id,
        who=roles.label_of(reveal.staff),
        reason=reveal.reason,
        ticket=reveal.ticket,
        started_at=reveal.started_at,
        ends_at=ends_at,
        is_in_force=reveal.may_read and reveal.started_at <= now < ends_at,
    )
