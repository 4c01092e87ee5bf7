"""Which of one user's memories a search looks at: those that its filters let through."""

from uuid import UUID

from memory.models import MemoryItem
from memory.queries.retrieval import Narrowing
from memory.rules.tiers import ItemState


def any_pass(narrowing: Narrowing, *, user_id: UUID) -> bool:
    """Whether there is a memory that passes all of the filters."""
    states = [ItemState.ACTIVE, ItemState.ARCHIVED] if narrowing.include_archived else [ItemState.ACTIVE]
    items = MemoryItem.objects.filter(user_id=user_id, state__in=states)
    if narrowing.tier is not None:
        items = items.filter(tier=narrowing.tier)
    if narrowing.since is not None:
        items = items.filter(created_at__gte=narrowing.since)
    if narrowing.until is not None:
        items = items.filter(created_at__lt=narrowing.until)
    if narrowing.tags:
        items = items.filter(metadata__contains={"tags": list(narrowing.tags)})
    if narrowing.metadata:
        items = items.filter(metadata__contains=narrowing.metadata)
    return items.exists()
