"""Prune plans: the list of all, and one plan with what goes, what stays, and how it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kimberly.lib import bytesize, clock, ids
from memory.models import MemoryUser
from memory.queries import usage
from memory.queries.usage import TierUsage
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import Tier
from memory.services import plans
from ops import badges, words
from ops import prunes as words_of
from ops.queries import plancohorts, planned, prunes, reveals, staying
from ops.queries.names import Names
from ops.queries.planned import Listing
from ops.queries.prunes import PlanRow
from ops.queries.reveals import RevealRow
from ops.views import pages, pruning
from ops.views.toasts import Toast

LISTINGS = {
    Listing.ORDER: "As they go",
    Listing.BIGGEST: "Biggest first",
    Listing.OLDEST: "Oldest first",
    Listing.SAMPLE: "A sample",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All plans, newest first; those of a state or a user where asked for."""
    now, cursor = clock.utc_now(), request.GET.get("cursor", "")
    state = pages.chosen(request, "state", PlanState)
    whose = _whose(request.GET.get("user", ""))
    names = Names()
    # Hundreds that were made at once would hide those that somebody waits for.
    with_cohorts = whose is not None or request.GET.get("cohorts") == "on"
    user_id = whose.pk if whose else None
    page = prunes.listed(state=state, user_id=user_id, with_cohorts=with_cohorts, names=names, now=now, cursor=cursor)
    context = {
        "title": "Prune plans",
        "now": now,
        "page": page,
        "state": state,
        "states": {one: badges.PLAN[one].text for one in PlanState},
        "whose": whose,
        "with_cohorts": with_cohorts,
        "cursor": cursor,
        # Below the first page of everybody's: those of many at once are the same plans, looked at together.
        "cohort_rows": None if state or whose or cursor else plancohorts.latest(names=names, now=now),
    }
    return pages.show(request, "ops/plans.html", context)


@require_safe
def one(request: HttpRequest, plan: str) -> HttpResponse:
    """One plan, as a person judges it before it is applied, and looks it up afterwards."""
    names = Names()
    row = pruning.row_or_404(plan, names)
    tab = request.GET.get("tab") or "goes"
    if tab not in TABS:
        raise Http404
    used = usage.of_user(row.plan.user_id, now=row.now)
    reveal = reveals.own(reveals.of_user(row.plan.user_id, now=row.now), request.user)
    context = {
        "title": f"Prune plan {row.plan.public_id}",
        "now": row.now,
        "row": row,
        "scope": words_of.scope(row),
        "target": words_of.target(row),
        "cap": words_of.cap(row),
        "changes": (changes := words_of.changes(row, used)),
        "before_items": sum(change.before_items for change in changes),
        "protected_items": sum(change.protected_items for change in changes),
        "protected_bytes": sum(change.protected_bytes for change in changes),
        "acts": prunes.acts(row.plan, names=names, now=row.now),
        "others": prunes.of_user(row.plan.user_id, names=names, now=row.now, beside=row.plan.pk),
        "reveal": reveal,
        "tab": tab,
        "tab_template": f"ops/parts/plan_{tab}.html",
        "cursor": request.GET.get("cursor", ""),
        **_acts(request, row, used),
        **TABS[tab](request, Reading(row, reveal, names)),
    }
    return pages.show(request, "ops/plan.html", context)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tab is made of."""

    row: PlanRow
    reveal: RevealRow | None
    names: Names


def _acts(request: HttpRequest, row: PlanRow, used: dict[Tier, TierUsage]) -> dict[str, Any]:
    """What can be done with the plan as it is, and what was just done."""
    staff = request.user
    is_frozen, is_applied = row.state is PlanState.FROZEN, row.state is PlanState.APPLIED
    standing = planned.standing(row.plan) if is_frozen else []
    undo = None
    if is_applied:
        undo = pruning.undo_offer(row, staff, plans.undoable(row.plan, tiers=used, now=row.now), used)
    apply = pruning.apply_offer(row, staff, standing, used) if is_frozen else None
    is_hindered = undo is not None and undo.is_hindered
    return {
        "verdict": words_of.verdict(row, (apply.items, apply.size_bytes) if apply else None),
        "stages": words_of.stages(row, grace=_grace(row, used), is_hindered=is_hindered),
        "apply": apply,
        "looked_again": words_of.looked_again(apply.items, apply.left) if apply else "",
        "undo": undo,
        "toast": _toast(row, undo, request.GET.get("done", ""), staff),
    }


def _grace(row: PlanRow, used: dict[Tier, TierUsage]) -> timedelta | None:
    days = [used[tier].grace_days for tier in row.tiers if tier in used]
    return timedelta(days=min(days)) if days else None


def _toast(row: PlanRow, undo: pruning.PlanOffer | None, done: str, staff: Any) -> Toast | None:
    """What was just done, as the plan stands: a reload says the same, and who came second is told who did it."""
    plan, mine = row.plan, f"staff:{staff.pk}"
    if done == "made":
        return Toast(f"The plan is made. Nothing of {plan.user} was archived yet.")
    if done == "applied" and plan.applied_at is not None and plan.undone_at is None:
        size, when = bytesize.human(plan.archived_bytes or 0), words.relative(plan.applied_at, row.now)
        archived = f"{words.counted(plan.archived_items or 0, 'item')} archived, {size} freed"
        if plan.applied_by == mine:
            text = f"Applied {when}: {archived}. {words_of.left(row)}".strip()
        else:
            text = f"Nothing was done now: {row.applied_by} applied it {when}. {archived}."
        can_undo = undo is not None and not undo.why_not
        return Toast(text, undo.url if undo and can_undo else "", "Undo the plan" if can_undo else "")
    if done in ("applied", "undone") and plan.undone_at is not None:
        back, when = words.counted(plan.restored_items or 0, "item"), words.relative(plan.undone_at, row.now)
        if plan.undone_by == mine:
            return Toast(f"Undone {when}: {back} back, {bytesize.human(plan.restored_bytes or 0)}.")
        return Toast(f"Nothing was done now: {row.undone_by} undid it {when}. {back} back.")
    return None


def _goes(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    listing = pages.chosen(request, "list", Listing) or Listing.ORDER
    outcome = pages.chosen(request, "outcome", ItemOutcome)
    page = planned.of_plan(
        reading.row.plan,
        listing=listing,
        outcome=outcome,
        reveal=reading.reveal,
        cursor=request.GET.get("cursor", ""),
    )
    outcomes = {one: badges.PLANNED[one].text for one in (ItemOutcome.ARCHIVED, *reading.row.skipped)}
    return {
        "page": page,
        "listing": listing,
        "listings": LISTINGS,
        "outcome": outcome,
        "outcomes": outcomes if reading.row.plan.applied_at else {},
    }


def _stays(request: HttpRequest, reading: Reading) -> dict[str, Any]:
    row = reading.row
    return {
        "next_ones": staying.next_ones(row, reveal=reading.reveal),
        "protected": staying.protected(row.plan, row.tiers, reveal=reading.reveal),
    }


TABS: dict[str, Callable[[HttpRequest, Reading], dict[str, Any]]] = {
    "goes": _goes,
    "stays": _stays,
}


def _whose(text: str) -> MemoryUser | None:
    """The user of the filter."""
    if not text:
        return None
    user_id: UUID = pages.id_or_404(ids.Prefix.USER, text)
    user = MemoryUser.objects.filter(pk=user_id).first()
    if user is None:
        raise Http404
    return user
