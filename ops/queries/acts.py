"""Acts of staff on one user, which can be taken back: what was done, by whom, and whether it was undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.audit.models import AuditEntry
from kimberly.lib.actors import ActorKind
from ops import roles, telling
from ops.queries.names import Name, Names
from ops.roles import Action
from ops.telling import Facts

# Whoever may do it may take it back.
UNDOABLE: dict[str, Action] = {
    "throttle.set": roles.THROTTLE,
    "quota.raised": roles.RAISE_QUOTA,
    "items.protected": roles.PROTECT,
    "items.unprotected": roles.UNPROTECT,
    "items.deleted": roles.DELETE_ITEMS,
    "items.restored": roles.RESTORE_ITEMS,
    "user.suspended": roles.SUSPEND,
    "note.added": roles.NOTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act; `can_be_undone` says whether there is a way back at all, `undone_by` who took it."""

    id: UUID
    user_id: UUID
    action: str
    at: datetime
    what: str
    before: Facts
    after: Facts
    actor_id: str
    who: Name
    reason: str
    ticket: str
    can_be_undone: bool
    undone_by: str
    undone_at: datetime | None


def can_be_undone(entry: AuditEntry) -> bool:
    """Whether there is a way back from it. An undo has none: do the act again, with a reason."""
    return entry.action in UNDOABLE and entry.actor_kind == ActorKind.STAFF and "undoes" not in entry.after


def one(act_id: UUID, *, now: datetime) -> ActRow | None:
    """The act; None when there is none with this id, or no way back from it."""
    entry = _entries().filter(pk=act_id).first()
    return _row(entry, now) if entry is not None and can_be_undone(entry) else None


def told(act_id: UUID, user_id: UUID, *, now: datetime) -> ActRow | None:
    """An act of staff on this user, whether there is a way back or not."""
    entry = _entries().filter(pk=act_id, subject_id=str(user_id), actor_kind=ActorKind.STAFF).first()
    return _row(entry, now) if entry is not None else None


def of_measure(user_id: UUID, measure_id: UUID, *, now: datetime) -> ActRow | None:
    """The act that set the throttle or the raise."""
    mine = _entries().filter(subject_id=str(user_id))
    set_by = {"throttle.set": "after__throttle", "quota.raised": "after__override"}
    for action, key in set_by.items():
        found = mine.filter(action=action, **{key: str(measure_id)}).first()
        if found is not None:
            return _row(found, now)
    return None


def undone_of(entry: Any) -> tuple[str, datetime | None]:
    """Who took it back, and when."""
    undone = getattr(entry, "undone", None)
    return (roles.label_of(undone.staff), undone.undone_at) if undone else ("", None)


def _entries() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(subject_kind="user").select_related("text", "undone__staff").order_by("at", "pk")


def _row(entry: AuditEntry, now: datetime) -> ActRow:
    text = getattr(entry, "text", None)
    undone_by, undone_at = undone_of(entry)
    return ActRow(
        id=entry.pk,
        user_id=UUID(entry.subject_id),
        action=entry.action,
        at=entry.at,
        what=telling.tell(entry, now).what,
        before=entry.before,
        after=entry.after,
        actor_id=entry.actor_id,
        who=Names().of(f"{entry.actor_kind}:{entry.actor_id}"),
        reason=text.reason if text else "",
        ticket=text.ticket if text else "",
        can_be_undone=can_be_undone(entry),
        undone_by=undone_by,
        undone_at=undone_at,
    )
