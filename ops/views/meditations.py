"""The runs of the meditation: how the last ended, how far one is, and what each did."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock, ids
from memory.rules.meditation import Act, Reason, RunState, ShardState
from ops import durations, nights
from ops.queries import decisions, meditations
from ops.queries.names import Names
from ops.views import meditating, pages


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All runs, newest first, below the verdict. `live=off` stops the page from refreshing itself."""
    now, cursor = clock.utc_now(), request.GET.get("cursor", "")
    found = meditations.listed(names=Names(), now=now, cursor=cursor)
    drawn = found.facts.drawn
    context = {
        "title": "Meditation",
        "now": now,
        "is_live": request.GET.get("live") != "off" and not cursor,
        "page": found.page,
        "cursor": cursor,
        "facts": found.facts,
        "verdict": nights.verdict(found.facts, now),
        "bars": durations.bars([(row.took, row.run.state == RunState.SUCCEEDED) for row in drawn]),
        "drawn": drawn,
        "meditate_all": meditating.offer_of_all(request.user),
    }
    return pages.show(request, "ops/meditation.html", context)


@require_safe
def one(request: HttpRequest, run: str) -> HttpResponse:
    """One run: what it did, its shards, and what it decided of which item and why."""
    now, names = clock.utc_now(), Names()
    row = meditations.one(pages.id_or_404(ids.Prefix.RUN, run), names=names, now=now)
    tab = request.GET.get("tab") or "shards"
    if row is None or tab not in TABS:
        raise Http404
    cursor = request.GET.get("cursor", "")
    context = {
        "title": f"Meditation {row.run.public_id}",
        "now": now,
        "row": row,
        "verdict": nights.of_run(row),
        "is_live": row.is_running and request.GET.get("live") != "off" and not cursor,
        "is_new": request.GET.get("done") == row.run.public_id,
        "tab": tab,
        "tab_template": f"ops/parts/meditation_{tab}.html",
        "cursor": cursor,
        **TABS[tab](request, row.run.pk, cursor),
    }
    return pages.show(request, "ops/meditation_run.html", context)


def _shards(request: HttpRequest, run_id: UUID, cursor: str) -> dict[str, Any]:
    state = pages.chosen(request, "state", ShardState)
    page = meditations.shards_of(run_id, state=state, cursor=cursor)
    return {"page": page, "state": state, "states": list(ShardState)}


def _decisions(request: HttpRequest, run_id: UUID, cursor: str) -> dict[str, Any]:
    act, reason = pages.chosen(request, "act", Act), pages.chosen(request, "reason", Reason)
    page = decisions.of_run(run_id, act=act, reason=reason, cursor=cursor)
    return {"page": page, "act": act, "acts": list(Act), "reason": reason, "reasons": REASON_LABELS}


REASON_LABELS = {
    Reason.WORTHY: "Worthy",
    Reason.EXPIRED: "Life ended",
    Reason.NO_ROOM: "No room",
    Reason.SOFT_LIMIT: "Over soft",
    Reason.GRACE: "Grace ended",
}
TABS: dict[str, Callable[[HttpRequest, UUID, str], dict[str, Any]]] = {"shards": _shards, "decisions": _decisions}
