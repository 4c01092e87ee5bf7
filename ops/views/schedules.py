"""What runs when. Changing it is another matter; here it is read."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from ops.queries import schedules
from ops.views import pages


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every job with its times, the next one first."""
    now = clock.utc_now()
    rows = schedules.listed(now=now)
    context = {"title": "Schedules", "now": now, "rows": rows, "missing": schedules.missing(rows)}
    context |= {"night": schedules.last_night(), "nightly": "memory.meditate_nightly"}
    return pages.show(request, "ops/schedules.html", context)
