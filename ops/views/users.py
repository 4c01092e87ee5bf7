"""The list of users, and one user's page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from kimberly.lib import clock, ids
from memory.models import MemoryUser
from memory.queries import standing
from memory.queries.refusals import refused_today
from memory.queries.standing import Asked, Show
from memory.rules.tiers import TIERS_SHOWN, ItemState, Tier
from ops import badges, charts, shows
from ops.queries import growth, history, items, notes, prunes, refusals, reveals, timeline, users
from ops.queries.growth import Growth
from ops.queries.names import Names
from ops.queries.reveals import RevealRow
from ops.queries.timeline import Happened
from ops.queries.users import Profile
from ops.services import seen
from ops.views import actions, pages, persons, toasts
from ops.views import items as item_views
from ops.views.finding import searched

LATEST = 5
LATEST_ACTS = 8


class Range(StrEnum):
    """How far back a history is drawn."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def days(self) -> int:
        return {Range.DAY: 1, Range.WEEK: 7, Range.MONTH: 30}.get(self, 90)

    @property
    def label(self) -> str:
        return {Range.DAY: "24 h"}.get(self, f"{self.days} days")

    def begins_at(self, user: MemoryUser, now: datetime) -> datetime:
        """Nothing is drawn from before there was a user."""
        return max(now - timedelta(days=self.days), user.created_at)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Customers by what is unusual about them and by their names. `q` that is exactly some id goes to its user."""
    now = clock.utc_now()
    asked, cursor = _asked(request), request.GET.get("cursor", "")
    found = users.find(asked.beginning) if asked.beginning and not cursor else None
    if found is not None:
        return redirect("ops:user", user=ids.encode(ids.Prefix.USER, found))
    page = users.page(asked, cursor=cursor, now=now)
    rows = [
        (row, badges.of_user(row.user.state, row.tiers, throttled_until=row.throttled_until, now=now))
        for row in page.rows
    ]
    context = {
        "title": shows.title(asked),
        "now": now,
        "page": page,
        "rows": rows,
        "asked": asked,
        "shows": shows.ALL,
        "shown": shows.ALL.get(asked.show) if asked.show else None,
        "tiers": TIERS_SHOWN,
        "counts": standing.counts(stopping_behind=users.COUNTED_EXACTLY, now=now),
        "counted_exactly": users.COUNTED_EXACTLY,
        "searched": asked.beginning,
        "cursor": cursor,
    }
    return pages.show(request, "ops/users.html", context)


def _asked(request: HttpRequest) -> Asked:
    """What the address asks for."""
    return Asked(
        show=pages.chosen(request, "show", Show),
        tier=pages.chosen(request, "tier", Tier),
        beginning=searched(request),
        sort=pages.chosen(request, "sort", Tier),
    )


@require_safe
def one(request: HttpRequest, user: str) -> HttpResponse:
    """One user: what is used, what was refused, what holds, what was done, and what can be done."""
    now = clock.utc_now()
    names = Names()
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, user), names=names, now=now)
    if profile is None:
        raise Http404
    tab = request.GET.get("tab") or "usage"
    if tab not in TABS:
        raise Http404
    reveal = reveals.own(profile.reveals, request.user)
    seen.note(request.user, user_id=profile.user.pk)
    span = pages.chosen(request, "range", Range) or Range.WEEK
    grown = growth.of_user(profile.user.pk, profile.tiers, since=span.begins_at(profile.user, now), now=now)
    shown = {
        **head_of(request, profile, reveal, now=now),
        "tab": tab,
        "tab_template": f"ops/parts/tab_{tab}.html",
        "cursor": request.GET.get("cursor", ""),
        "actions": actions.on(profile, staff=request.user, grown=grown),
        "on_person": persons.on(profile, staff=request.user),
        "growth": grown,
        **TABS[tab](request, Reading(profile, reveal, names, grown, now)),
    }
    return pages.show(request, "ops/user.html", shown)


def head_of(request: HttpRequest, profile: Profile, reveal: RevealRow | None, *, now: datetime) -> dict[str, Any]:
    """What the pages of one user show above their tabs; `reveal` is the reader's own."""
    throttled = profile.throttled_until
    return {
        "title": f"{profile.user}, {profile.user.public_id}",
        "now": now,
        "profile": profile,
        "badges": badges.of_user(profile.user.state, profile.tiers.values(), throttled_until=throttled, now=now),
        "toast": toasts.of(profile, request.GET.get("done", ""), staff=request.user, now=now),
        "reveal": reveal,
    }


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tab is made of: the user, what the reader may see of the contents, names, and the time."""

    profile: Profile
    reveal: RevealRow | None
    names: Names
    growth: Mapping[Tier, Growth]
    now: datetime


def _usage(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    user_id, now, names = reading.profile.user.pk, reading.now, reading.names
    acts = history.latest(reading.profile, names=names, now=now, size=LATEST_ACTS)
    return {
        **_drawn(request, reading),
        "refusals": refusals.of_user(user_id, measures=reading.profile.measures, now=now, size=LATEST),
        "refused_today": sum(refused_today(user_id, now=now).values()),
        "history": acts,
        "items": items.of_user(user_id, state=ItemState.ACTIVE, names=names, reveal=reading.reveal, size=LATEST),
    }


def _drawn(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    """The history of one tier: the one that is chosen, else the fullest."""
    tiers, now = reading.profile.tiers, reading.now
    span = pages.chosen(request, "range", Range) or Range.WEEK
    tier = pages.chosen(request, "tier", Tier) or max(tiers, key=lambda tier: tiers[tier].share)
    levels, limit, soft = reading.growth[tier].levels, tiers[tier].limit_bytes, tiers[tier].soft_bytes
    begins_at = span.begins_at(reading.profile.user, now)
    chart = charts.history(levels, begins_at=begins_at, limit_bytes=limit, soft_bytes=soft)
    return {"chart": chart, "drawn": tiers[tier], "tiers": TIERS_SHOWN, "range": span, "ranges": list(Range)}


def _items(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    state = pages.chosen(request, "state", ItemState) or ItemState.ACTIVE
    tier = pages.chosen(request, "tier", Tier)
    page = items.of_user(
        reading.profile.user.pk,
        state=state,
        tier=tier,
        names=reading.names,
        reveal=reading.reveal,
        cursor=request.GET.get("cursor", ""),
        tells_scores=True,
    )
    chosen = item_views.choices_for(reading.profile, archived=state is ItemState.ARCHIVED, staff=request.user)
    return {
        "items": page,
        "state": state,
        "states": list(ItemState),
        "tier": tier,
        "tiers": TIERS_SHOWN,
        "choices": chosen if state is not ItemState.PURGED else [],
        "may_choose": state is not ItemState.PURGED and any(not one.why_not for one in chosen),
        "all_chosen": request.GET.get("chosen") == "all",
    }


def _refusals(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    profile, cursor = reading.profile, request.GET.get("cursor", "")
    return {"refusals": refusals.of_user(profile.user.pk, measures=profile.measures, now=reading.now, cursor=cursor)}


def _measures(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    return {"ended": [measure for measure in reading.profile.measures if not measure.is_in_force]}


def _history(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    kind = pages.chosen(request, "kind", Happened)
    cursor = request.GET.get("cursor", "")
    page = timeline.page(reading.profile, kind=kind, names=reading.names, now=reading.now, cursor=cursor)
    return {"history": page, "kind": kind, "kinds": timeline.LABELS}


def _plans(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    user_id, cursor = reading.profile.user.pk, request.GET.get("cursor", "")
    return {"plans": prunes.listed(state=None, user_id=user_id, names=reading.names, now=reading.now, cursor=cursor)}


def _notes(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    return {"notes": notes.of_user(reading.profile.user.pk)}


TABS: dict[str, Callable[[HttpRequest, Reading], dict[str, Any]]] = {
    "usage": _usage,
    "items": _items,
    "refusals": _refusals,
    "measures": _measures,
    "plans": _plans,
    "history": _history,
    "notes": _notes,
}
