"""The runs of the meditation: how the last ended, how far one is, and what each did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import clock, ids
from memory.rules.meditation import Act, Reason, RunState, ShardState, UndoOutcome
from ops import durations, nights, roles
from ops.queries import decisions, meditations, runacts
from ops.queries.keyset import Page
from ops.queries.meditations import RunRow
from ops.queries.names import Names
from ops.queries.runacts import UndoRow
from ops.views import meditating, pages
from ops.views import runacts as run_views


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
        "behind_since": (now - meditations.BEHIND_AFTER).astimezone(UTC),
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
    cursor, undo = request.GET.get("cursor", ""), runacts.latest_undo(row.run.pk, names=names, now=now)
    may_live = row.is_running or (undo is not None and undo.is_running)
    context = {
        "title": f"Meditation {row.run.public_id}",
        "now": now,
        "row": row,
        "verdict": nights.of_run(row),
        "undo": undo,
        "of_undo": nights.of_undo(undo) if undo else None,
        "offers": run_views.on(row, undo, staff=request.user),
        "may_live": may_live,
        "is_live": may_live and request.GET.get("live") != "off" and not cursor,
        "toast": _toast(row, undo, request.GET.get("done", "")),
        "tab": tab,
        "tab_template": f"ops/parts/meditation_{tab}.html",
        "cursor": cursor,
        **TABS[tab](request, Asked(row.run.pk, undo, names, now, cursor)),
    }
    return pages.show(request, "ops/meditation_run.html", context)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which run, and from where in the list."""

    run_id: UUID
    undo: UndoRow | None
    names: Names
    now: datetime
    cursor: str


def _toast(row: RunRow, undo: UndoRow | None, done: str) -> str:
    """What was just done; a reload says the same."""
    if done == row.run.public_id:
        return f"A meditation of {nights.whom(row.run)} was begun."
    if undo is not None and done == undo.undo.public_id:
        return "The undo was begun. It goes on whether or not you stay here."
    told = runacts.told(row.run.pk, done, now=row.now) if done else None
    return f"{told}." if told else ""


def _shards(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    state = pages.chosen(request, "state", ShardState)
    page = meditations.shards_of(asked.run_id, state=state, cursor=asked.cursor)
    return {"page": page, "state": state, "states": list(ShardState)}


def _decisions(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    act, reason = pages.chosen(request, "act", Act), pages.chosen(request, "reason", Reason)
    is_sample = request.GET.get("sample") == "on"
    if is_sample:
        page = decisions.sample_of_run(asked.run_id, act=act, reason=reason)
    else:
        page = decisions.of_run(asked.run_id, act=act, reason=reason, cursor=asked.cursor)
    chosen = {"act": act, "acts": list(Act), "reason": reason, "reasons": REASON_LABELS}
    may_undo = roles.why_not(request.user, roles.UNDO_DECISIONS) is None
    run_id = ids.encode(ids.Prefix.RUN, asked.run_id)
    return {**chosen, "page": page, "is_sample": is_sample, "may_undo": may_undo, "run_id": run_id}


def _undo(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    outcome = pages.chosen(request, "outcome", UndoOutcome)
    none: Page[Any] = Page([], None)
    page = runacts.users_of(asked.undo.undo, outcome=outcome, cursor=asked.cursor) if asked.undo else none
    return {"page": page, "outcome": outcome, "outcomes": list(UndoOutcome)}


def _history(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    page = runacts.of_run(asked.run_id, names=asked.names, now=asked.now, cursor=asked.cursor)
    return {"page": page, "apart": runacts.undone_apart(asked.run_id, names=asked.names)}


REASON_LABELS = {
    Reason.WORTHY: "Worthy",
    Reason.EXPIRED: "Life ended",
    Reason.NO_ROOM: "No room",
    Reason.SOFT_LIMIT: "Over soft",
    Reason.GRACE: "Grace ended",
}
TABS: dict[str, Callable[[HttpRequest, Asked], dict[str, Any]]] = {
    "shards": _shards,
    "decisions": _decisions,
    "undo": _undo,
    "history": _history,
}
