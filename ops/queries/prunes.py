"""Prune plans as the portal lists them: whose, how each stands, who made, applied and undid it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Max, Min, OuterRef, Q, Subquery

from kimberly.web.pagination import Order
from memory.models import PrunePlan, PrunePlanItem
from memory.rules import plans as rules
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import Tier
from ops.queries import history, keyset, pruned
from ops.queries.history import HistoryRow
from ops.queries.keyset import Page
from ops.queries.names import Name, Names

NEWEST_FIRST = Order("made", "created_at", descending=True, kind=datetime)
SHOWN, SHOWN_OF_USER = 30, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One plan as of `now`, with its people; a name is empty where nobody did that yet."""

    plan: PrunePlan
    made_by: Name
    applied_by: Name
    undone_by: Name
    now: datetime

    @property
    def state(self) -> PlanState:
        return self.plan.state_at(self.now)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """What it reaches."""
        return rules.scope(Tier(self.plan.tier) if self.plan.tier else None)

    @property
    def times_cap(self) -> float | None:
        """How many times what a meditation may archive there in a day; None where it may archive nothing."""
        return rules.times_cap(self.plan.bytes_total, self.plan.cap_bytes)

    @property
    def skipped(self) -> dict[ItemOutcome, int]:
        """How many items were left as they were, by what kept them."""
        return {ItemOutcome(name): number for name, number in sorted(self.plan.skipped.items())}

    @property
    def skipped_says(self) -> str:
        """`2 changed since, 1 protected since`; empty where none was left."""
        return ", ".join(f"{number:,} {outcome.says}" for outcome, number in self.skipped.items())


def listed(
    *,
    state: PlanState | None,
    user_id: UUID | None,
    with_cohorts: bool = True,
    names: Names,
    now: datetime,
    cursor: str = "",
) -> Page[PlanRow]:
    """The plans behind the cursor, newest first: all, or those of a state or a user; perhaps without those that were
    made with others', as a cohort.
    """
    rows = PrunePlan.objects.select_related("user")
    if not with_cohorts:
        rows = rows.filter(in_cohort=None)
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if state is not None:
        rows = rows.filter(_in_state(state, now))
    found = keyset.page(rows, NEWEST_FIRST, cursor=cursor, size=SHOWN)
    return Page([row_of(plan, names=names, now=now) for plan in found.rows], found.next_cursor)


def of_user(user_id: UUID, *, names: Names, now: datetime, beside: UUID | None = None) -> list[PlanRow]:
    """The newest few plans of a user, but for the one that is shown already."""
    rows = PrunePlan.objects.filter(user_id=user_id).order_by("-created_at", "-pk")
    if beside is not None:
        rows = rows.exclude(pk=beside)
    return [row_of(plan, names=names, now=now) for plan in rows[:SHOWN_OF_USER]]


def exists(plan_id: UUID) -> bool:
    """Whether there is such a plan."""
    return PrunePlan.objects.filter(pk=plan_id).exists()


def one(plan_id: UUID, *, names: Names, now: datetime) -> PlanRow | None:
    """The plan with its user; None when there is none. It knows its largest and its oldest item.

    And where it is one of many: of which cohort, of how many users.
    """
    held = PrunePlanItem.objects.filter(plan_id=OuterRef("pk")).order_by().values("plan_id")
    plans = PrunePlan.objects.select_related("user").annotate(
        largest_bytes=Subquery(held.annotate(most=Max("size_bytes")).values("most")),
        oldest_at=Subquery(held.annotate(first=Min("item__created_at")).values("first")),
        cohort_id=F("in_cohort__cohort"),
        cohort_users=F("in_cohort__cohort__users"),
    )
    plan = plans.filter(pk=plan_id).first()
    return row_of(plan, names=names, now=now) if plan else None


def acts(plan: PrunePlan, *, names: Names, now: datetime) -> list[HistoryRow]:
    """What was done with the plan, by whom and why, newest first."""
    entries = history.entries_of(plan.user_id).filter(pruned.DECIDED, after__plan=str(plan.pk))
    return [history.told_row(entry, names=names, now=now) for entry in entries.order_by("-at", "-pk")]


def row_of(plan: PrunePlan, *, names: Names, now: datetime) -> PlanRow:
    """The plan as a row."""
    made_by, applied_by, undone_by = map(names.of, (plan.created_by, plan.applied_by, plan.undone_by))
    return PlanRow(plan=plan, made_by=made_by, applied_by=applied_by, undone_by=undone_by, now=now)


def _in_state(state: PlanState, now: datetime) -> Any:
    """A frozen plan becomes stale by itself."""
    if state is PlanState.FROZEN:
        return Q(state=state, stale_at__gt=now)
    return Q(state=PlanState.FROZEN, stale_at__lte=now) if state is PlanState.STALE else Q(state=state)
