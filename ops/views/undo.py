"""Taking back what was done: from the message right after it, or later from the timeline."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.lib import clock
from memory.rules.selections import Deed
from memory.rules.tiers import UserState
from ops import roles, words
from ops.models import UndoneAct
from ops.queries import acts, choices, users
from ops.queries import notes as note_queries
from ops.queries.acts import ActRow
from ops.queries.choices import Preview
from ops.queries.names import Names
from ops.queries.users import Profile
from ops.services import undo as undoing
from ops.services.measures import Sender
from ops.views import actions
from ops.views.actions import Offer, get_or_post
from ops.views.itemforms import UndoForm

Change = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOffer(Offer):
    """The way back from an act, and what it would do."""

    act: ActRow
    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """What the way back changes, or why there is none now."""

    change: Change = ()
    why_not: str = ""
    preview: Preview | None = None


@get_or_post
def undo(request: HttpRequest, act: UUID) -> HttpResponse:
    """Take the act back, once."""
    now = clock.utc_now()
    row = acts.one(act, now=now)
    profile = users.profile(row.user_id, names=Names(), now=now) if row else None
    if row is None or profile is None:
        raise Http404
    form = UndoForm(actions.sent(request), name="undo")

    def take_back(sender: Sender) -> UndoneAct:
        return undoing.undo(sender, row.id, now=now)

    return actions.answer(request, profile, _offer(row, profile, request.user, form), take_back, "undo_form")


def _offer(row: ActRow, profile: Profile, staff: Any, form: UndoForm) -> UndoOffer:
    action = replace(acts.UNDOABLE[row.action], label="Undo", needs_fresh_sign_in=False)
    way = Way() if row.undone_by else WAYS[row.action](row, profile, staff)
    undone = f"{row.undone_by} undid it {words.relative(row.undone_at or row.at, clock.utc_now())}."
    return UndoOffer(
        action=action,
        url=reverse("ops:undo", args=[row.id]),
        form=form,
        why_not=actions.refused_to(staff, action) or (undone if row.undone_by else way.why_not),
        act=row,
        preview=way.preview,
        change=way.change,
        tab="items" if row.action.startswith("items.") else "",
    )


def _measure(row: ActRow, profile: Profile, staff: Any) -> Way:
    key = row.after.get("throttle") or row.after.get("override")
    for measure in profile.in_force:
        if str(measure.id) == key:
            return Way(actions.change_of(profile, measure))
    return Way(why_not="There is nothing to undo: it has ended.")


def _suspension(row: ActRow, profile: Profile, staff: Any) -> Way:
    if profile.user.state != UserState.SUSPENDED:
        return Way(why_not="There is nothing to undo: this user is not suspended any more.")
    return Way((("State", "suspended", "active"),))


def _note(row: ActRow, profile: Profile, staff: Any) -> Way:
    note = note_queries.one(UUID(row.after["note"]))
    if note is None:
        return Way(why_not="There is nothing to undo: the note was removed.")
    author = roles.label_of(note.author)
    if note.author_id != staff.pk:
        return Way(why_not=f"{author} wrote this note, and only {author} removes it.")
    return Way((("Note", "shown to colleagues", "removed"),))


def _items(deed: Deed) -> Callable[[ActRow, Profile, Any], Way]:
    def way(row: ActRow, profile: Profile, staff: Any) -> Way:
        preview = choices.preview(deed, undoing.chosen_in(row), profile.tiers, user_id=profile.user.pk)
        return Way(preview.change, _against(deed, preview), preview)

    return way


def _against(deed: Deed, preview: Preview) -> str:
    """What stands against changing the items back. What was deleted comes back as a whole, or not at all."""
    if not preview.items:
        return f"There is nothing to undo: of the items {preview.left_out}."
    if preview.skipped and deed is Deed.RESTORE:
        return f"All come back, or none: of the items {preview.left_out}. Restore the others from the archived items."
    if preview.archive_is_full:
        return "The archive is full of protected items, which nothing pushes out."
    if preview.shortage is not None:
        return f"{preview.shortage.detail} What would help: {' '.join(preview.shortage.remedies())}"
    return ""


WAYS: dict[str, Callable[[ActRow, Profile, Any], Way]] = {
    "throttle.set": _measure,
    "quota.raised": _measure,
    "items.protected": _items(Deed.UNPROTECT),
    "items.unprotected": _items(Deed.PROTECT),
    "items.deleted": _items(Deed.RESTORE),
    "items.restored": _items(Deed.DELETE),
    "user.suspended": _suspension,
    "note.added": _note,
}
