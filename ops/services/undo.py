"""Taking back what staff did: once, by who may do the act, and told as an act of its own that names the first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from kimberly.audit.trail import Why
from kimberly.lib.errors import Kind, Refusal
from memory.rules.selections import Deed
from memory.services import limits, selections, users
from memory.services.selections import Chosen
from ops import roles
from ops.models import UndoneAct
from ops.queries import acts
from ops.queries.acts import ActRow
from ops.services import forms, notes
from ops.services.measures import Sender


class NoWayBack(Refusal):
    """There is no such act, or nothing takes it back."""

    slug = "no-way-back"
    kind = Kind.NOT_FOUND
    title = "There is no act with this id that can be undone."


class AlreadyUndone(Refusal):
    """The act was taken back before. It is undone once."""

    slug = "already-undone"
    kind = Kind.CONFLICT
    title = "It was undone before."

    def __init__(self, undone: UndoneAct) -> None:
        super().__init__(undone)
        self.undone = undone

    @property
    def detail(self) -> str:
        return f"{roles.label_of(self.undone.staff)} undid it at {self.undone.undone_at:%H:%M:%S} UTC."


def undo(sender: Sender, act_id: UUID, *, now: datetime) -> UndoneAct:
    """Take the act back. It needs no reason of its own.

    Raises NotYourRole, Invalid, NoWayBack, AlreadyUndone, AlreadySent, and what stands against the way back itself:
    AlreadyEnded, UserNotSuspended, NotYourNote, NothingToDo, NotAllAsBefore, NoRoomToRestore or ArchiveFull.
    """
    act = acts.one(act_id, now=now)
    if act is None:
        raise NoWayBack
    roles.require(sender.staff, acts.UNDOABLE[act.action])
    why = replace(sender.why, undoes=act.id)
    limits.require_reason(why)

    def effect() -> UndoneAct:
        undone = _take(act, sender.staff, now)
        WAYS_BACK[act.action](act, sender, why, now)
        return undone

    return forms.once(sender, effect, now=now)


def _take(act: ActRow, staff: Any, now: datetime) -> UndoneAct:
    """The right to undo this act, which only one transaction gets."""
    try:
        with transaction.atomic():
            return UndoneAct.objects.create(act_id=act.id, staff=staff, undone_at=now)
    except IntegrityError as error:
        raise AlreadyUndone(UndoneAct.objects.select_related("staff").get(pk=act.id)) from error


def _lift(act: ActRow, sender: Sender, why: Why, now: datetime) -> None:
    limits.lift_throttle(UUID(act.after["throttle"]), actor=sender.actor, why=why, now=now)


def _end_raise(act: ActRow, sender: Sender, why: Why, now: datetime) -> None:
    limits.end_override(UUID(act.after["override"]), actor=sender.actor, why=why, now=now)


def _resume(act: ActRow, sender: Sender, why: Why, now: datetime) -> None:
    users.resume(act.user_id, actor=sender.actor, why=why, now=now)


def _remove_note(act: ActRow, sender: Sender, why: Why, now: datetime) -> None:
    notes.remove(UUID(act.after["note"]), staff=sender.staff, actor=sender.actor, why=why, now=now)


def _change_items(deed: Deed) -> Callable[[ActRow, Sender, Why, datetime], None]:
    def change(act: ActRow, sender: Sender, why: Why, now: datetime) -> None:
        chosen = chosen_in(act)
        selections.change(deed, chosen, user_id=act.user_id, actor=sender.actor, why=why, now=now)

    return change


def chosen_in(act: ActRow) -> list[Chosen]:
    """The items of the act, as it left them."""
    return [Chosen(UUID(key), version) for key, version in act.after["items"].items()]


WAYS_BACK: dict[str, Callable[[ActRow, Sender, Why, datetime], None]] = {
    "throttle.set": _lift,
    "quota.raised": _end_raise,
    "items.protected": _change_items(Deed.UNPROTECT),
    "items.unprotected": _change_items(Deed.PROTECT),
    "items.deleted": _change_items(Deed.RESTORE),
    "items.restored": _change_items(Deed.DELETE),
    "user.suspended": _resume,
    "note.added": _remove_note,
}
