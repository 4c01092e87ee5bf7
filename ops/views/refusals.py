"""All refusals, newest first."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from memory.rules.limits import RefusalKind
from memory.rules.tiers import TIERS_SHOWN, Tier
from ops.queries import refusals
from ops.views import pages

KINDS = {
    RefusalKind.QUOTA: "No room",
    RefusalKind.THROTTLE: "Throttled",
    RefusalKind.RATE: "Too fast",
    RefusalKind.SUSPENDED: "Suspended",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What was refused to whom, and why; by kind and tier."""
    now = clock.utc_now()
    kind, tier = pages.chosen(request, "kind", RefusalKind), pages.chosen(request, "tier", Tier)
    cursor = request.GET.get("cursor", "")
    context = {
        "title": "Refused calls",
        "now": now,
        "page": refusals.of_customers(kind=kind, tier=tier, now=now, cursor=cursor),
        "kinds": KINDS,
        "kind": kind,
        "tiers": TIERS_SHOWN,
        "tier": tier,
        "is_filtered": bool(kind or tier),
        "cursor": cursor,
    }
    return pages.show(request, "ops/refusals.html", context)
