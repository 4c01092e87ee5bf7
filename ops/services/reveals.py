"""Revealing one user's content to one person of staff for a quarter of an hour, and masking it again before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.lib import clock
from kimberly.lib.errors import Invalid, Kind, Refusal
from memory.models import MemoryUser
from memory.rules.tiers import UserState
from memory.services import limits, quotas
from memory.services.limits import AlreadyEnded
from ops import roles
from ops.models import LONGEST_REVEAL, ContentReveal
from ops.services import forms
from ops.services.measures import Sender


class AlreadyRevealed(Refusal):
    """The content shows to this person already. One reason stands for one look: it is not made longer."""

    slug = "already-revealed"
    kind = Kind.CONFLICT
    title = "The content shows to you already. Mask it first, or wait for the end."

    def __init__(self, existing: ContentReveal) -> None:
        super().__init__(existing)
        self.existing = existing

    @property
    def detail(self) -> str:
        until = clock.time_and_zone(self.existing.ends_at)
        return f"The content shows to you until {until} already. Mask it first, or wait until then."

    def facts(self) -> dict[str, Any]:
        return {"existing_id": self.existing.public_id}


class NoSuchReveal(Refusal):
    """There is no such reveal."""

    slug = "reveal-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such reveal."


def reveal(sender: Sender, *, user_id: UUID, now: datetime) -> ContentReveal:
    """Show the user's content to the sender for 15 minutes.

    Raises NotYourRole, Invalid, UserGone, AlreadyRevealed or AlreadySent.
    """
    roles.require(sender.staff, roles.REVEAL)
    _refuse(limits.errors_of(sender.why))

    def effect() -> ContentReveal:
        _let_one_after_the_other(user_id)
        mine = ContentReveal.objects.filter(user_id=user_id, staff=sender.staff, ended_at=None, ends_at__gt=now)
        if existing := mine.first():
            raise AlreadyRevealed(existing)
        made = ContentReveal.objects.create(
            user_id=user_id,
            staff=sender.staff,
            reason=sender.why.reason.strip(),
            ticket=sender.why.ticket,
            started_at=now,
            ends_at=now + LONGEST_REVEAL,
        )
        facts = {"reveal": made.public_id, "ends_at": made.ends_at.isoformat()}
        _record("content.revealed", made, sender, before={}, after=facts, now=now)
        return made

    return forms.once(sender, effect, now=now)


def mask(sender: Sender, reveal_id: UUID, *, now: datetime) -> ContentReveal:
    """End a reveal before its time. Who ends another one's says why; one's own needs no reason.

    Raises NotYourRole, Invalid, NoSuchReveal, AlreadyEnded or AlreadySent.
    """
    roles.require(sender.staff, roles.MASK)

    def effect() -> ContentReveal:
        found = ContentReveal.objects.select_for_update().filter(pk=reveal_id).first()
        if found is None:
            raise NoSuchReveal
        if sender.why != Why() or found.staff_id != sender.staff.pk:
            _refuse(limits.errors_of(sender.why))
        if found.ended_at is not None or found.ends_at <= now:
            raise AlreadyEnded
        found.ended_at, found.ended_by = now, str(sender.actor)
        found.save(update_fields=["ended_at", "ended_by"])
        before = {"ends_at": found.ends_at.isoformat()}
        facts = {"reveal": found.public_id, "revealed_to": str(found.staff_id)}
        _record("content.masked", found, sender, before=before, after=facts, now=now)
        return found

    return forms.once(sender, effect, now=now)


def _let_one_after_the_other(user_id: UUID) -> None:
    """Hold the user's row, which writers of items only share: two forms at once see each other."""
    there = MemoryUser.objects.select_for_update(no_key=True).filter(pk=user_id).exclude(state=UserState.ERASED)
    if there.first() is None:
        raise quotas.UserGone


def _refuse(errors: list[tuple[str, str]]) -> None:
    if errors:
        raise Invalid(*errors)


def _record(
    action: str, reveal: ContentReveal, sender: Sender, *, before: dict[str, Any], after: dict[str, Any], now: datetime
) -> None:
    subject = Subject("user", str(reveal.user_id))
    trail.record(action, subject=subject, actor=sender.actor, now=now, before=before, after=after, why=sender.why)
