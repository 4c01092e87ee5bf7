"""Notes about a user: what colleagues should know, changed by whoever wrote it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from memory.models import MemoryUser
from memory.rules.tiers import UserState
from memory.services import limits, quotas
from ops import roles
from ops.models import LONGEST_NOTE, UserNote
from ops.services import forms
from ops.services.measures import Sender


class NoSuchNote(Refusal):
    """There is no such note, or it was removed."""

    slug = "note-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such note. It may have been removed."


class NotYourNote(Refusal):
    """A note is changed and removed by its author: the words stay those of the person whose name is on them."""

    slug = "not-your-note"
    kind = Kind.FORBIDDEN
    title = "Only its author changes a note. Write another one below it."


class NoteChanged(Refusal):
    """The note was changed in another window since this form was opened."""

    slug = "note-changed"
    kind = Kind.CONFLICT
    title = "The note was changed since you opened this form. What you typed is kept."

    def __init__(self, current: UserNote, fields: list[str]) -> None:
        """`fields` are those that differ from what was typed."""
        super().__init__(current, fields)
        self.current = current
        self.fields = fields

    @property
    def detail(self) -> str:
        who, when = roles.label_of(self.current.author), f"{self.current.changed_at:%H:%M:%S} UTC"
        what = " and ".join(self.fields)
        told = f", and {what} differ{'' if len(self.fields) > 1 else 's'} from what you typed" if what else ""
        return f"{who} changed this note at {when}{told}. Save again to write over it."

    def facts(self) -> dict[str, Any]:
        return {"current_version": self.current.version, "fields": self.fields}


@dataclass(frozen=True, slots=True)
class Seen:
    """A note as its author saw it: another version since is a conflict."""

    id: UUID
    version: int


def add(sender: Sender, *, user_id: UUID, now: datetime) -> AuditEntry:
    """Keep the sender's words as a note; gives the act. Raises NotYourRole, Invalid, UserGone or AlreadySent."""
    roles.require(sender.staff, roles.NOTE)
    _require_words(sender.why)

    def effect() -> AuditEntry:
        if not MemoryUser.objects.filter(pk=user_id).exclude(state=UserState.ERASED).exists():
            raise quotas.UserGone
        note = UserNote.objects.create(
            user_id=user_id,
            author=sender.staff,
            text=sender.why.reason.strip(),
            ticket=sender.why.ticket,
            created_at=now,
            changed_at=now,
        )
        return _record("note.added", note, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def change(sender: Sender, seen: Seen, *, now: datetime) -> AuditEntry:
    """Put the sender's words in place of the note's; gives the act.

    Raises NotYourRole, Invalid, NoSuchNote, NotYourNote, NoteChanged or AlreadySent.
    """
    roles.require(sender.staff, roles.CHANGE_NOTE)
    _require_words(sender.why)

    def effect() -> AuditEntry:
        note = _own(seen.id, sender.staff)
        text, ticket = sender.why.reason.strip(), sender.why.ticket
        if note.version != seen.version:
            typed = {"the text": (text, note.text), "the ticket": (ticket, note.ticket)}
            raise NoteChanged(note, [name for name, (ours, theirs) in typed.items() if ours != theirs])
        note.text, note.ticket, note.version, note.changed_at = text, ticket, note.version + 1, now
        note.save(update_fields=["text", "ticket", "version", "changed_at"])
        return _record("note.changed", note, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def remove(note_id: UUID, *, staff: Any, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Take the note off the pages; gives the act. Raises NoSuchNote or NotYourNote."""
    note = _own(note_id, staff)
    note.removed_at, note.version = now, note.version + 1
    note.save(update_fields=["removed_at", "version"])
    return _record("note.removed", note, actor=actor, why=why, now=now)


def _own(note_id: UUID, staff: Any) -> UserNote:
    """The person's own note, held until the transaction ends."""
    held = UserNote.objects.select_for_update(of=("self",)).select_related("author")
    note = held.filter(pk=note_id, removed_at=None).first()
    if note is None:
        raise NoSuchNote
    if note.author_id != staff.pk:
        raise NotYourNote
    return note


def _require_words(why: Why) -> None:
    errors = limits.errors_of(why)
    if len(why.reason.strip()) > LONGEST_NOTE:
        errors.append(("/reason", f"must have at most {LONGEST_NOTE:,} characters"))
    if errors:
        raise Invalid(*errors)


def _record(action: str, note: UserNote, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """The words are the reason: the trail keeps them where an erasure can empty them."""
    subject, facts = Subject("user", str(note.user_id)), {"note": note.public_id, "version": note.version}
    return trail.record(action, subject=subject, actor=actor, now=now, after=facts, why=why)
