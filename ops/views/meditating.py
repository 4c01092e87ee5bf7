"""Beginning a meditation, of one user or of all: a form with a reason, and the run is left to the workers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from kimberly.lib import bytesize, clock
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid
from memory import tasks
from memory.models import MeditationRun
from memory.queries import cohorts
from memory.queries.cohorts import Cohort
from memory.rules.tiers import Tier, UserState
from ops import roles, shows, words
from ops.queries import meditations
from ops.queries.meditations import AheadOfAll, RunRow
from ops.queries.users import Profile
from ops.services import meditations as beginning
from ops.services.forms import AlreadySent, Outcome
from ops.services.measures import Sender
from ops.views import actions, pages
from ops.views.actions import Offer, get_or_post
from ops.views.cohortforms import CohortFilter, MeditateSomeForm
from ops.views.forms import ReasonedForm
from ops.views.itemforms import MeditateForm

ARCHIVED_FROM = (Tier.SHORT_TERM, Tier.LONG_TERM)
Change = tuple[str, str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOffer(Offer):
    """An act on meditations; `row` is the run in question, None where there is none yet."""

    row: RunRow | None = None
    warning: str = ""


@get_or_post
def meditate(request: HttpRequest, user: str) -> HttpResponse:
    """Meditate on one user now."""
    profile = actions.profile_or_404(user)
    form, now = MeditateForm(actions.sent(request), name="meditate"), clock.utc_now()

    def act(sender: Sender) -> MeditationRun:
        return and_send(lambda: beginning.begin_of_user(sender, user_id=profile.user.pk, now=now))

    offered = offer(profile, request.user, form, change=tuple(_changes(profile, now)))
    return actions.answer(request, profile, offered, act, "reasoned_form")


@get_or_post
def meditate_all(request: HttpRequest) -> HttpResponse:
    """Meditate on all customers now."""
    ahead = meditations.ahead_of_all(now=clock.utc_now())
    form = MeditateSomeForm(actions.sent(request), name="meditate", users=ahead.customers)
    offered = offer_of_all(request.user, form, change=tuple(_changes_of_all(ahead, clock.utc_now())))

    def act(sender: Sender) -> MeditationRun:
        return and_send(lambda: beginning.begin_of_all(sender, now=clock.utc_now()))

    return answer(request, offered, act, title="Meditate all", after=_page_of)


@get_or_post
def meditate_some(request: HttpRequest) -> HttpResponse:
    """Meditate on the customers of a list, or on those who were missed in a window."""
    now, sent = clock.utc_now(), actions.sent(request)
    asked = CohortFilter(sent or request.GET)
    cohort = asked.cohort(now=now) if asked.is_valid() else None
    users = len(cohorts.user_ids(cohort, now=now)) if cohort else 0
    form = MeditateSomeForm(sent, name="meditate", users=users)

    def act(sender: Sender) -> MeditationRun:
        return and_send(lambda: beginning.begin_of_some(sender, cohort or Cohort(), now=now))

    shown = {"asked": asked, "hidden": asked.hidden(now=now) if cohort else [], "users": users}
    offered = _offer_of_some(request.user, form, cohort, users)
    title = "Meditate on some users"
    return answer(request, offered, act, title=title, after=_page_of, template="ops/meditate_some.html", shown=shown)


def _offer_of_some(staff: Any, form: ReasonedForm, cohort: Cohort | None, users: int) -> RunOffer:
    nobody = "" if users else "Nobody is among these customers now."
    whom = f"{words.counted(users, 'user')}: {shows.of_cohort(cohort)}" if cohort else ""
    wrong = "" if cohort else "What is asked for above cannot be read: mend it first."
    return RunOffer(
        roles.MEDITATE_SOME,
        reverse("ops:meditate-some"),
        form,
        actions.refused_to(staff, roles.MEDITATE_SOME) or wrong or nobody,
        home=reverse("ops:meditation"),
        change=(("Users", whom, "all scored anew"),),
        warning="What is archived can come back until its grace ends; what is purged cannot.",
    )


def answer(
    request: HttpRequest,
    offered: Offer,
    act: Callable[[Sender], Outcome],
    *,
    title: str,
    after: Callable[[str], str],
    template: str = "ops/run_form.html",
    shown: Mapping[str, Any] = MappingProxyType({}),
) -> HttpResponse:
    """Send the form and go to the page after what was done, or show it with what stands against it."""
    form, status = offered.form, 200
    if request.method == "POST" and roles.why_not(request.user, offered.action) is not None:
        status = 403
    elif request.method == "POST" and not form.is_valid():
        status = 422
    elif request.method == "POST":
        try:
            made = act(form.sender(request.user, request_id=requestid.of(request)))
        except AlreadySent as again:
            return redirect(after(again.outcome))
        except Refusal as refused:
            form.refuse(refused)
            status = problems.STATUS[refused.kind]
        else:
            return redirect(after(made.public_id))
    return pages.show(request, template, {**shown, "title": title, "offer": offered}, status=status)


def offer(profile: Profile, staff: Any, form: MeditateForm, *, change: tuple[Change, ...] = ()) -> Offer:
    """A meditation of this user; `change` says what it would look at."""
    url = reverse("ops:meditate", args=[profile.user.public_id])
    is_gone = profile.user.state in (UserState.ERASING, UserState.ERASED)
    gone = "This user is erased: there is nothing to meditate on." if is_gone else ""
    return Offer(roles.MEDITATE, url, form, actions.refused_to(staff, roles.MEDITATE) or gone, change=change)


def offer_of_all(staff: Any, form: ReasonedForm | None = None, *, change: tuple[Change, ...] = ()) -> RunOffer:
    """A meditation of all customers."""
    url, why_not = reverse("ops:meditate-all"), actions.refused_to(staff, roles.MEDITATE_ALL)
    warning = "What is archived can come back until its grace ends; what is purged cannot."
    form = form or MeditateForm(name="meditate")
    home = reverse("ops:meditation")
    return RunOffer(roles.MEDITATE_ALL, url, form, why_not, home=home, change=change, warning=warning)


def and_send(decide: Callable[[], T], *, send: Callable[[], object] = tasks.send_lanes) -> T:
    """Decide, and send for workers once it is kept; without a queue the watch does, within a minute."""
    with transaction.atomic():
        decided = decide()
        transaction.on_commit(send, robust=True)
    return decided


def _page_of(run: str) -> str:
    return f"{reverse('ops:meditation-run', args=[run])}?done={run}"


def _changes(profile: Profile, now: datetime) -> Iterator[Change]:
    """What would be scored, and what may go: names, now, afterwards."""
    ahead = meditations.ahead_of(profile.user.pk, now=now)
    scored = words.relative(ahead.scored_at, now) if ahead.scored_at else "not yet"
    yield "Scored", scored, f"{words.counted(ahead.active, 'item')} anew"
    for tier in ARCHIVED_FROM:
        usage = profile.tiers.get(tier)
        if usage is not None and usage.is_over_soft:
            soft = f"down to {bytesize.human(usage.soft_bytes)}, within the daily cap"
            yield f"{tier.label}, over soft", bytesize.human(usage.active_bytes), soft
    if ahead.past_life:
        yield "Past their life", words.counted(ahead.past_life, "item"), "promoted or archived"
    if ahead.past_grace:
        yield "Past their grace", words.counted(ahead.past_grace, "archived item"), "purged for good"


def _changes_of_all(ahead: AheadOfAll, now: datetime) -> Iterator[Change]:
    yield "Customers", f"{ahead.behind:,} of {ahead.customers:,} not scored for 24 h", "all scored anew"
    yield "Over soft", "as they are", "archived down to it, within the daily cap"
    begun = words.relative(ahead.newest.created_at, now) if ahead.newest else "none yet"
    yield "Last run", begun, "now"
