"""Ending sessions: one's own, and, for administrators, other people's with a reason."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from kimberly.audit import trail
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Kind, Refusal
from kimberly.web import outages
from memory.services import limits
from ops import roles
from ops.models import StaffSession
from ops.services import forms
from ops.services.lockouts import subject_of
from ops.services.measures import Sender
from ops.sessionstore import SessionStore

SEEN_EACH = timedelta(minutes=1)


class NoSuchSession(Refusal):
    """There is no such session, or it has ended."""

    slug = "session-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such session, or it has ended already."


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions were ended, of which person."""

    staff_id: int
    count: int

    @property
    def public_id(self) -> str:
        return f"{self.staff_id}:{self.count}"


def seen(session: SessionBase, *, now: datetime) -> None:
    """Note that the person of this session is there: at most once a minute, so that a page costs no write."""
    row = session.row if isinstance(session, SessionStore) else None
    if row is None or row.seen_at > now - SEEN_EACH:
        return
    try:
        with transaction.atomic():
            StaffSession.objects.filter(pk=row.pk, ended_at=None, seen_at__lte=now - SEEN_EACH).update(seen_at=now)
    except DatabaseError as error:
        # The page itself may need no write: with a database that is read-only or full, reading goes on.
        if outages.outage_behind(error) is None:
            raise


def end_own(person: Any, session_id: UUID, *, actor: Actor, now: datetime) -> int:
    """End one of one's own sessions; gives how many that were."""
    with transaction.atomic():
        ended = _end(_open(person).filter(pk=session_id), why="own", now=now)
        return _record(person, ended, actor=actor, now=now)


def end_others(person: Any, keep: UUID, *, actor: Actor, now: datetime) -> int:
    """End all of one's own sessions but this one; gives how many that were."""
    with transaction.atomic():
        ended = _end(_open(person).exclude(pk=keep), why="own", now=now)
        return _record(person, ended, actor=actor, now=now)


def end_with(person: Any, *, why: str, keep: Collection[UUID] = (), now: datetime) -> int:
    """End the person's sessions, but those to keep, with something else, whose record says so too."""
    return _end(_open(person).exclude(pk__in=keep), why=why, now=now)


def end_of_other(sender: Sender, person: Any, session_id: UUID | None, *, now: datetime) -> Ended:
    """End a session of somebody else, or all of theirs (`session_id` None).

    Raises NotYourRole, Invalid, NoSuchSession or AlreadySent.
    """
    roles.require(sender.staff, roles.END_SESSIONS)
    limits.require_reason(sender.why)

    def effect() -> Ended:
        found = _open(person) if session_id is None else _open(person).filter(pk=session_id)
        ended = _end(found, why="administrator", now=now)
        if not ended:
            raise NoSuchSession
        facts = {"sessions_ended": ended}
        trail.record(
            "staff.sessions_ended",
            subject=subject_of(person),
            actor=sender.actor,
            now=now,
            after=facts,
            why=sender.why,
        )
        return Ended(person.pk, ended)

    return forms.once(sender, effect, now=now)


def _open(person: Any) -> QuerySet[StaffSession]:
    return StaffSession.objects.filter(staff=person, ended_at=None)


def _end(found: QuerySet[StaffSession], *, why: str, now: datetime) -> int:
    """What was in a session goes with it."""
    return found.update(ended_at=now, ended_why=why, data="")


def _record(person: Any, ended: int, *, actor: Actor, now: datetime) -> int:
    if ended:
        facts = {"sessions_ended": ended}
        trail.record("staff.sessions_ended", subject=subject_of(person), actor=actor, now=now, after=facts)
    return ended
