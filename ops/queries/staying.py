"""What a plan leaves: the next that would go behind its list, and what is protected and goes by no plan."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import TextField, Value
from django.db.models.functions import Left, Length

from kimberly.lib import ids
from memory.models import MemoryItem, PrunePlan
from memory.queries import plans, scoring
from memory.rules.tiers import ItemState, Tier
from ops import excerpts, scorewhys
from ops.queries.planned import PlannedRow
from ops.queries.prunes import PlanRow
from ops.queries.reveals import RevealRow

NEXT_SHOWN, PROTECTED_SHOWN = 10, 10


def next_ones(row: PlanRow, *, reveal: RevealRow | None) -> list[PlannedRow]:
    """The first few that may go and are not on the list, in order, by the weights of the plan and the scores of now."""
    profile = scoring.profile(row.plan.profile_version)
    found = plans.behind(row.plan, tiers=row.tiers, profile=profile, size=NEXT_SHOWN)
    items = _items([one.item_id for one in found], reveal)
    return [
        _row(
            items[one.item_id],
            position=row.plan.items_total + number,
            score=one.score,
            short=scorewhys.in_short(one.inputs, profile),
            because=tuple(scorewhys.planned(one.inputs, score=one.score, size_bytes=one.size_bytes, profile=profile)),
        )
        for number, one in enumerate(found, start=1)
        if one.item_id in items
    ]


def protected(plan: PrunePlan, tiers: Sequence[Tier], *, reveal: RevealRow | None) -> list[PlannedRow]:
    """The largest few that are protected now."""
    kept = MemoryItem.objects.filter(user_id=plan.user_id, state=ItemState.ACTIVE, protected=True, tier__in=tiers)
    largest = kept.order_by("-size_bytes", "pk").values_list("pk", flat=True)[:PROTECTED_SHOWN]
    items = _items(list(largest), reveal)
    return list(_rows(items))


def _rows(items: dict[UUID, dict[str, Any]]) -> Iterator[PlannedRow]:
    for item in sorted(items.values(), key=lambda item: (-item["size_bytes"], item["id"])):
        yield _row(item, position=None, score=None, because=())


def _items(item_ids: Sequence[UUID], reveal: RevealRow | None) -> dict[UUID, dict[str, Any]]:
    # Without a reveal the texts do not even leave the database.
    text = Left("content", excerpts.MOST_CHARACTERS) if reveal else Value(None, output_field=TextField())
    rows = MemoryItem.objects.filter(pk__in=item_ids).annotate(characters=Length("content"), text=text)
    columns = ("id", "tier", "state", "size_bytes", "protected", "created_at", "characters", "text")
    return {item["id"]: item for item in rows.order_by("pk").values(*columns)}


def _row(item: dict[str, Any], **about: Any) -> PlannedRow:
    return PlannedRow(
        public_id=ids.encode(ids.Prefix.ITEM, item["id"]),
        tier=Tier(item["tier"]),
        size_bytes=item["size_bytes"],
        created_at=item["created_at"],
        outcome=None,
        state=ItemState(item["state"]),
        protected=item["protected"],
        characters=item["characters"],
        excerpt=None if item["text"] is None else excerpts.of(item["text"], characters=item["characters"]),
        **about,
    )
