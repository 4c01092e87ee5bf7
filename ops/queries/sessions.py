"""The sessions of the portal that are open now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from ops import agents, roles
from ops.models import StaffSession
from ops.sessionstore import IDLE

MOST = 200


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One open session."""

    id: UUID
    staff_id: int
    who: str
    browser: str
    agent: str
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def of(person: Any, *, this: UUID | None, now: datetime) -> list[SessionRow]:
    """The person's, last used first; `this` is the one in which they are looked at."""
    return [_row(session, this) for session in _open(now).filter(staff=person)[:MOST]]


def of_everybody(*, this: UUID | None, now: datetime) -> list[SessionRow]:
    """Those of all staff, last used first, and no more than MOST."""
    return [_row(session, this) for session in _open(now)[:MOST]]


def count(*, now: datetime) -> int:
    """How many are open."""
    return _open(now).count()


def _open(now: datetime) -> QuerySet[StaffSession]:
    lasting = {"staff__isnull": False, "ended_at": None, "expires_at__gt": now, "seen_at__gt": now - IDLE}
    return StaffSession.objects.filter(**lasting).select_related("staff").order_by("-seen_at", "pk")


def _row(session: StaffSession, this: UUID | None) -> SessionRow:
    person: Any = session.staff  # `_open` leaves those without out
    return SessionRow(
        id=session.pk,
        staff_id=person.pk,
        who=roles.label_of(person),
        browser=agents.in_words(session.agent),
        agent=session.agent,
        address=session.address or "",
        started_at=session.started_at,
        seen_at=session.seen_at,
        is_this=session.pk == this,
    )
