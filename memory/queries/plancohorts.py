"""A cohort's plans as a whole: how far it is, what its plans add up to, and of whom most would go."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from kimberly.db import statements
from kimberly.lib import ids
from kimberly.lib.sql import statement
from memory.models import PlanCohort, PlanCohortUser
from memory.rules.plancohorts import ENDS_IN, Became, CohortState
from memory.rules.plans import PlanState

LARGEST_SHOWN = 5
HAS_SOMETHING = Q(plan__items_total__gt=0)
TO_TELL = {
    CohortState.PLANNING: Q(became=Became.WAITING),
    CohortState.APPLYING: Q(became__in=[Became.PLANNED, Became.REFUSED], plan__isnull=False),
    # Also whose plan somebody applied by itself; an empty plan has nothing to take back.
    CohortState.UNDOING: Q(plan__applied_at__isnull=False) & ~Q(became__in=[Became.UNDONE, Became.NOTHING]),
}
"""Whom each phase is about, but for those of whom it has told already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Users by what became of them, how many of the phase are told and left, and the sums of their plans."""

    waiting: int
    planned: int
    nothing: int
    applied: int
    partly: int
    undone: int
    refused: int
    told: int
    left: int
    with_something: int
    items: int
    size_bytes: int
    cap_bytes: int
    over_cap: int
    short: int
    shortfall_bytes: int
    archived_items: int
    archived_bytes: int
    planned_items: int
    """Of those plans that were applied."""
    restored_items: int
    restored_bytes: int
    open_users: int
    """Whose plans archive something, and were not applied yet: with so many items and bytes."""
    open_items: int
    open_bytes: int
    standing_items: int
    """Of plans that were applied and are not undone."""
    standing_bytes: int

    @property
    def reaches(self) -> int:
        """So many users the phase is about."""
        return self.told + self.left

    @property
    def skipped_items(self) -> int:
        """What was left as it was, because it had changed since."""
        return self.planned_items - self.archived_items


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """A user of whom much would go, with their places among the others."""

    user_id: UUID
    external_id: str
    display_name: str
    plan_id: UUID
    items: int
    size_bytes: int
    used_bytes: int
    cap_bytes: int
    by_bytes: int
    by_share: int

    @property
    def share(self) -> float:
        """Of what was active in the plan's scope."""
        return self.size_bytes / self.used_bytes if self.used_bytes else 0.0

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.USER, self.user_id)

    @property
    def plan_public_id(self) -> str:
        return ids.encode(ids.Prefix.PLAN, self.plan_id)


def left_in(cohort: PlanCohort, *, phase: CohortState, round_number: int) -> QuerySet[PlanCohortUser]:
    """Those of whom the phase has not told yet."""
    return PlanCohortUser.objects.filter(TO_TELL[phase], cohort=cohort, round__lt=round_number)


def totals(cohort: PlanCohort) -> Totals:
    """Of this moment."""
    return of_many([cohort.pk])[cohort.pk]


def of_many(cohort_ids: Collection[UUID]) -> dict[UUID, Totals]:
    """The totals of each of these cohorts, in one statement."""
    members = PlanCohortUser.objects.filter(cohort__in=cohort_ids).order_by().values("cohort_id")
    was_applied, is_open = Q(plan__applied_at__isnull=False), Q(plan__state=PlanState.FROZEN)
    stands, was_undone = Q(plan__state=PlanState.APPLIED), Q(plan__state=PlanState.UNDONE)
    counted = {str(became): Count("pk", filter=Q(became=became)) for became in Became}
    counted |= {
        "told": Count("pk", filter=Q(round=F("cohort__round"))),
        "left": Count("pk", filter=_left_in_its_phase()),
        "with_something": Count("pk", filter=HAS_SOMETHING),
        "over_cap": Count("pk", filter=Q(plan__bytes_total__gt=F("plan__cap_bytes"))),
        "short": Count("pk", filter=Q(plan__shortfall_bytes__gt=0)),
        "open_users": Count("pk", filter=HAS_SOMETHING & is_open),
    }
    summed = {
        "items": _sum("items_total"),
        "size_bytes": _sum("bytes_total"),
        "cap_bytes": _sum("cap_bytes", HAS_SOMETHING),
        "shortfall_bytes": _sum("shortfall_bytes"),
        "archived_items": _sum("archived_items"),
        "archived_bytes": _sum("archived_bytes"),
        "planned_items": _sum("items_total", was_applied),
        "restored_items": _sum("restored_items", was_undone),
        "restored_bytes": _sum("restored_bytes", was_undone),
        "open_items": _sum("items_total", is_open),
        "open_bytes": _sum("bytes_total", is_open),
        "standing_items": _sum("archived_items", stands),
        "standing_bytes": _sum("archived_bytes", stands),
    }
    rows: list[Any] = list(members.annotate(**counted, **summed))
    return {row.pop("cohort_id"): Totals(**row) for row in rows}


def largest(cohort: PlanCohort) -> list[Large]:
    """Of whom most would go, by bytes and by share of what was active."""
    asked = {"cohort_id": cohort.pk, "most": LARGEST_SHOWN}
    names = tuple(Large.__dataclass_fields__)
    rows = statements.fetch_all(statement(__file__, "largest_of_cohort"), asked)
    return [Large(**dict(zip(names, row, strict=True))) for row in rows]


def _left_in_its_phase() -> Q:
    """Members of whom the phase of their own cohort has not told yet."""
    any_of = Q(pk__in=[])
    for phase, to_tell in TO_TELL.items():
        states = [phase, ENDS_IN[phase]]
        any_of |= (Q(cohort__state__in=states) | Q(cohort__stopped_while=phase)) & to_tell
    return any_of & Q(round__lt=F("cohort__round"))


def _sum(column: str, where: Q | None = None) -> Sum:
    return Sum(f"plan__{column}", filter=where, default=0)
