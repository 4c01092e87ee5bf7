"""Prune plans as they were frozen, page by page in the order in which items go."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from kimberly.web.pagination import Order
from memory.models import PrunePlan, PrunePlanItem
from memory.rules import sentences
from memory.rules.plans import ItemOutcome
from memory.rules.scoring import Profile, order_key
from memory.rules.tiers import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One item of a plan, with the place in which it goes and why. `content` is None where it is purged."""

    position: int
    item_id: UUID
    tier: str
    size_bytes: int
    score: float
    order_key: float
    outcome: str
    created_at: Any
    content: str | None
    metadata: dict[str, Any] | None

    @property
    def reason(self) -> str:
        """Why it goes, in words."""
        return sentences.planned(self.position, tier=self.tier, size_bytes=self.size_bytes, score=self.score)


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some of a plan's items, and how to go on."""

    rows: list[PlannedItem]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Behind:
    """An item that may go and that a plan does not hold, with its score of now and what that came from."""

    item_id: UUID
    size_bytes: int
    score: float
    inputs: dict[str, Any]


def one(plan_id: UUID) -> PrunePlan | None:
    """The plan with its user; None when there is none."""
    return PrunePlan.objects.select_related("user").filter(pk=plan_id).first()


def items_of(plan: PrunePlan, *, size: int, cursor: str | None = None) -> ItemPage:
    """A plan's items from the first that goes, behind the cursor where given. Raises Invalid for another's cursor."""
    order = Order(f"plan {plan.pk}", "position", descending=False, kind=int)
    after = order.value_of(cursor) if cursor else 0
    rows = list(_items(plan.pk).filter(position__gt=after).order_by("position")[: size + 1])
    shown = [_planned(row) for row in rows[:size]]
    is_more = len(rows) > size
    next_cursor = order.cursor_at({"position": shown[-1].position, "id": shown[-1].item_id}) if is_more else None
    return ItemPage(shown, next_cursor)


def behind(plan: PrunePlan, *, tiers: Sequence[Tier], profile: Profile, size: int) -> list[Behind]:
    """The first few that may go and that the plan does not hold, scored now: what a larger target would reach."""
    parameters = {
        "plan_id": plan.pk,
        "user_id": plan.user_id,
        "user_ids": [plan.user_id],
        "tiers": [str(tier) for tier in tiers],
        "size": size,
    }
    scores, chosen = statement(__file__, "scored_items"), statement(__file__, "behind_plan")
    with statements.without_nested_loops():
        found = statements.fetch_all(
            f"WITH scored AS MATERIALIZED (\n{scores}\n)\n{chosen}", {**parameters, **profile.parameters()}
        )
    return [Behind(item_id, size_bytes, score, _read(inputs)) for item_id, size_bytes, score, inputs in found]


def decided_of(item_id: UUID) -> list[PrunePlanItem]:
    """The item's rows in plans that archived it, with their plans."""
    rows = PrunePlanItem.objects.filter(item_id=item_id, outcome=ItemOutcome.ARCHIVED)
    return list(rows.select_related("plan").order_by("plan_id"))


def _read(inputs: Any) -> dict[str, Any]:
    """As Django reads its JSON columns, of which a statement of one's own knows nothing."""
    read: dict[str, Any] = json.loads(inputs) if isinstance(inputs, str) else inputs
    return read


def _items(plan_id: UUID) -> Any:
    return PrunePlanItem.objects.filter(plan_id=plan_id).select_related("item").defer("item__embedding")


def _planned(row: PrunePlanItem) -> PlannedItem:
    return PlannedItem(
        position=row.position,
        item_id=row.item_id,
        tier=row.tier,
        size_bytes=row.size_bytes,
        score=row.score,
        order_key=order_key(row.score, row.size_bytes),
        outcome=row.outcome,
        created_at=row.item.created_at,
        content=row.item.content,
        metadata=row.item.metadata,
    )
