"""The staff's actions on one user: a form with a reason, one service call, and back to the user's page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kimberly.lib import bytesize, clock, ids
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid
from memory.models import QuotaOverride, Throttle
from memory.rules.tiers import UserState
from ops import roles, words
from ops.queries import measures as measure_queries
from ops.queries import users
from ops.queries.measures import MeasureRow, Sort
from ops.queries.names import Names
from ops.queries.users import Profile
from ops.roles import Action
from ops.services import measures
from ops.services.forms import AlreadySent
from ops.services.measures import Sender
from ops.views import pages
from ops.views.forms import EndForm, RaiseForm, ReasonedForm, ThrottleForm

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as a page offers it: its form, or, when `why_not` says something, why it is not available."""

    action: Action
    url: str
    form: ReasonedForm
    why_not: str
    note: str = ""
    measure: MeasureRow | None = None
    change: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Offers:
    """Every action on one user."""

    throttle: Offer
    raise_quota: Offer
    ends: list[Offer]


def on(profile: Profile, *, staff: Any) -> Offers:
    """What the person may do to the user, with a form each."""
    return Offers(
        _throttle_offer(profile, staff),
        _raise_offer(profile, staff),
        [_end_offer(profile, measure, staff) for measure in profile.in_force],
    )


@get_or_post
def throttle(request: HttpRequest, user: str) -> HttpResponse:
    """Brake the user for a time."""
    profile = _profile_or_404(user)
    form = ThrottleForm(_sent(request), name="throttle")
    now = clock.utc_now()

    def act(sender: Sender) -> Throttle:
        brake = measures.Brake(form.throttle_scope, form.per_minute)
        return measures.throttle(sender, brake, user_id=profile.user.pk, ends_at=form.ends(now), now=now)

    return _answer(request, profile, _throttle_offer(profile, request.user, form), act, "throttle_form")


@get_or_post
def raise_quota(request: HttpRequest, user: str) -> HttpResponse:
    """Give one of the user's tiers a higher limit for a time."""
    profile = _profile_or_404(user)
    form = RaiseForm(_sent(request), name="raise", tiers=profile.tiers)
    now = clock.utc_now()

    def act(sender: Sender) -> QuotaOverride:
        limit = measures.Limit(form.chosen_tier, form.hard_bytes)
        return measures.raise_quota(sender, limit, user_id=profile.user.pk, ends_at=form.ends(now), now=now)

    return _answer(request, profile, _raise_offer(profile, request.user, form), act, "raise_form")


@get_or_post
def lift_throttle(request: HttpRequest, measure: str) -> HttpResponse:
    """End a throttle before its time."""
    now = clock.utc_now()
    row = measure_queries.one_throttle(pages.id_or_404(ids.Prefix.THROTTLE, measure), now=now)
    return _end(request, row, lambda sender, found: measures.lift_throttle(sender, found.id, now=now))


@get_or_post
def end_override(request: HttpRequest, measure: str) -> HttpResponse:
    """End a raise before its time."""
    now = clock.utc_now()
    row = measure_queries.one_override(pages.id_or_404(ids.Prefix.OVERRIDE, measure), now=now)
    return _end(request, row, lambda sender, found: measures.end_override(sender, found.id, now=now))


def _end(
    request: HttpRequest, row: MeasureRow | None, end: Callable[[Sender, MeasureRow], Throttle | QuotaOverride]
) -> HttpResponse:
    profile = users.profile(row.user_id, names=Names(), now=row.now) if row else None
    if row is None or profile is None:
        raise Http404
    form = EndForm(_sent(request), name="end")
    offer = _end_offer(profile, row, request.user, form)
    return _answer(request, profile, offer, lambda sender: end(sender, row), "end_form")


def _answer(
    request: HttpRequest,
    profile: Profile,
    offer: Offer,
    act: Callable[[Sender], Throttle | QuotaOverride],
    form_part: str,
) -> HttpResponse:
    """Send the form and go back to the user's page, or show it with what stands against it and what was typed."""
    status = 200
    if request.method == "POST":
        refusal = roles.why_not(request.user, offer.action)
        if refusal is not None:
            status = problems.STATUS[refusal.kind]
        elif offer.form.is_valid():
            try:
                made = act(offer.form.sender(request.user, request_id=requestid.of(request)))
            except AlreadySent as sent:
                return redirect(_back(profile, sent.outcome))
            except Refusal as refused:
                offer.form.refuse(refused)
                status = problems.STATUS[refused.kind]
            else:
                return redirect(_back(profile, made.public_id))
        else:
            status = 422
    title = f"{offer.action.label}: {profile.user}"
    context = {"title": title, "profile": profile, "offer": offer, "form_template": f"ops/parts/{form_part}.html"}
    return pages.show(request, "ops/action.html", context, status=status)


def _back(profile: Profile, done: str) -> str:
    return f"{reverse('ops:user', args=[profile.user.public_id])}?done={done}"


def _profile_or_404(text: str) -> Profile:
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, text), names=Names(), now=clock.utc_now())
    if profile is None:
        raise Http404
    return profile


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _throttle_offer(profile: Profile, staff: Any, form: ThrottleForm | None = None) -> Offer:
    url = reverse("ops:throttle", args=[profile.user.public_id])
    why_not = _refused_to(staff, roles.THROTTLE) or _gone(profile)
    return Offer(roles.THROTTLE, url, form or ThrottleForm(name="throttle"), why_not)


def _raise_offer(profile: Profile, staff: Any, form: RaiseForm | None = None) -> Offer:
    url = reverse("ops:raise-quota", args=[profile.user.public_id])
    shown = form or RaiseForm(name="raise", tiers=profile.tiers)
    why_not = _refused_to(staff, roles.RAISE_QUOTA) or _gone(profile)
    return Offer(roles.RAISE_QUOTA, url, shown, why_not, note=measures.bound_of(staff))


def _end_offer(profile: Profile, measure: MeasureRow, staff: Any, form: EndForm | None = None) -> Offer:
    is_throttle = measure.sort is Sort.THROTTLE
    action = roles.LIFT_THROTTLE if is_throttle else roles.END_OVERRIDE
    url = reverse("ops:lift-throttle" if is_throttle else "ops:end-override", args=[measure.public_id])
    why_not = _refused_to(staff, action) or ("" if measure.is_in_force else _over(measure))
    change = _change_of(profile, measure)
    return Offer(action, url, form or EndForm(name=measure.public_id), why_not, measure=measure, change=change)


def _change_of(profile: Profile, measure: MeasureRow) -> tuple[tuple[str, str, str], ...]:
    """What ends: name, now, afterwards."""
    if measure.tier is None:
        others = [held.says for held in profile.in_force if held.sort is Sort.THROTTLE and held.id != measure.id]
        return (("Calls", measure.says, f"{', '.join(others)} still" if others else "the plan's rate"),)
    usage, plan = profile.tiers[measure.tier], profile.tiers[measure.tier].plan_bytes
    limits = ("Limit", bytesize.human(measure.hard_bytes or 0), bytesize.human(plan))
    return (limits, ("Used", words.percent(usage.share), words.percent(usage.active_bytes / plan)))


def _refused_to(staff: Any, action: Action) -> str:
    refusal = roles.why_not(staff, action)
    return refusal.detail if refusal else ""


def _gone(profile: Profile) -> str:
    return "This user is erased: there is nothing left to limit." if profile.user.state == UserState.ERASED else ""


def _over(measure: MeasureRow) -> str:
    how = f"{measure.ended_by or 'somebody'} ended it" if measure.ended_early else "it ended by itself"
    return f"There is nothing to end: {how} {words.relative(measure.ends_at, measure.now)}."
