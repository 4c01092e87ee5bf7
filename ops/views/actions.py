"""The staff's actions on one user: a form with a reason, one service call, and back to the user's page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kimberly.lib import bytesize, clock, ids
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid
from memory.models import QuotaOverride, Throttle
from memory.queries.usage import TierUsage
from memory.rules.forecast import Limit
from memory.rules.tiers import Tier, UserState
from ops import roles, words
from ops.queries import growth, users
from ops.queries import measures as measure_queries
from ops.queries import reveals as reveal_queries
from ops.queries.growth import Growth
from ops.queries.measures import MeasureRow, Sort
from ops.queries.names import Names
from ops.queries.reveals import RevealRow
from ops.queries.users import Profile
from ops.roles import Action
from ops.services import measures, reveals
from ops.services.forms import AlreadySent, Outcome
from ops.services.measures import Sender
from ops.views import pages
from ops.views.forms import USER, EndForm, MaskForm, RaiseForm, ReasonedForm, RevealForm, ThrottleForm

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
    reveal: RevealRow | None = None
    change: tuple[tuple[str, str, str], ...] = ()
    tab: str = ""
    """The section of the user's page that is shown once it is done."""
    home: str = ""
    """The page that a form of its own page belongs to."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Every action on one user."""

    throttle: Offer
    raise_quota: Offer
    ends: list[Offer]
    reveal: Offer
    mask_own: Offer | None
    mask_others: list[Offer]
    """Who else reads; `mask_own` is None while the content is masked to the reader."""


def on(profile: Profile, *, staff: Any, grown: Mapping[Tier, Growth], then: str = USER) -> Offers:
    """What the person may do to the user, with a form each; `then` is the page it is offered on."""
    own = reveal_queries.own(profile.reveals, staff)
    others = [reveal for reveal in profile.revealed if reveal != own]
    return Offers(
        _throttle_offer(profile, staff),
        _raise_offer(profile, staff, _raise_form(profile, grown)),
        [_end_offer(profile, measure, staff) for measure in profile.in_force],
        _reveal_offer(profile, staff, RevealForm(name="reveal", then=then)),
        _mask_offer(own, staff, _mask_form(own, staff, then=then)) if own else None,
        [_mask_offer(reveal, staff, _mask_form(reveal, staff, then=then)) for reveal in others],
    )


@get_or_post
def throttle(request: HttpRequest, user: str) -> HttpResponse:
    """Brake the user for a time."""
    profile = profile_or_404(user)
    form = _throttle_form(profile, sent(request))
    form.prefill(request.GET)
    now = clock.utc_now()

    def act(sender: Sender) -> Throttle:
        brake = measures.Brake(form.throttle_scope, form.per_minute)
        return measures.throttle(sender, brake, user_id=profile.user.pk, ends_at=form.ends(now), now=now)

    return answer(request, profile, _throttle_offer(profile, request.user, form), act, "throttle_form")


@get_or_post
def raise_quota(request: HttpRequest, user: str) -> HttpResponse:
    """Give one of the user's tiers a higher limit for a time."""
    profile = profile_or_404(user)
    now = clock.utc_now()
    form = _raise_form(profile, growth.of_user(profile.user.pk, profile.tiers, since=now, now=now), sent(request))
    form.prefill(request.GET)

    def act(sender: Sender) -> QuotaOverride:
        limit = measures.Limit(form.chosen_tier, form.hard_bytes, form.replacing)
        return measures.raise_quota(sender, limit, user_id=profile.user.pk, ends_at=form.ends(now), now=now)

    return answer(request, profile, _raise_offer(profile, request.user, form), act, "raise_form")


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


@get_or_post
def reveal(request: HttpRequest, user: str) -> HttpResponse:
    """Show the user's content to oneself for a quarter of an hour."""
    profile = profile_or_404(user)
    form = RevealForm(sent(request), name="reveal", then=request.GET.get("then", USER))
    now = clock.utc_now()
    offer = _reveal_offer(profile, request.user, form)
    return answer(
        request, profile, offer, lambda sender: reveals.reveal(sender, user_id=profile.user.pk, now=now), "reveal_form"
    )


@get_or_post
def mask(request: HttpRequest, reveal: UUID) -> HttpResponse:
    """End a reveal before its time."""
    now = clock.utc_now()
    row = reveal_queries.one(reveal, now=now)
    profile = users.profile(row.user_id, names=Names(), now=now) if row else None
    if row is None or profile is None:
        raise Http404
    form = _mask_form(row, request.user, sent(request), then=request.GET.get("then", USER))
    offer = _mask_offer(row, request.user, form)
    return answer(request, profile, offer, lambda sender: reveals.mask(sender, row.id, now=now), "mask_form")


def _end(
    request: HttpRequest, row: MeasureRow | None, end: Callable[[Sender, MeasureRow], Throttle | QuotaOverride]
) -> HttpResponse:
    profile = users.profile(row.user_id, names=Names(), now=row.now) if row else None
    if row is None or profile is None:
        raise Http404
    form = EndForm(sent(request), name="end")
    offer = _end_offer(profile, row, request.user, form)
    return answer(request, profile, offer, lambda sender: end(sender, row), "end_form")


def answer(
    request: HttpRequest,
    profile: Profile,
    offer: Offer,
    act: Callable[[Sender], Outcome],
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
            except AlreadySent as again:
                return redirect(_back(profile, offer, again.outcome))
            except Refusal as refused:
                offer.form.refuse(refused)
                status = problems.STATUS[refused.kind]
            else:
                return redirect(_back(profile, offer, made.public_id))
        else:
            status = 422
    title = f"{offer.action.label}: {profile.user}"
    context = {"title": title, "profile": profile, "offer": offer, "form_template": f"ops/parts/{form_part}.html"}
    return pages.show(request, "ops/action.html", context, status=status)


def _back(profile: Profile, offer: Offer, done: str) -> str:
    tab = f"tab={offer.tab}&" if offer.tab else ""
    return f"{reverse(offer.form.page_after, args=[profile.user.public_id])}?{tab}done={done}"


def profile_or_404(text: str) -> Profile:
    """The user whose id stands in the address."""
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, text), names=Names(), now=clock.utc_now())
    if profile is None:
        raise Http404
    return profile


def sent(request: HttpRequest) -> Any:
    """What the form is bound to: nothing while it is only looked at."""
    return request.POST if request.method == "POST" else None


def _throttle_offer(profile: Profile, staff: Any, form: ThrottleForm | None = None) -> Offer:
    url = reverse("ops:throttle", args=[profile.user.public_id])
    why_not = refused_to(staff, roles.THROTTLE) or _gone(profile)
    return Offer(roles.THROTTLE, url, form or _throttle_form(profile), why_not)


def _throttle_form(profile: Profile, data: Any = None) -> ThrottleForm:
    return ThrottleForm(data, name="throttle", plan=profile.user.plan, held=profile.throttles)


def _raise_offer(profile: Profile, staff: Any, form: RaiseForm) -> Offer:
    url = reverse("ops:raise-quota", args=[profile.user.public_id])
    why_not = refused_to(staff, roles.RAISE_QUOTA) or _gone(profile)
    return Offer(roles.RAISE_QUOTA, url, form, why_not, note=measures.bound_of(staff))


def _raise_form(profile: Profile, grown: Mapping[Tier, Growth], data: Any = None) -> RaiseForm:
    def outlook(usage: TierUsage, limit: Limit, now: datetime) -> str:
        forecast = growth.under(limit, usage, grown[usage.tier], now=now) if usage.tier in grown else None
        return words.outlook(forecast, now) if forecast else ""

    return RaiseForm(data, name="raise", tiers=profile.tiers, outlook=outlook)


def _end_offer(profile: Profile, measure: MeasureRow, staff: Any, form: EndForm | None = None) -> Offer:
    is_throttle = measure.sort is Sort.THROTTLE
    action = roles.LIFT_THROTTLE if is_throttle else roles.END_OVERRIDE
    url = reverse("ops:lift-throttle" if is_throttle else "ops:end-override", args=[measure.public_id])
    why_not = refused_to(staff, action) or ("" if measure.is_in_force else _over(profile, measure))
    change = change_of(profile, measure)
    return Offer(action, url, form or EndForm(name=measure.public_id), why_not, measure=measure, change=change)


def _reveal_offer(profile: Profile, staff: Any, form: RevealForm) -> Offer:
    """Reading the content oneself. It is not made longer while it lasts."""
    url = reverse("ops:reveal", args=[profile.user.public_id])
    own = reveal_queries.own(profile.reveals, staff)
    lasts = (
        f"It shows to you until {clock.time_and_zone(own.ends_at)}: mask it first, or wait until then." if own else ""
    )
    erased = "This user is erased: there is nothing to read." if profile.user.state == UserState.ERASED else ""
    return Offer(roles.REVEAL, url, form, refused_to(staff, roles.REVEAL) or erased or lasts)


def _mask_offer(row: RevealRow, staff: Any, form: MaskForm) -> Offer:
    """Ending a reveal, one's own or another lead's."""
    url = reverse("ops:mask", args=[row.id])
    over = "" if row.is_in_force else "There is nothing to mask: this reveal is over."
    return Offer(roles.MASK, url, form, refused_to(staff, roles.MASK) or over, reveal=row)


def _mask_form(row: RevealRow, staff: Any, data: Any = None, *, then: str) -> MaskForm:
    return MaskForm(data, name=f"mask-{row.id}", then=then, is_own=row.staff_id == staff.pk)


def change_of(profile: Profile, measure: MeasureRow) -> tuple[tuple[str, str, str], ...]:
    """What ends: name, now, afterwards."""
    if measure.tier is None:
        others = [held.says for held in profile.throttles if held.id != measure.id]
        return (("Calls", measure.says, f"{', '.join(others)} still" if others else "the plan's rate"),)
    usage, plan = profile.tiers[measure.tier], profile.tiers[measure.tier].plan_bytes
    limits = ("Limit", bytesize.human(measure.hard_bytes or 0), bytesize.human(plan))
    return (limits, ("Used", words.percent(usage.share), words.percent(usage.active_bytes / plan)))


def refused_to(staff: Any, action: Action) -> str:
    """Why the person's role does not cover the action; empty when it does."""
    refusal = roles.why_not(staff, action)
    return refusal.detail if refusal else ""


def _gone(profile: Profile) -> str:
    return "This user is erased: there is nothing left to limit." if profile.user.state == UserState.ERASED else ""


def _over(profile: Profile, measure: MeasureRow) -> str:
    how = f"{measure.ended_by or 'somebody'} ended it" if measure.ended_early else "it ended by itself"
    return f"There is nothing to end: {how} {words.relative(measure.ends_at, measure.now)}.{_instead(profile, measure)}"


def _instead(profile: Profile, measure: MeasureRow) -> str:
    """What holds in its place by now, which another window may have set."""
    for other in profile.in_force:
        if (other.sort, other.tier, other.scope) == (measure.sort, measure.tier, measure.scope):
            until = clock.time_of_day(other.ends_at, measure.now)
            return f" In its place holds {other.says} until {until}, set by {other.owner}."
    return ""
