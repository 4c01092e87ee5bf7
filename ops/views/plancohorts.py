"""Plans of cohorts: all of them, and one as a whole with its users."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock
from memory.queries import plancohorts as core
from memory.rules.plancohorts import Became
from ops import cohortwords
from ops.queries import plancohorts
from ops.queries.names import Names
from ops.queries.plancohorts import CohortRow
from ops.views import pages, plancohortacts


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All of them, newest first."""
    now, cursor = clock.utc_now(), request.GET.get("cursor", "")
    context = {
        "title": "Plans of cohorts",
        "now": now,
        "page": plancohorts.listed(names=Names(), now=now, cursor=cursor),
        "cursor": cursor,
        "offer_of_new": plancohortacts.offer_of_new(request.user),
    }
    return pages.show(request, "ops/cohorts.html", context)


@require_safe
def one(request: HttpRequest, cohort: str) -> HttpResponse:
    """The plans of a cohort as a whole, and what became of each user. `live=off` stops it from refreshing itself."""
    names, tab = Names(), request.GET.get("tab") or "users"
    row = plancohortacts.row_or_404(cohort, names)
    if tab not in TABS:
        raise Http404
    cursor = request.GET.get("cursor", "")
    context = {
        "title": f"Plans {row.cohort.public_id}",
        "now": row.now,
        "row": row,
        "verdict": cohortwords.verdict(row),
        "offers": plancohortacts.on(row, staff=request.user),
        "anew": plancohortacts.anew(row),
        "is_live": row.is_working and request.GET.get("live") != "off" and not cursor,
        "toast": _toast(row, request.GET.get("done", "")),
        "tab": tab,
        "tab_template": f"ops/parts/cohort_{tab}.html",
        "cursor": cursor,
        **TABS[tab](request, row, names, cursor),
    }
    return pages.show(request, "ops/cohort.html", context)


def _toast(row: CohortRow, done: str) -> str:
    """What was just done; a reload says the same."""
    if done == row.cohort.public_id:
        return "The plans are left to the workers. It goes on whether or not you stay here."
    said = plancohorts.told(row.cohort.pk, done, now=row.now) if done else ""
    return f"{said}." if said else ""


def _users(request: HttpRequest, row: CohortRow, names: Names, cursor: str) -> dict[str, Any]:
    became, is_short = pages.chosen(request, "became", Became), request.GET.get("short") == "on"
    page = plancohorts.members_of(row.cohort, became=became, is_short=is_short, cursor=cursor)
    counts = [(one, getattr(row.of, one)) for one in Became]
    chips = [(one, number) for one, number in counts if number or one == became]
    return {"page": page, "became": became, "is_short": is_short, "chips": chips}


def _largest(request: HttpRequest, row: CohortRow, names: Names, cursor: str) -> dict[str, Any]:
    found = core.largest(row.cohort)
    first = core.LARGEST_SHOWN
    by_share = sorted((one for one in found if one.by_share <= first), key=lambda one: one.by_share)
    return {"by_bytes": [one for one in found if one.by_bytes <= first], "by_share": by_share}


def _history(request: HttpRequest, row: CohortRow, names: Names, cursor: str) -> dict[str, Any]:
    return {"page": plancohorts.of_cohort(row.cohort.pk, names=names, now=row.now, cursor=cursor)}


TABS: dict[str, Callable[[HttpRequest, CohortRow, Names, str], dict[str, Any]]] = {
    "users": _users,
    "largest": _largest,
    "history": _history,
}
