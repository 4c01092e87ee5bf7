"""Tags of the portal's pages: small parts that every page shares."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from kimberly.lib import bytesize, ids
from kimberly.lib import clock as system_clock
from memory.models import MeditationRun, QuotaOverride, Throttle
from memory.queries.usage import TierUsage
from memory.rules.limits import LimitSource
from memory.rules.selections import obstacle
from memory.rules.tiers import ItemState, UserState
from ops import badges, roles, scores, words, zones
from ops.badges import NEARLY_FULL, Badge
from ops.models import ContentReveal
from ops.services import signing

register = template.Library()

USER_PAGES = (
    "user", "users", "throttle", "lift-throttle", "raise-quota", "end-override", "reveal", "mask", "search",
    "protect", "unprotect", "delete-items", "restore-items", "suspend", "resume", "note", "change-note", "undo",
    "meditate", "undo-decisions", "plan-prune",
)  # fmt: skip
RUN_FORMS = (
    "meditate-all", "meditate-some", "approve-meditation", "abort-meditation", "retry-meditation", "undo-meditation",
    "stop-undo",
)  # fmt: skip
PLAN_PAGES = (
    "plans", "plan", "apply-plan", "undo-plan",
    "cohorts", "cohort", "plan-cohort", "apply-cohort", "undo-cohort", "stop-cohort",
)  # fmt: skip
# Each entry of the side navigation, and the pages on which it is the current one.
NAVIGATION = (
    ("", (("ops:overview", "Overview", ("overview",)), ("ops:find", "Search", ("find",)))),
    (
        "Users",
        (
            ("ops:users", "Users", USER_PAGES),
            ("ops:burst", "Burst overflow", ("burst",)),
            ("ops:plans", "Prune plans", PLAN_PAGES),
            ("ops:expiring", "What ends next", ("expiring",)),
            ("ops:refusals", "Refused calls", ("refusals",)),
        ),
    ),
    (
        "Service",
        (
            ("ops:meditation", "Meditation", ("meditation", "meditation-run", *RUN_FORMS)),
            ("ops:schedules", "Schedules", ("schedules",)),
        ),
    ),
    (
        "Staff",
        (
            ("ops:account", "Your account", ("account", "second-factor", "recovery-codes")),
            ("ops:staff-sessions", "Staff sessions", ("staff-sessions", "end-sessions")),
        ),
    ),
)


@register.simple_tag
def environment() -> str:
    """The label that says where one is: `production`."""
    name: str = settings.KIMBERLY.environment
    return name


@register.simple_tag
def second_factor_is_required() -> bool:
    """Whether signing in needs more than a password; a demo says on each page that it does not."""
    return signing.required()


@register.simple_tag
def build() -> str:
    """The commit that runs; a checkout has none to name."""
    return f"build {settings.KIMBERLY.build}" if settings.KIMBERLY.build else "from a checkout"


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the page's sprite (templates/portal/icons.html); decoration beside a word."""
    return format_html('<svg class="k-icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag(takes_context=True)
def at(context: Mapping[str, Any], moment: datetime) -> SafeString:
    """A time, relative, with the exact one on hover."""
    now = _now(context)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        words.exact(moment),
        words.relative(moment, now),
    )


@register.simple_tag(takes_context=True)
def left(context: Mapping[str, Any], moment: datetime) -> SafeString:
    """How long until then: `49 min left`."""
    text = f"{words.span(moment - _now(context))} left"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', f"{moment:%Y-%m-%dT%H:%M:%SZ}", words.exact(moment), text
    )


@register.simple_tag(takes_context=True)
def seconds_left(context: Mapping[str, Any], moment: datetime) -> int:
    """For scripts, whose own clock may be wrong."""
    return max(0, round((moment - _now(context)).total_seconds()))


@register.simple_tag(takes_context=True)
def since(context: Mapping[str, Any], moment: datetime) -> str:
    """How long it has been: `8 months`."""
    return words.span(_now(context) - moment)


@register.simple_tag(takes_context=True)
def stamp(context: Mapping[str, Any], moment: datetime) -> SafeString:
    """The time of day for a timeline, below the day where it is not today."""
    now, read = system_clock.as_read(_now(context)), system_clock.as_read(moment)
    year = f" {read.year}" if read.year != now.year else ""
    day = "" if read.date() == now.date() else f"{read.day}\N{NO-BREAK SPACE}{read:%b}{year} "
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        words.exact(moment),
        f"{day}{read:%H:%M}",
    )


@register.simple_tag(takes_context=True)
def clock(context: Mapping[str, Any], moment: datetime) -> SafeString:
    """The time of day at which something ends: `03:18`."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        words.exact(moment),
        system_clock.time_of_day(moment, _now(context)),
    )


@register.simple_tag(takes_context=True)
def shown_at(context: Mapping[str, Any]) -> SafeString:
    """When this page was made."""
    now = _now(context)
    said = f"{system_clock.as_read(now):%H:%M:%S} {system_clock.zone_name(now)}"
    return format_html('<time datetime="{}">{}</time>', f"{now:%Y-%m-%dT%H:%M:%SZ}", said)


@register.simple_tag(takes_context=True)
def today(context: Mapping[str, Any]) -> SafeString:
    """The day and the time of a page that refreshes itself: `Tuesday 17 November 2026, 03:12 UTC`."""
    now = _now(context)
    read = system_clock.as_read(now)
    said = f"{read:%A} {read.day} {read:%B %Y, %H:%M} {system_clock.zone_name(now)}"
    return format_html('<time datetime="{}">{}</time>', f"{now:%Y-%m-%dT%H:%M:%SZ}", said)


@register.simple_tag
def zone_in_words(name: str) -> str:
    """The chosen zone as the header says it: `Lisbon`, or UTC."""
    return zones.place(name) if name else "UTC"


@register.filter
def size(size_bytes: int) -> str:
    """`511.8 KiB`."""
    return bytesize.human(size_bytes)


@register.filter
def number(value: int) -> str:
    """`1,752`."""
    return f"{value:,}"


@register.filter
def middle(public_id: str) -> str:
    """An id short enough for a table, `mem_…a4b5c6d7e8f9`: the end of a UUIDv7 is what tells two apart."""
    prefix, _, digits = public_id.partition("_")
    return f"{prefix}_…{digits[-12:]}" if len(digits) > 12 else public_id


@register.filter
def score(value: float) -> str:
    """A score or a part of it, to three decimals: `0.854`."""
    return f"{scores.rounded(value):.{scores.SHOWN_DECIMALS}f}"


@register.filter
def weight(value: float) -> str:
    """`0.2`."""
    return f"{value:g}"


@register.simple_tag
def item_id(value: UUID) -> str:
    """An item's id as people and programs see it."""
    return ids.encode(ids.Prefix.ITEM, value)


@register.filter
def ticks(text: str) -> SafeString:
    """Plain text in which `backticks` mean code."""
    parts = text.split("`")
    marked = (format_html("<code>{}</code>", part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return SafeString("".join(marked))


@register.filter
def lifetime(seconds: int) -> str:
    """How long a tier keeps its items: `24 h`."""
    return words.span(timedelta(seconds=seconds))


@register.filter
def end_url(measure: QuotaOverride | Throttle | ContentReveal | MeditationRun) -> str:
    """Where what stands against a form is looked at: a measure or a reveal is ended there."""
    if isinstance(measure, MeditationRun):
        return reverse("ops:meditation-run", args=[measure.public_id])
    if isinstance(measure, ContentReveal):
        return reverse("ops:mask", args=[measure.pk])
    name = "ops:lift-throttle" if isinstance(measure, Throttle) else "ops:end-override"
    return reverse(name, args=[measure.public_id])


@register.filter
def colleague(staff: Any) -> str:
    """The name by which colleagues know a person of staff."""
    return roles.label_of(staff)


@register.filter
def fits(choice: Any, row: Any) -> bool:
    """Whether what a button does to chosen items can be done to the item of this row."""
    return obstacle(choice.deed, state=row.state, protected=row.protected) is None


@register.simple_tag
def user_badge(state: str) -> Badge:
    """A user's state."""
    return badges.USER[UserState(state)]


@register.simple_tag
def item_badge(state: str) -> Badge:
    """An item's state."""
    return badges.ITEM[ItemState(state)]


@register.inclusion_tag("portal/badge.html")
def badge(shown: Badge) -> dict[str, Badge]:
    return {"badge": shown}


@register.inclusion_tag("portal/usage.html")
def usage(tier: TierUsage, *, note: str = "") -> dict[str, Any]:
    """A tier's bar: used of the limit, with the soft limit as a tick."""
    most = max(tier.limit_bytes, tier.active_bytes)
    return {
        "tier": tier,
        "percent": words.percent(tier.share),
        "most": most,
        "high": round(tier.limit_bytes * NEARLY_FULL),
        "low": min(tier.soft_bytes, round(tier.limit_bytes * NEARLY_FULL)),
        "tick": f"{min(100.0, tier.soft_bytes / most * 100):.1f}",
        "note": note,
    }


@register.simple_tag(takes_context=True)
def usage_note(context: Mapping[str, Any], tier: TierUsage) -> str:
    """What to know beside a tier's bar."""
    note = f"{words.counted(tier.active_items, 'item')}, soft limit {bytesize.human(tier.soft_bytes)}"
    if tier.is_over_limit:
        return f"{note}. Over hard: nothing is lost, writes wait for room"
    if tier.share >= NEARLY_FULL:
        return f"{note}. {bytesize.human(tier.room_bytes)} free: what does not fit is refused with 413"
    return f"{note}. Over soft: writes succeed" if tier.is_over_soft else note


@register.simple_tag(takes_context=True)
def limit_origin(context: Mapping[str, Any], tier: TierUsage) -> str:
    """Where the limit in force comes from."""
    plan = f"the {tier.plan_id} plan"
    if tier.limit_source is LimitSource.PLAN or tier.override_ends_at is None:
        return f"Limit from {plan}"
    until = system_clock.time_of_day(tier.override_ends_at, _now(context))
    return f"Limit from a raise until {until}; then {bytesize.human(tier.plan_bytes)} of {plan}"


@register.inclusion_tag("portal/navigation.html", takes_context=True)
def navigation(context: Mapping[str, Any]) -> dict[str, Any]:
    """The side navigation; the entry of the page that is shown is the current one."""
    match = context["request"].resolver_match
    here = match.url_name if match and match.app_name == "ops" else ""
    staff = context["request"].user
    entries = [
        (heading, [(page, label, here in pages) for page, label, pages in links if roles.may_open(staff, page)])
        for heading, links in NAVIGATION
    ]
    shared = {name: context.get(name) for name in ("user", "request", "condition", "zone", "csrf_token")}
    return {"entries": entries, **shared}


def _now(context: Mapping[str, Any]) -> datetime:
    now: datetime = context.get("now") or system_clock.utc_now()
    return now
