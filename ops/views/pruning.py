"""Making a prune plan of one user, applying it with a typed confirmation, and undoing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from kimberly.lib import bytesize, clock, ids
from kimberly.lib.errors import Refusal
from memory.models import PrunePlan
from memory.queries import movable, usage
from memory.queries.usage import TierUsage
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import Tier, UserState
from memory.services import plans
from memory.services.plans import Done, NotAllOfPlan, Undoable
from memory.services.selections import NoRoomToRestore
from ops import prunes as words_of
from ops import roles, words
from ops.queries import choices, planned, prunes
from ops.queries.names import Names
from ops.queries.planned import Standing
from ops.queries.prunes import PlanRow
from ops.queries.users import Profile
from ops.roles import Action
from ops.services import prunes as pruning
from ops.services.measures import Sender
from ops.views import actions, meditating, pages
from ops.views.actions import Offer, get_or_post
from ops.views.forms import ReasonedForm
from ops.views.meditating import Change
from ops.views.planforms import ApplyPlanForm, PlanForm, UndoPlanForm


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOffer(Offer):
    """An act on a plan, with what it would do now. `left` says which of its items it would leave as they are."""

    row: PlanRow
    items: int = 0
    size_bytes: int = 0
    left: str = ""
    is_hindered: bool = False
    """Whether the plan's own state stands against it, whoever asks."""
    lacks_room: bool = False
    """Whether a raise of a quota would let it through."""
    is_partly_gone: bool = False
    """Whether some of what it archived cannot come back, so that the rest is restored item by item."""


@get_or_post
def plan(request: HttpRequest, user: str) -> HttpResponse:
    """Plan a prune of one user: nothing is archived by it."""
    profile, now = actions.profile_or_404(user), clock.utc_now()
    found = {tier: movable.of_tier(profile.user.pk, tier, now=now) for tier in profile.tiers}
    may_go = {tier: one for tier, one in found.items() if one is not None}
    form = PlanForm(actions.sent(request), name="plan", tiers=profile.tiers, movable=may_go)
    form.prefill(request.GET)

    def act(sender: Sender) -> PrunePlan:
        return pruning.make(sender, user_id=profile.user.pk, target=form.target, tier=form.chosen_tier, now=now)

    offered = offer(profile, request.user, form)
    return meditating.answer(
        request,
        offered,
        act,
        title=f"{offered.action.label}: {profile.user}",
        after=lambda made: f"{reverse('ops:plan', args=[made])}?done=made",
        template="ops/action.html",
        shown={"profile": profile, "form_template": "ops/parts/plan_form.html"},
    )


@get_or_post
def apply(request: HttpRequest, plan: str) -> HttpResponse:
    """Archive exactly what the plan shows. Applied by somebody else meanwhile, it says so and does nothing."""
    row = row_or_404(plan)
    form = ApplyPlanForm(actions.sent(request), name="apply", external_id=row.plan.user.external_id)

    def act(sender: Sender) -> Done:
        return pruning.apply(sender, row.plan.pk, now=row.now)

    used = usage.of_user(row.plan.user_id, now=row.now)
    standing = planned.standing(row.plan) if row.state is PlanState.FROZEN else []
    return _answer(request, apply_offer(row, request.user, standing, used, form), act, "applied")


@get_or_post
def undo(request: HttpRequest, plan: str) -> HttpResponse:
    """Bring back all that the plan archived, or nothing."""
    row = row_or_404(plan)
    form = UndoPlanForm(actions.sent(request), name="undo")

    def act(sender: Sender) -> Done:
        return pruning.undo(sender, row.plan.pk, now=row.now)

    used = usage.of_user(row.plan.user_id, now=row.now)
    is_applied = row.state is PlanState.APPLIED
    back = plans.undoable(row.plan, tiers=used, now=row.now) if is_applied else Undoable([], None)
    return _answer(request, undo_offer(row, request.user, back, used, form), act, "undone")


def offer(profile: Profile, staff: Any, form: PlanForm | None = None) -> Offer:
    """A plan of this user."""
    url = reverse("ops:plan-prune", args=[profile.user.public_id])
    is_gone = profile.user.state in (UserState.ERASING, UserState.ERASED)
    gone = "This user is erased: there is nothing to prune." if is_gone else ""
    why_not = actions.refused_to(staff, roles.PLAN_PRUNE) or gone
    return Offer(roles.PLAN_PRUNE, url, form or PlanForm(name="plan", tiers=profile.tiers), why_not)


def apply_offer(
    row: PlanRow,
    staff: Any,
    standing: Sequence[Standing],
    used: Mapping[Tier, TierUsage],
    form: ReasonedForm | None = None,
) -> PlanOffer:
    """Applying the plan, with what of it would go now; `standing` is empty for one that cannot be applied."""
    goes = [one for one in standing if one.outcome is ItemOutcome.ARCHIVED]
    number, size_bytes = sum(one.items for one in goes), sum(one.size_bytes for one in goes)
    change: list[Change] = [(words.counted(number, "item"), "active", f"archived, {bytesize.human(size_bytes)}")]
    change += [_tier_change(used[one.tier], -one.size_bytes) for one in goes if one.tier in used]
    return PlanOffer(
        **_about(row, roles.APPLY_PLAN, form or ApplyPlanForm(name="apply", external_id=row.plan.user.external_id)),
        why_not=actions.refused_to(staff, roles.APPLY_PLAN) or _against_applying(row, number),
        change=tuple(change),
        row=row,
        items=number,
        size_bytes=size_bytes,
        left=_left(standing),
    )


def undo_offer(
    row: PlanRow,
    staff: Any,
    undoable: Undoable,
    used: Mapping[Tier, TierUsage],
    form: ReasonedForm | None = None,
) -> PlanOffer:
    """Undoing the plan, with what would come back and what stands against it."""
    number, size_bytes = sum(one.items for one in undoable.back), sum(one.size_bytes for one in undoable.back)
    change: list[Change] = [(words.counted(number, "item"), "archived", f"active, {bytesize.human(size_bytes)}")]
    change += [_tier_change(used[one.tier], one.size_bytes) for one in undoable.back if one.tier in used]
    return PlanOffer(
        **_about(row, roles.UNDO_PLAN, form or UndoPlanForm(name="undo")),
        why_not=actions.refused_to(staff, roles.UNDO_PLAN) or _against_undoing(row, undoable.against, number),
        change=tuple(change),
        row=row,
        items=number,
        size_bytes=size_bytes,
        is_hindered=undoable.against is not None,
        lacks_room=isinstance(undoable.against, NoRoomToRestore),
        is_partly_gone=isinstance(undoable.against, NotAllOfPlan),
    )


def row_or_404(plan: str, names: Names | None = None) -> PlanRow:
    """The plan whose id stands in the address."""
    row = prunes.one(pages.id_or_404(ids.Prefix.PLAN, plan), names=names or Names(), now=clock.utc_now())
    if row is None:
        raise Http404
    return row


def _about(row: PlanRow, action: Action, form: ReasonedForm) -> dict[str, Any]:
    address = [row.plan.public_id]
    url, home = reverse(f"ops:{action.name}", args=address), reverse("ops:plan", args=address)
    return {"action": action, "url": url, "home": home, "form": form}


def _answer(request: HttpRequest, offered: PlanOffer, act: Any, done: str) -> HttpResponse:
    row = offered.row
    return meditating.answer(
        request,
        offered,
        act,
        title=f"{offered.action.label} of {row.plan.user}",
        after=lambda plan: f"{reverse('ops:plan', args=[plan])}?done={done}",
        template="ops/plan_act.html",
        shown={"row": row, "verdict": words_of.verdict(row, (offered.items, offered.size_bytes))},
    )


def _against_applying(row: PlanRow, items: int) -> str:
    plan = row.plan
    if row.state is PlanState.STALE:
        return f"It grew stale {words.relative(plan.stale_at, row.now)}: make a new plan, by the scores of now."
    if row.state is PlanState.UNDONE and plan.undone_at:
        when = words.relative(plan.undone_at, row.now)
        return f"It was applied, and {row.undone_by} undid it {when}. A plan takes effect once: make a new one."
    if row.state is PlanState.APPLIED and plan.applied_at:
        when = words.relative(plan.applied_at, row.now)
        return f"{row.applied_by} applied it {when}: {words.counted(plan.archived_items or 0, 'item')} archived."
    if plan.user.state in (UserState.ERASING, UserState.ERASED):
        return "This user is erased: there is nothing to archive."
    if not items:
        any_more = "would go any more: make a new plan" if plan.items_total else "can go: there is nothing to apply"
        return f"Nothing of it {any_more}."
    return ""


def _against_undoing(row: PlanRow, against: Refusal | None, items: int) -> str:
    plan = row.plan
    if row.state is PlanState.UNDONE and plan.undone_at:
        return f"{row.undone_by} undid it {words.relative(plan.undone_at, row.now)}."
    if row.state is not PlanState.APPLIED:
        return "It was never applied: there is nothing to undo."
    if plan.user.state in (UserState.ERASING, UserState.ERASED):
        return "This user is erased: there is nothing to bring back."
    if against is not None:
        return f"It cannot be undone now. {against.detail} What would help: {' '.join(against.remedies())}"
    return "" if items else "There is nothing to undo: nothing that it archived lies in the archive."


def _tier_change(tier: TierUsage, more_bytes: int) -> Change:
    before, after = choices.used(tier, 0), choices.used(tier, more_bytes)
    difference = bytesize.human(abs(more_bytes))
    told = f", {difference} {'less' if more_bytes < 0 else 'more'}" if before == after else ""
    return f"{tier.tier.label} used", before, after + told


def _left(standing: Sequence[Standing]) -> str:
    left = [one for one in standing if one.outcome is not ItemOutcome.ARCHIVED]
    numbers: dict[ItemOutcome, int] = {}
    for one in left:
        numbers[one.outcome] = numbers.get(one.outcome, 0) + one.items
    return ", ".join(f"{number:,} {outcome.says}" for outcome, number in sorted(numbers.items()))
