"""Audit entries about prune plans: to each the plan it is about, and whether that stands, in the same statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, JSONField, OuterRef, Q, QuerySet, Subquery, UUIDField, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, JSONObject

from kimberly.audit.models import AuditEntry
from kimberly.lib import ids
from memory.models import PrunePlan, PrunePlanItem
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import ItemState
from memory.services import plans

DECIDED = Q(action__in=[plans.MADE, plans.APPLIED, plans.UNDONE])
APPLIED = plans.APPLIED
STANDING = Q(action=APPLIED, plan_now__state=PlanState.APPLIED, plan_now__lies=True)
"""Of entries with their plans: those that applied one of which something could be undone."""


@dataclass(frozen=True, slots=True)
class About:
    """The plan of an entry. `stands`: it was applied by this act, and something of it lies in the archive still."""

    public_id: str
    stands: bool
    undone_by: str
    undone_at: datetime | None


def with_plans(entries: QuerySet[AuditEntry]) -> QuerySet[Any]:
    """The entries, each with the facts of its plan where it is about one."""
    # Other entries have a plan of another sort in this place: the one by which a user has limits.
    plan_id = Case(
        When(DECIDED, then=Cast(KeyTextTransform("plan", "after"), UUIDField())), output_field=UUIDField(null=True)
    )
    lying = PrunePlanItem.objects.filter(
        plan_id=OuterRef("pk"), outcome=ItemOutcome.ARCHIVED, item__state=ItemState.ARCHIVED
    )
    facts = PrunePlan.objects.filter(pk=OuterRef("plan_id")).values(
        facts_now=JSONObject(state=F("state"), undone_by=F("undone_by"), undone_at=F("undone_at"), lies=Exists(lying))
    )
    return entries.annotate(plan_id=plan_id, plan_now=Subquery(facts, output_field=JSONField(null=True)))


def of_entry(entry: Any) -> About | None:
    """The plan of an entry that was read with it."""
    plan_id: UUID | None = getattr(entry, "plan_id", None)
    now = getattr(entry, "plan_now", None)
    if plan_id is None or now is None:
        return None
    is_application = entry.action == APPLIED
    undone_at = datetime.fromisoformat(now["undone_at"]) if is_application and now["undone_at"] else None
    return About(
        ids.encode(ids.Prefix.PLAN, plan_id),
        stands=is_application and now["state"] == PlanState.APPLIED and now["lies"],
        undone_by=now["undone_by"] if undone_at else "",
        undone_at=undone_at,
    )
