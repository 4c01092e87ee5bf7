"""What staff does to chosen items of one user: protect, unprotect, delete, restore."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.rules.selections import Deed
from memory.rules.tiers import UserState
from memory.services.selections import MOST_CHOSEN
from ops import badges
from ops.queries import choices
from ops.queries.choices import Preview
from ops.queries.users import Profile
from ops.roles import Action
from ops.services import itemacts
from ops.services.measures import Sender
from ops.views import actions
from ops.views.actions import Offer, get_or_post
from ops.views.itemforms import DeleteItemsForm, ItemsForm, ids_in

TAB = "items"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsOffer(Offer):
    """A deed on chosen items, with what it would do to them."""

    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A button below a list of items: where it leads, or why it is not available."""

    deed: Deed
    action: Action
    url: str
    why_not: str

    @property
    def word(self) -> str:
        """The verb alone; what it is about stands beside it."""
        return self.deed.capitalize()


@get_or_post
def protect(request: HttpRequest, user: str) -> HttpResponse:
    """Keep chosen items from every automatic process."""
    return _change(request, user, Deed.PROTECT)


@get_or_post
def unprotect(request: HttpRequest, user: str) -> HttpResponse:
    """Let automatic processes take chosen items again."""
    return _change(request, user, Deed.UNPROTECT)


@get_or_post
def delete(request: HttpRequest, user: str) -> HttpResponse:
    """Move chosen items to the archive."""
    return _change(request, user, Deed.DELETE)


@get_or_post
def restore(request: HttpRequest, user: str) -> HttpResponse:
    """Bring chosen items back from the archive."""
    return _change(request, user, Deed.RESTORE)


PAGES = {
    Deed.PROTECT: "ops:protect",
    Deed.UNPROTECT: "ops:unprotect",
    Deed.DELETE: "ops:delete-items",
    Deed.RESTORE: "ops:restore-items",
}


def choices_for(profile: Profile, *, archived: bool, staff: Any) -> list[Choice]:
    """What can be done to the items of a list, by everybody who may; to the others it says who."""
    deeds = (Deed.RESTORE,) if archived else (Deed.PROTECT, Deed.UNPROTECT, Deed.DELETE)
    return [
        Choice(
            deed,
            itemacts.ROLES[deed],
            reverse(PAGES[deed], args=[profile.user.public_id]),
            actions.refused_to(staff, itemacts.ROLES[deed]),
        )
        for deed in deeds
    ]


def _change(request: HttpRequest, user: str, deed: Deed) -> HttpResponse:
    profile = actions.profile_or_404(user)
    form = _form(request, profile, deed)
    now = clock.utc_now()

    def act(sender: Sender) -> AuditEntry:
        return itemacts.change(sender, deed, form.chosen, user_id=profile.user.pk, now=now)

    return actions.answer(request, profile, _offer(request.user, profile, deed, form), act, "items_form")


def _form(request: HttpRequest, profile: Profile, deed: Deed) -> ItemsForm:
    data = actions.sent(request)
    chosen = [] if data is not None else choices.frozen(profile.user.pk, ids_in(request.GET.getlist("item")))
    if deed is Deed.DELETE:
        return DeleteItemsForm(data, name="delete", chosen=chosen, external_id=profile.user.external_id)
    return ItemsForm(data, name=str(deed), chosen=chosen)


def _offer(staff: Any, profile: Profile, deed: Deed, form: ItemsForm) -> ItemsOffer:
    action = itemacts.ROLES[deed]
    shown = form.chosen[:MOST_CHOSEN]
    preview = choices.preview(deed, shown, profile.tiers, user_id=profile.user.pk)
    return ItemsOffer(
        action=action,
        url=reverse(PAGES[deed], args=[profile.user.public_id]),
        form=form,
        why_not=actions.refused_to(staff, action) or _gone(profile) or _why_not(form, preview),
        preview=preview,
        change=preview.change,
        tab=TAB,
    )


def _gone(profile: Profile) -> str:
    """Nothing is changed of somebody whose memories are being erased."""
    state = UserState(profile.user.state)
    gone = state in (UserState.ERASING, UserState.ERASED)
    return f"This user is {badges.USER[state].text.lower()}: there is nothing left to change." if gone else ""


def _why_not(form: ItemsForm, preview: Preview) -> str:
    if not form.chosen:
        return "No item is chosen. Choose some on the user's items, then press the button below them."
    if len(form.chosen) > MOST_CHOSEN:
        return f"{len(form.chosen):,} items are chosen; {MOST_CHOSEN} can be changed at once."
    if not preview.items:
        return f"There is nothing to change. Of the chosen items {preview.left_out}."
    if preview.archive_is_full:
        return "The archive is full of protected items, which nothing pushes out. Restore or unprotect some first."
    if preview.shortage is not None:
        return f"{preview.shortage.detail} What would help: {' '.join(preview.shortage.remedies())}"
    return ""
