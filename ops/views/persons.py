"""What staff does to a user as a whole: suspend, resume, and write notes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.rules.tiers import UserState
from ops import badges, roles
from ops.models import UserNote
from ops.queries import notes as note_queries
from ops.queries import users
from ops.queries.names import Names
from ops.queries.users import Profile
from ops.services import notes, suspensions
from ops.services.measures import Sender
from ops.services.notes import Seen
from ops.views import actions, meditating, pruning
from ops.views.actions import Offer, get_or_post
from ops.views.itemforms import MeditateForm, NoteForm, ResumeForm, SuspendForm

NOTES = "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteOffer(Offer):
    """A note that is written, or one that is changed."""

    note_to_change: UserNote | None = None


@dataclass(frozen=True, slots=True)
class PersonOffers:
    """The actions on the user as a whole; `resume` is there while the user is suspended."""

    suspend: Offer
    resume: Offer | None
    note: Offer
    meditate: Offer
    plan: Offer


def on(profile: Profile, *, staff: Any) -> PersonOffers:
    """What the person of staff may do to the user, with a form each."""
    suspended = profile.user.state == UserState.SUSPENDED
    return PersonOffers(
        _suspend_offer(profile, staff, _suspend_form(profile)),
        _resume_offer(profile, staff, ResumeForm(name="resume")) if suspended else None,
        _note_offer(profile, staff, NoteForm(name="note")),
        meditating.offer(profile, staff, MeditateForm(name="meditate")),
        pruning.offer(profile, staff),
    )


@get_or_post
def suspend(request: HttpRequest, user: str) -> HttpResponse:
    """Stop the user's writes and queries until further notice."""
    profile = actions.profile_or_404(user)
    form = _suspend_form(profile, actions.sent(request))
    now = clock.utc_now()

    def act(sender: Sender) -> AuditEntry:
        return suspensions.suspend(sender, user_id=profile.user.pk, now=now)

    return actions.answer(request, profile, _suspend_offer(profile, request.user, form), act, "suspend_form")


@get_or_post
def resume(request: HttpRequest, user: str) -> HttpResponse:
    """Let a suspended user go on."""
    profile = actions.profile_or_404(user)
    form = ResumeForm(actions.sent(request), name="resume")
    now = clock.utc_now()

    def act(sender: Sender) -> AuditEntry:
        return suspensions.resume(sender, user_id=profile.user.pk, now=now)

    return actions.answer(request, profile, _resume_offer(profile, request.user, form), act, "reasoned_form")


@get_or_post
def note(request: HttpRequest, user: str) -> HttpResponse:
    """Write a note about the user."""
    profile = actions.profile_or_404(user)
    form = NoteForm(actions.sent(request), name="note")
    now = clock.utc_now()

    def act(sender: Sender) -> AuditEntry:
        return notes.add(sender, user_id=profile.user.pk, now=now)

    return actions.answer(request, profile, _note_offer(profile, request.user, form), act, "note_form")


@get_or_post
def change_note(request: HttpRequest, note: UUID) -> HttpResponse:
    """Change one's own note."""
    kept, now = note_queries.one(note), clock.utc_now()
    profile = users.profile(kept.user_id, names=Names(), now=now) if kept else None
    if kept is None or profile is None:
        raise Http404
    form = NoteForm(actions.sent(request), name="note", note=kept)

    def act(sender: Sender) -> AuditEntry:
        return notes.change(sender, Seen(kept.pk, form.cleaned_data["version"] or 0), now=now)

    return actions.answer(request, profile, _change_note_offer(kept, request.user, form), act, "note_form")


def _suspend_form(profile: Profile, data: Any = None) -> SuspendForm:
    return SuspendForm(data, name="suspend", external_id=profile.user.external_id)


def _suspend_offer(profile: Profile, staff: Any, form: SuspendForm) -> Offer:
    url = reverse("ops:suspend", args=[profile.user.public_id])
    state = UserState(profile.user.state)
    over = "" if state is UserState.ACTIVE else f"This user is {badges.USER[state].text.lower()} already."
    change = (("State", "active", "suspended"), ("Writes and queries", "answered", "refused, 403"))
    return Offer(roles.SUSPEND, url, form, actions.refused_to(staff, roles.SUSPEND) or over, change=change)


def _resume_offer(profile: Profile, staff: Any, form: ResumeForm) -> Offer:
    url = reverse("ops:resume", args=[profile.user.public_id])
    over = (
        "" if profile.user.state == UserState.SUSPENDED else "This user is not suspended: there is nothing to resume."
    )
    change = (("State", "suspended", "active"), ("Writes and queries", "refused, 403", "answered"))
    return Offer(roles.RESUME, url, form, actions.refused_to(staff, roles.RESUME) or over, change=change)


def _note_offer(profile: Profile, staff: Any, form: NoteForm) -> Offer:
    url = reverse("ops:note", args=[profile.user.public_id])
    gone = "This user is erased: nothing is kept about them." if profile.user.state == UserState.ERASED else ""
    return NoteOffer(
        action=roles.NOTE, url=url, form=form, why_not=actions.refused_to(staff, roles.NOTE) or gone, tab=NOTES
    )


def _change_note_offer(kept: UserNote, staff: Any, form: NoteForm) -> NoteOffer:
    url = reverse("ops:change-note", args=[kept.pk])
    author = roles.label_of(kept.author)
    anothers = "" if kept.author_id == staff.pk else f"{author} wrote this note, and only {author} changes it."
    return NoteOffer(
        action=roles.CHANGE_NOTE,
        url=url,
        form=form,
        why_not=actions.refused_to(staff, roles.CHANGE_NOTE) or anothers,
        tab=NOTES,
        note_to_change=kept,
    )
