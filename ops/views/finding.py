"""The search box of all pages: a form that any browser sends, and what a script asks for while one types."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kimberly.lib import ids
from ops.queries import finding, items, meditations, prunes, users
from ops.services import seen
from ops.views import pages

LONGEST_SEARCH = 200


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`q` that is some id goes to its user, item, run or plan; else whose names begin so, and who was looked at last.

    A script asks with the header of htmx, and gets the rows alone.
    """
    typed = searched(request)
    if request.headers.get("HX-Request") == "true":
        return render(request, "ops/parts/found_live.html", {"searched": typed, "found": _live(typed)})
    run = ids.decode(ids.Prefix.RUN, typed.lower()) if typed.lower().startswith(ids.Prefix.RUN) else None
    if run is not None and meditations.exists(run):
        return redirect("ops:meditation-run", run=ids.encode(ids.Prefix.RUN, run))
    plan = ids.decode(ids.Prefix.PLAN, typed.lower()) if typed.lower().startswith(ids.Prefix.PLAN) else None
    if plan is not None and prunes.exists(plan):
        return redirect("ops:plan", plan=ids.encode(ids.Prefix.PLAN, plan))
    item = ids.decode(ids.Prefix.ITEM, typed.lower()) if typed.lower().startswith(ids.Prefix.ITEM) else None
    place = items.place_of(item) if item else None
    if place is not None:
        address = reverse("ops:user", args=[place.user_public_id])
        return redirect(f"{address}?tab=items&state={place.state}&cursor={place.cursor}")
    exactly = users.find(typed) if typed else None
    if exactly is not None:
        return redirect("ops:user", user=ids.encode(ids.Prefix.USER, exactly))
    last = seen.of(request.user)
    context = {
        "title": f"Search: {typed}" if typed else "Search",
        "searched": typed,
        "found": finding.beginning(typed),
        "most": finding.MOST_FOUND,
        "seen": finding.these(last or []),
        "is_seen_known": last is not None,
    }
    return pages.show(request, "ops/find.html", context)


def searched(request: HttpRequest) -> str:
    """What was typed into the box."""
    return request.GET.get("q", "").strip().strip("<>")[:LONGEST_SEARCH]


def _live(typed: str) -> list[finding.Found]:
    exactly = users.find(typed) if typed else None
    return finding.these([exactly]) if exactly else finding.beginning(typed)
