"""The search box of all pages: a form that any browser sends, and what a script asks for while one types."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kimberly.lib import ids
from ops.queries import finding, items, meditations, plancohorts, prunes, users
from ops.services import seen
from ops.views import pages

LONGEST_SEARCH = 200
WITH_A_PAGE = (
    (ids.Prefix.RUN, meditations.exists, "ops:meditation-run"),
    (ids.Prefix.PLAN, prunes.exists, "ops:plan"),
    (ids.Prefix.COHORT, plancohorts.exists, "ops:cohort"),
)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`q` that is some id goes to its user, item, run or plans; else whose names begin so, and who was looked at last.

    A script asks with the header of htmx, and gets the rows alone.
    """
    typed = searched(request)
    if request.headers.get("HX-Request") == "true":
        return render(request, "ops/parts/found_live.html", {"searched": typed, "found": _live(typed)})
    page = _page_of(typed.lower())
    if page:
        return redirect(page)
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


def _page_of(typed: str) -> str:
    """The page of the run or the plans with this id; empty where it is none."""
    for prefix, exists, page in WITH_A_PAGE:
        found = ids.decode(prefix, typed) if typed.startswith(prefix) else None
        if found is not None and exists(found):
            return reverse(page, args=[ids.encode(prefix, found)])
    return ""


def _live(typed: str) -> list[finding.Found]:
    exactly = users.find(typed) if typed else None
    return finding.these([exactly]) if exactly else finding.beginning(typed)
