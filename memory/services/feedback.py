"""What clients say of memories."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kimberly.lib.actors import Actor
from memory.models import ItemFeedback, MemoryItem
from memory.rules.tiers import ItemState
from memory.services.items import ItemGone


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a memory helped, or how much it matters to the person (0 to 1); exactly one of the two."""

    helpful: bool | None
    emotional_weight: float | None


def give(item_id: UUID, said: Verdict, *, user_id: UUID, created_by: Actor, now: datetime) -> ItemFeedback:
    """Keep what is said of the user's item. Raises ItemGone, also for purged items and other people's."""
    items = MemoryItem.objects.filter(pk=item_id, user_id=user_id).exclude(state=ItemState.PURGED)
    if not items.exists():
        raise ItemGone
    return ItemFeedback.objects.create(
        item_id=item_id,
        helpful=said.helpful,
        emotional_weight=said.emotional_weight,
        created_at=now,
        created_by=str(created_by),
    )
