"""What ends next by itself: every throttle and raise in force."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from ops.queries import expiring
from ops.queries.expiring import SOONEST
from ops.views import pages


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The measures in force, of everybody, the one that ends first in front."""
    now = clock.utc_now()
    found = expiring.soonest(now=now, size=SOONEST + 1)
    context = {"title": "What ends next", "now": now, "endings": found[:SOONEST], "more": len(found) > SOONEST,
               "most": SOONEST}  # fmt: skip
    return pages.show(request, "ops/expiring.html", context)
