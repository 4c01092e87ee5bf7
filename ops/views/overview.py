"""Is anything wrong now: the first page of the portal."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from memory.queries import totals
from ops import overview, schedules
from ops.overview import Standing
from ops.queries import burst, expiring, refusals, users
from ops.queries import overview as facts
from ops.services import condition, pulse
from ops.views import pages

LATEST_REFUSALS = 5
LATEST_ACTS = 6
SOONEST = 5
FASTEST = 5
QUEUES = tuple(sorted({"meditation", *(schedule.queue for schedule in schedules.ALL)}))


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The verdict, the parts, the figures, and what happened last. `live=off` stops the page from refreshing itself."""
    now = clock.utc_now()
    standing = Standing(condition.now(), facts.facts(now=now), totals.kept(now=now), pulse.read(QUEUES), now)
    kept = standing.kept.tiers
    context = {
        "title": "Overview",
        "now": now,
        "is_live": request.GET.get("live") != "off",
        "standing": standing,
        "verdict": overview.verdict(standing),
        "parts": overview.parts(standing),
        "used_bytes": sum(tier.used_bytes for tier in kept),
        "limit_bytes": sum(tier.limit_bytes for tier in kept),
        "items": sum(tier.items for tier in kept),
        "counted_exactly": users.COUNTED_EXACTLY,
        "refusals": refusals.of_customers(kind=None, tier=None, now=now, size=LATEST_REFUSALS),
        "acts": facts.staff_acts(now=now, size=LATEST_ACTS),
        "endings": expiring.soonest(now=now, size=SOONEST),
        "burst": burst.leaders(now=now, size=FASTEST),
    }
    return pages.show(request, "ops/overview.html", context)
