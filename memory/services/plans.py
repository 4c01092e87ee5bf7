"""Prune plans: shown first, applied exactly as shown, undone as a whole (10-memory, docs/adr/0019-prune-plans.md).

Making one takes no lock that a writer waits for. Applying and undoing hold the user's counters, then the plan.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib import bytesize, clock
from kimberly.lib.actors import Actor
from kimberly.lib.crashpoints import crashpoint
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.lib.sql import statement
from memory import metrics
from memory.models import PrunePlan, TierPolicy
from memory.queries import scoring, usage
from memory.queries.usage import TierUsage
from memory.rules import plans as rules
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.selections import Skip
from memory.rules.tiers import Tier
from memory.services import limits, quotas, selections
from memory.services.quotas import Shift
from memory.services.selections import NoRoomToRestore, NotAllAsBefore

MADE, APPLIED, UNDONE = "plan.made", "plan.applied", "plan.undone"


class NoSuchPlan(Refusal):
    """There is no such plan, or not for this key."""

    slug = "plan-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such prune plan."


class PlanStale(Refusal):
    """The plan was frozen more than a day ago: what is worth least now may be something else."""

    slug = "plan-stale"
    kind = Kind.CONFLICT
    title = "The plan is too old to be applied. Nothing was archived."

    def __init__(self, plan: PrunePlan) -> None:
        super().__init__(plan)
        self.plan = plan

    @property
    def detail(self) -> str:
        return f"The plan grew stale at {clock.spelled(self.plan.stale_at)}. Nothing was archived."

    def facts(self) -> dict[str, str]:
        return {"plan_id": self.plan.public_id, "stale_at": clock.spelled(self.plan.stale_at)}

    def remedies(self) -> list[str]:
        return ["Make a new plan: it goes by the scores of now."]


class PlanOver(Refusal):
    """The plan was applied and undone: it takes effect once."""

    slug = "plan-undone"
    kind = Kind.CONFLICT
    title = "The plan was applied and undone. It is not applied again."

    def remedies(self) -> list[str]:
        return ["Make a new plan."]


class PlanNotApplied(Refusal):
    """There is nothing to undo: the plan was never applied."""

    slug = "plan-not-applied"
    kind = Kind.CONFLICT
    title = "The plan was never applied. There is nothing to undo."


class NotAllOfPlan(NotAllAsBefore):
    """Something of what the plan archived cannot come back, so none of it does."""

    slug = "plan-not-undoable"
    title = "Not all of what the plan archived can come back. Nothing was done."


@dataclass(frozen=True, slots=True)
class Target:
    """What a plan is to free: so many bytes, or a share of the active bytes in its scope. Exactly one is given."""

    size_bytes: int | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The plan after it was applied or undone. `again`: it was before, and nothing happened now."""

    plan: PrunePlan
    again: bool

    @property
    def public_id(self) -> str:
        return self.plan.public_id


@dataclass(frozen=True, slots=True)
class Told:
    """What became of so many items of one tier of a plan."""

    tier: Tier
    outcome: str
    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Undoable:
    """What an undo would bring back, by tier, and what stands against it. All comes back, or nothing."""

    back: list[Told]
    against: Refusal | None


def make(
    user_id: UUID, *, target: Target, tier: Tier | None = None, actor: Actor, why: Why, now: datetime
) -> PrunePlan:
    """Freeze the smallest head of the order that frees the target, by scores of this moment. Archives nothing.

    Raises Invalid or UserGone.
    """
    if errors := [*errors_of(target), *limits.errors_of(why)]:
        raise Invalid(*errors)
    tiers, profile = rules.scope(tier), scoring.current_profile()
    with transaction.atomic():
        selections.require_kept(user_id)
        used = usage.of_user(user_id, now=now)
        if not used:
            raise quotas.UserGone
        plan = PrunePlan.objects.create(
            user_id=user_id,
            tier=tier or "",
            target_bytes=_wanted(target, sum(used[one].active_bytes for one in tiers)),
            target_share=target.share,
            reason=why.reason.strip(),
            ticket=why.ticket,
            created_at=now,
            created_by=str(actor),
            stale_at=now + rules.LIFE,
            profile_version=profile.version,
            cap_bytes=_cap_bytes(user_id, tiers),
        )
        parameters = {
            "plan_id": plan.pk,
            "user_id": user_id,
            "user_ids": [user_id],
            "tiers": [str(one) for one in tiers],
            "target_bytes": plan.target_bytes,
        }
        _freeze({**parameters, **profile.parameters()})
        _tell(plan, statements.fetch_all(statement(__file__, "frozen_of_plan"), parameters), used)
        crashpoint("plan-frozen")
        _record(MADE, plan, actor=actor, why=why, now=now, after=_frozen(plan))
    return plan


def apply(plan_id: UUID, *, actor: Actor, why: Why, now: datetime) -> Done:
    """Archive exactly what the plan shows; what has changed since is left and told. Applied before, it does nothing.

    Raises NoSuchPlan, PlanStale, PlanOver or UserGone.
    """
    with transaction.atomic():
        plan, tiers = _hold(plan_id, now=now)
        state = plan.state_at(now)
        if state is PlanState.APPLIED:
            return Done(plan, again=True)
        if state is PlanState.UNDONE:
            raise PlanOver
        if state is PlanState.STALE:
            raise PlanStale(plan)
        selections.require_kept(plan.user_id)
        parameters = {"plan_id": plan.pk, "user_id": plan.user_id, "now": now}
        with statements.without_nested_loops():
            told = [_told(row) for row in statements.fetch_all(statement(__file__, "apply_plan"), parameters)]
        crashpoint("plan-applied")
        archived = [one for one in told if one.outcome == ItemOutcome.ARCHIVED]
        quotas.shift_all(
            [Shift(plan.user_id, one.tier, -one.size_bytes, -one.items, one.size_bytes, one.items) for one in archived]
        )
        skipped = Counter[str]()
        for one in told:
            skipped[one.outcome] += 0 if one in archived else one.items
        plan.state, plan.applied_at, plan.applied_by = PlanState.APPLIED, now, str(actor)
        plan.archived_items, plan.archived_bytes = sum(one.items for one in archived), _bytes_of(archived)
        plan.skipped = dict(+skipped)
        plan.save(update_fields=["state", "applied_at", "applied_by", "archived_items", "archived_bytes", "skipped"])
        facts = {**_facts(plan, archived), "skipped": plan.skipped}
        _record(APPLIED, plan, actor=actor, why=why, now=now, before=_measured(archived, tiers), after=facts)
        crashpoint("plan-told")
        transaction.on_commit(partial(_count_archived, archived))
    return Done(plan, again=False)


def undo(plan_id: UUID, *, actor: Actor, why: Why, now: datetime) -> Done:
    """Bring back all that the plan archived and that is not back already, or nothing. Undone before, it does nothing.

    Raises NoSuchPlan, PlanNotApplied, UserGone, NotAllOfPlan or NoRoomToRestore.
    """
    with transaction.atomic():
        plan, tiers = _hold(plan_id, now=now)
        if plan.state == PlanState.UNDONE:
            return Done(plan, again=True)
        if plan.state != PlanState.APPLIED:
            raise PlanNotApplied
        selections.require_kept(plan.user_id)
        against = undoable(plan, tiers=tiers, now=now).against
        if against is not None:
            raise against
        parameters = {"plan_id": plan.pk, "user_id": plan.user_id, "now": now}
        with statements.without_nested_loops():
            rows = statements.fetch_all(statement(__file__, "undo_plan"), parameters)
        back = [Told(Tier(tier), "back", items, size_bytes) for tier, items, size_bytes in rows]
        crashpoint("plan-back")
        quotas.shift_all(
            [Shift(plan.user_id, one.tier, one.size_bytes, one.items, -one.size_bytes, -one.items) for one in back]
        )
        plan.state, plan.undone_at, plan.undone_by = PlanState.UNDONE, now, str(actor)
        plan.restored_items, plan.restored_bytes = sum(one.items for one in back), _bytes_of(back)
        plan.save(update_fields=["state", "undone_at", "undone_by", "restored_items", "restored_bytes"])
        _record(UNDONE, plan, actor=actor, why=why, now=now, before=_measured(back, tiers), after=_facts(plan, back))
        crashpoint("plan-undone")
        transaction.on_commit(partial(_count_restored, back))
    return Done(plan, again=False)


def undoable(plan: PrunePlan, *, tiers: Mapping[Tier, TierUsage], now: datetime) -> Undoable:
    """What the undo of an applied plan would do now, and what stands against it; nothing is held meanwhile."""
    back, skipped = [], Counter[Skip]()
    parameters = {"plan_id": plan.pk, "now": now}
    for tier, obstacle, items, size_bytes in statements.fetch_all(statement(__file__, "plan_to_undo"), parameters):
        if obstacle is None:
            back.append(Told(Tier(tier), "back", items, size_bytes))
        elif obstacle != Skip.ACTIVE:  # what is back already stands in nobody's way
            skipped[Skip(obstacle)] += items
    if skipped:
        return Undoable(back, NotAllOfPlan(skipped))
    shortages = selections.too_full({one.tier: one.size_bytes for one in back}, tiers)
    return Undoable(back, NoRoomToRestore(shortages) if shortages else None)


def errors_of(target: Target) -> list[tuple[str, str]]:
    """What is wrong with a target: JSON pointers and sentences."""
    if (target.size_bytes is None) == (target.share is None):
        return [("/target_bytes", "must be given, or target_share, and not both")]
    if target.size_bytes is not None and not 0 < target.size_bytes <= rules.MOST_BYTES:
        return [("/target_bytes", f"must be from 1 B to {bytesize.human(rules.MOST_BYTES)}")]
    if target.share is not None and not 0 < target.share <= 1:
        return [("/target_share", "must be above 0 and at most 1")]
    return []


def _freeze(parameters: Mapping[str, Any]) -> None:
    """Score and choose in one statement: an item is chosen in the version that was scored."""
    scores, chosen = statement(__file__, "scored_items"), statement(__file__, "freeze_plan")
    with statements.without_nested_loops():
        statements.execute(f"WITH scored AS MATERIALIZED (\n{scores}\n)\n{chosen}", parameters)


def _tell(plan: PrunePlan, rows: Sequence[Sequence[Any]], used: Mapping[Tier, TierUsage]) -> None:
    """Keep with the plan what it holds, and how each tier was when it was made."""
    for tier, goes_items, goes_bytes, protected_items, protected_bytes, list_sha256 in rows:
        plan.items_total += goes_items
        plan.bytes_total += goes_bytes
        plan.list_sha256 = list_sha256
        plan.facts[tier] = {
            **selections.measured(used[Tier(tier)]),
            "used_items": used[Tier(tier)].active_items,
            "goes_items": goes_items,
            "goes_bytes": goes_bytes,
            "protected_items": protected_items,
            "protected_bytes": protected_bytes,
        }
    plan.shortfall_bytes = max(0, plan.target_bytes - plan.bytes_total)
    plan.save(update_fields=["items_total", "bytes_total", "shortfall_bytes", "facts", "list_sha256"])


def _hold(plan_id: UUID, *, now: datetime) -> tuple[PrunePlan, dict[Tier, TierUsage]]:
    """The plan, held behind its user's counters, which say what is used."""
    user_id = PrunePlan.objects.filter(pk=plan_id).values_list("user_id", flat=True).first()
    if user_id is None:
        raise NoSuchPlan
    tiers = quotas.lock(user_id, now=now)
    return PrunePlan.objects.select_for_update(no_key=True).get(pk=plan_id), tiers


def _wanted(target: Target, active_bytes: int) -> int:
    if target.size_bytes is not None:
        return target.size_bytes
    return rules.share_bytes(target.share or 0, active_bytes)


def _cap_bytes(user_id: UUID, tiers: Sequence[Tier]) -> int:
    """What meditation may archive in a day of these tiers; of permanent nothing, ever."""
    policies = TierPolicy.objects.filter(plan__memoryuser=user_id, tier__in=tiers).exclude(tier=Tier.PERMANENT)
    return sum(math.floor(policy.daily_cap_share * policy.hard_bytes) for policy in policies.order_by("tier"))


def _told(row: Sequence[Any]) -> Told:
    tier, outcome, items, size_bytes = row
    return Told(Tier(tier), outcome, items, size_bytes)


def _bytes_of(told: Sequence[Told]) -> int:
    return sum(one.size_bytes for one in told)


def _measured(told: Sequence[Told], tiers: Mapping[Tier, TierUsage]) -> dict[str, Any]:
    return {str(one.tier): selections.measured(tiers[one.tier]) for one in told}


def _frozen(plan: PrunePlan) -> dict[str, Any]:
    return {
        "number": plan.items_total,
        "size_bytes": plan.bytes_total,
        "tiers": sorted(plan.facts),
        "target_bytes": plan.target_bytes,
        "shortfall_bytes": plan.shortfall_bytes,
        "list_sha256": plan.list_sha256,
    }


def _facts(plan: PrunePlan, told: Sequence[Told]) -> dict[str, Any]:
    return {
        "number": sum(one.items for one in told),
        "size_bytes": _bytes_of(told),
        "tiers": sorted(str(one.tier) for one in told),
        "list_sha256": plan.list_sha256,
    }


def _record(
    action: str,
    plan: PrunePlan,
    *,
    actor: Actor,
    why: Why,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any],
) -> None:
    facts = {**after, "plan": str(plan.pk)}
    subject = Subject("user", str(plan.user_id))
    trail.record(action, subject=subject, actor=actor, now=now, before=before, after=facts, why=why)


def _count_archived(archived: Sequence[Told]) -> None:
    for one in archived:
        metrics.count_archived(one.tier, one.items, reason="plan")


def _count_restored(back: Sequence[Told]) -> None:
    for one in back:
        metrics.count_restored(one.tier, one.items)
