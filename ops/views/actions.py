"""The staff's actions on one user: a form with a reason, one service call, and back to the user's page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kimberly.lib import clock, ids
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid
from memory.models import QuotaOverride, Throttle
from memory.rules.tiers import UserState
from ops import roles
from ops.queries import measures as measure_queries
from ops.queries import users
from ops.queries.measures import MeasureRow, Sort
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
    measure: MeasureRow | None = None


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
        facts = {"scope": form.throttle_scope, "per_minute": form.per_minute, "ends_at": form.ends(now)}
        return measures.throttle(sender, user_id=profile.user.pk, now=now, **facts)

    return _answer(request, profile, _throttle_offer(profile, request.user, form), act, "ops/throttle.html")


@get_or_post
def raise_quota(request: HttpRequest, user: str) -> HttpResponse:
    """Give one of the user's tiers a higher limit for a time."""
    profile = _profile_or_404(user)
    form = RaiseForm(_sent(request), name="raise", tiers=profile.tiers)
    now = clock.utc_now()

    def act(sender: Sender) -> QuotaOverride:
        facts = {"tier": form.chosen_tier, "hard_bytes": form.hard_bytes, "ends_at": form.ends(now)}
        return measures.raise_quota(sender, user_id=profile.user.pk, now=now, **facts)

    return _answer(request, profile, _raise_offer(profile, request.user, form), act, "ops/raise_quota.html")


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
    if row is None:
        raise Http404
    profile = users.profile(row.user_id, now=row.now)
    assert profile is not None  # a foreign key holds it
    form = EndForm(_sent(request), name="end")
    offer = _end_offer(profile, row, request.user, form)
    return _answer(request, profile, offer, lambda sender: end(sender, row), "ops/end_measure.html")


def _answer(
    request: HttpRequest,
    profile: Profile,
    offer: Offer,
    act: Callable[[Sender], Throttle | QuotaOverride],
    template: str,
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
    context = {"title": f"{offer.action.label}: {profile.user}", "profile": profile, "offer": offer}
    return pages.show(request, template, context, status=status)


def _back(profile: Profile, done: str) -> str:
    return f"{reverse('ops:user', args=[profile.user.public_id])}?done={done}"


def _profile_or_404(text: str) -> Profile:
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, text), now=clock.utc_now())
    if profile is None:
        raise Http404
    return profile


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _throttle_offer(profile: Profile, staff: Any, form: ThrottleForm | None = None) -> Offer:
    url = reverse("ops:throttle", args=[profile.user.public_id])
    return _offer(roles.THROTTLE, url, form or ThrottleForm(name="throttle"), staff, _gone(profile))


def _raise_offer(profile: Profile, staff: Any, form: RaiseForm | None = None) -> Offer:
    url = reverse("ops:raise-quota", args=[profile.user.public_id])
    return _offer(roles.RAISE_QUOTA, url, form or RaiseForm(name="raise", tiers=profile.tiers), staff, _gone(profile))


def _end_offer(profile: Profile, measure: MeasureRow, staff: Any, form: EndForm | None = None) -> Offer:
    is_throttle = measure.sort is Sort.THROTTLE
    action = roles.LIFT_THROTTLE if is_throttle else roles.END_OVERRIDE
    url = reverse("ops:lift-throttle" if is_throttle else "ops:end-override", args=[measure.public_id])
    over = "" if measure.is_in_force else "It has ended already."
    return _offer(action, url, form or EndForm(name=measure.public_id), staff, over, measure)


def _offer(
    action: Action, url: str, form: ReasonedForm, staff: Any, state: str, measure: MeasureRow | None = None
) -> Offer:
    refusal = roles.why_not(staff, action)
    return Offer(action, url, form, refusal.detail if refusal else state, measure)


def _gone(profile: Profile) -> str:
    return "This user is erased: there is nothing left to limit." if profile.user.state == UserState.ERASED else ""
