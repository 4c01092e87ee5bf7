"""Burst overflow: who fills a tier, how fast, and what each remedy would do."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from memory.rules.tiers import TIERS_SHOWN, Tier
from ops import charts, words
from ops.badges import Badge
from ops.queries import burst
from ops.queries.burst import DRAWN, Burst, Filler, RefusedInTier, Window
from ops.views import pages, remedies

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """The page in one sentence."""

    tone: str
    icon: str
    text: str
    more: str


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Who fills the tier fastest, and for one of them the remedies."""
    now = clock.utc_now()
    tier = pages.chosen(request, "tier", Tier) or Tier.SHORT_TERM
    window = pages.chosen(request, "over", Window) or Window.HOUR
    refused = burst.refused_since(now - window.length, now=now)
    found = burst.fastest(now=now, size=SHOWN, tier=tier, window=window, refused=refused[tier])
    fillers = found.fillers if found else []
    chosen = next((one for one in fillers if one.public_id == request.GET.get("user")), next(iter(fillers), None))
    offered = remedies.of(chosen, tier, now=now) if chosen else []
    context = {
        "title": f"Burst overflow, {tier}",
        "now": now,
        "tier": tier,
        "tabs": [(one, refused[one]) for one in TIERS_SHOWN],
        "window": window,
        "windows": list(Window),
        "refused": refused[tier],
        "burst": found,
        "rows": [(one, _spark(one), _badges(one)) for one in fillers],
        "verdict": _verdict(found, refused[tier], tier, now),
        "chosen": chosen,
        "remedies": offered,
        "ahead": remedies.ahead(chosen, offered, now=now) if chosen else None,
    }
    return pages.show(request, "ops/burst.html", context)


def _spark(filler: Filler) -> str:
    begins_at = filler.now - DRAWN
    return charts.spark(filler.levels, begins_at=begins_at, ends_at=filler.now, top_bytes=filler.limit.hard_bytes)


def _badges(filler: Filler) -> list[Badge]:
    """The strictest throttle of the writes, and the tier's raise."""
    held = [
        Badge("warn", "action", f"{brake.says}, {words.span(brake.ends_at - filler.now)} left")
        for brake in filler.brakes[:1]
    ]
    if filler.limit.ends_at is not None:
        held.append(Badge("info", "action", f"raised, {words.span(filler.limit.ends_at - filler.now)} left"))
    return held


def _verdict(found: Burst | None, refused: RefusedInTier, tier: Tier, now: datetime) -> Verdict:
    """The worst first: who is refused, who will be within the hour, who grows."""
    if found is None:
        return Verdict(
            "mute", "unknown", "Nobody knows yet how fast the tiers fill",
            "What is used is sampled at the beginning of each hour; growth is told from the first sample on.",
        )  # fmt: skip
    told = _told(found)
    if refused.users:
        whose = words.counted(refused.writes, "write")
        return Verdict("bad", "bad", f"{whose} of {words.counted(refused.users, 'user')} found no room in {tier}", told)
    if found.full_within_an_hour:
        users = words.counted(found.full_within_an_hour, "user")
        return Verdict("warn", "warn", f"{users} will be full in {tier} within the hour", told)
    return Verdict("ok", "ok", f"Nobody was refused in {tier}, and nobody will be full within the hour", told)


def _told(found: Burst) -> str:
    first = next(iter(found.fillers), None)
    if first is None or first.growth_bytes <= 0:
        return f"Nothing grew in {words.span(found.over)}."
    of_all = f"{words.percent(first.share_of_growth)} of all growth"
    return f"{first.name} grows fastest: {words.pace(first.bytes_per_hour)}, {of_all}, {_outlook(first)}."


def _outlook(filler: Filler) -> str:
    return words.outlook(filler.forecast, filler.now)
