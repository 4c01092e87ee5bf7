"""What staff does with plans of a cohort: make them, apply, stop and undo them. Each has a page with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize, clock, ids
from kimberly.lib.errors import Refusal
from memory import tasks
from memory.models import PlanCohort
from memory.queries import cohorts
from memory.queries.cohorts import Cohort
from memory.rules.plancohorts import CohortState
from memory.services import plancohorts
from ops import roles, shows, words
from ops.queries import plancohorts as queries
from ops.queries.names import Names
from ops.queries.plancohorts import CohortRow
from ops.roles import Action
from ops.services import plancohorts as deciding
from ops.services.forms import Outcome
from ops.services.measures import Sender
from ops.views import actions, meditating, pages
from ops.views.actions import Offer, get_or_post
from ops.views.forms import ReasonedForm
from ops.views.meditating import Change
from ops.views.plancohortforms import ConfirmedCohortForm, PlanCohortForm, PlanFilter
from ops.views.planforms import SHARES

FORM = "ops/cohort_form.html"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOffer(Offer):
    """An act on plans of a cohort; `row` are these, None where there are none yet."""

    row: CohortRow | None = None
    warning: str = ""


def on(row: CohortRow, *, staff: Any) -> list[CohortOffer]:
    """What can be decided of the plans as they are, by whom; each has a page of its own."""
    state = CohortState(row.cohort.state)
    if row.is_working:
        return [_stop_offer(row, staff)]
    fit: list[Callable[..., CohortOffer]] = []
    if state is CohortState.FROZEN or plancohorts.against_apply(row.cohort, now=row.now) is None:
        fit.append(_apply_offer)
    if state is not CohortState.FROZEN and plancohorts.against_undo(row.cohort, now=row.now) is None:
        fit.append(_undo_offer)
    return [offer(row, staff) for offer in fit]


@get_or_post
def plan(request: HttpRequest) -> HttpResponse:
    """Plan a prune for each customer of a list, or of whose names begin so."""
    now, sent = clock.utc_now(), actions.sent(request)
    asked = PlanFilter(sent or request.GET)
    cohort = asked.cohort(now=now) if asked.is_valid() else None
    named = cohort if cohort and cohort != cohorts.EVERYBODY else None
    users = len(cohorts.user_ids(named, now=now)) if named else 0
    form = PlanCohortForm(sent, name="plan")
    form.prefill(request.GET)

    def act(sender: Sender) -> PlanCohort:
        chosen = cohort or Cohort()
        return _and_send(
            lambda: deciding.begin(sender, chosen, target=form.target, tier=form.chosen_tier, now=clock.utc_now())
        )

    shown = {"asked": asked, "hidden": asked.hidden(now=now) if cohort else [], "users": users}
    offered = _plan_offer(request.user, form, cohort, users)
    return meditating.answer(
        request,
        offered,
        act,
        title="Plan prunes of a cohort",
        after=_page_of,
        template="ops/plan_cohort.html",
        shown=shown,
    )


@get_or_post
def apply(request: HttpRequest, cohort: str) -> HttpResponse:
    """Archive what the plans show, user by user, in the background."""
    row = row_or_404(cohort)
    form = ConfirmedCohortForm(actions.sent(request), name="apply", cohort=row.cohort.public_id)

    def act(sender: Sender) -> AuditEntry:
        return _and_send(lambda: deciding.apply(sender, row.cohort.pk, now=row.now))

    return _answer(request, row, _apply_offer(row, request.user, form), act)


@get_or_post
def undo(request: HttpRequest, cohort: str) -> HttpResponse:
    """Bring back what the plans archived, user by user, in the background."""
    row = row_or_404(cohort)
    form = ConfirmedCohortForm(actions.sent(request), name="undo", cohort=row.cohort.public_id)

    def act(sender: Sender) -> AuditEntry:
        return _and_send(lambda: deciding.undo(sender, row.cohort.pk, now=row.now))

    return _answer(request, row, _undo_offer(row, request.user, form), act)


@get_or_post
def stop(request: HttpRequest, cohort: str) -> HttpResponse:
    """Reach no more users."""
    row = row_or_404(cohort)
    form = ReasonedForm(actions.sent(request), name="stop")

    def act(sender: Sender) -> AuditEntry:
        return deciding.stop(sender, row.cohort.pk, now=row.now)

    return _answer(request, row, _stop_offer(row, request.user, form), act)


def row_or_404(cohort: str, names: Names | None = None) -> CohortRow:
    """The plans with this id, as of now; `names` are those of the page."""
    row = queries.one(pages.id_or_404(ids.Prefix.COHORT, cohort), names=names or Names(), now=clock.utc_now())
    if row is None:
        raise Http404
    return row


def anew(row: CohortRow) -> str:
    """The address at which such plans are made again, where these are never applied; else empty."""
    is_stopped = row.cohort.state == CohortState.STOPPED and row.cohort.phase is CohortState.PLANNING
    if not is_stopped and not row.is_stale:
        return ""
    of, share = row.cohort.cohort, row.cohort.target_share
    asked = {"show": of.get("show"), "tier": of.get("tier"), "q": of.get("beginning"), "scope": row.cohort.tier}
    asked["free"] = next((name for name, value in SHARES.items() if value == share), None)
    return f"{reverse('ops:plan-cohort')}?{urlencode({name: value for name, value in asked.items() if value})}"


def offer_of_new(staff: Any) -> CohortOffer:
    """The way to the form of new plans, for lists of them."""
    form = ReasonedForm(name="plan")
    return CohortOffer(
        roles.PLAN_COHORT, reverse("ops:plan-cohort"), form, actions.refused_to(staff, roles.PLAN_COHORT)
    )


def _plan_offer(staff: Any, form: ReasonedForm, cohort: Cohort | None, users: int) -> CohortOffer:
    is_everybody = cohort == cohorts.EVERYBODY
    wrong = "" if cohort else "What is asked for above cannot be read: mend it first."
    nobody = "" if users or is_everybody else "Nobody is among these customers now."
    unnamed = "Choose a list above, or how the ids or names begin: plans archive of nobody whom nobody chose."
    whom = f"{words.counted(users, 'user')}: {shows.of_cohort(cohort)}" if cohort else ""
    return CohortOffer(
        roles.PLAN_COHORT,
        reverse("ops:plan-cohort"),
        form,
        actions.refused_to(staff, roles.PLAN_COHORT) or wrong or (unnamed if is_everybody else nobody),
        home=reverse("ops:cohorts"),
        change=(("Users", whom, "a frozen plan for each"),),
        warning="Nothing is archived by it: a lead looks at the whole, and applies it within 24 h.",
    )


def _apply_offer(row: CohortRow, staff: Any, form: ReasonedForm | None = None) -> CohortOffer:
    of = row.of
    change = (
        ("Users", f"{of.open_users:,} planned, none of it archived", "applied, one after the other"),
        ("Active", f"{words.counted(of.open_items, 'item')}, {bytesize.human(of.open_bytes)}", "in the archive"),
    )
    form = form or ConfirmedCohortForm(name="apply", cohort=row.cohort.public_id)
    warning = (
        "Exactly what the plans show leaves retrieval at once; what changed since is left and told. Each "
        "user’s can come back until its grace ends."
    )
    against = plancohorts.against_apply(row.cohort, now=row.now)
    return _offer(row, roles.APPLY_COHORT, form, against, staff, change=change, warning=warning)


def _undo_offer(row: CohortRow, staff: Any, form: ReasonedForm | None = None) -> CohortOffer:
    of = row.of
    change = (
        (
            "Archived",
            f"{words.counted(of.standing_items, 'item')}, {bytesize.human(of.standing_bytes)}",
            "active again",
        ),
        ("Users", "as the plans left them", "as they were, each as a whole or not at all"),
    )
    warning = (
        "Whom there is no room for is listed, with what would make room. Short-term items live another 24 h, "
        "and the next meditation looks at all of it anew."
    )
    form = form or ConfirmedCohortForm(name="undo", cohort=row.cohort.public_id)
    against = plancohorts.against_undo(row.cohort, now=row.now)
    return _offer(row, roles.UNDO_COHORT, form, against, staff, change=change, warning=warning)


def _stop_offer(row: CohortRow, staff: Any, form: ReasonedForm | None = None) -> CohortOffer:
    of = row.of
    stays = {
        CohortState.PLANNING: "stopped; it is not applied: begin anew",
        CohortState.APPLYING: "stopped; what is archived stays so until it is undone, and apply goes on",
        CohortState.UNDOING: "stopped; what is back stays, and undo goes on",
    }
    change = (
        ("State", str(row.cohort.state), stays[row.cohort.phase]),
        ("Users reached", f"{of.told:,} of {of.reaches:,}", "no more"),
    )
    against = None if row.is_working else plancohorts.NotInThatPhase(row.cohort)
    return _offer(row, roles.STOP_COHORT, form or ReasonedForm(name="stop"), against, staff, change=change)


def _offer(
    row: CohortRow,
    action: Action,
    form: ReasonedForm,
    against: Refusal | None,
    staff: Any,
    *,
    change: tuple[Change, ...],
    warning: str = "",
) -> CohortOffer:
    url = reverse(f"ops:{action.name}", args=[row.cohort.public_id])
    stands = " ".join([against.detail, *against.remedies()]) if against else ""
    refused = actions.refused_to(staff, action) or stands
    home = reverse("ops:cohort", args=[row.cohort.public_id])
    return CohortOffer(action, url, form, refused, home=home, change=change, row=row, warning=warning)


def _answer(request: HttpRequest, row: CohortRow, offer: CohortOffer, act: Callable[[Sender], Outcome]) -> HttpResponse:
    return meditating.answer(
        request, offer, act, title=offer.action.label, after=lambda done: f"{offer.home}?done={done}", template=FORM
    )


def _and_send(decide: Callable[[], T]) -> T:
    return meditating.and_send(decide, send=tasks.send_for_cohort)


def _page_of(cohort: str) -> str:
    return f"{reverse('ops:cohort', args=[cohort])}?done={cohort}"
