"""One user's items, as lists and single rows for the API: plain dictionaries, no model instances."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.web.pagination import Order
from memory.models import MemoryItem
from memory.rules.tiers import ItemState, Tier

COUNTED_EXACTLY = 10_000
COLUMNS = (
    "id",
    "tier",
    "state",
    "content",
    "metadata",
    "size_bytes",
    "protected",
    "version",
    "created_at",
    "expires_at",
    "archived_at",
    "purge_after",
)
ORDERS = {
    order.name: order
    for order in (
        Order("-created_at", "created_at", descending=True, kind=datetime),
        Order("created_at", "created_at", descending=False, kind=datetime),
        Order("-size_bytes", "size_bytes", descending=True, kind=int),
        Order("size_bytes", "size_bytes", descending=False, kind=int),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of a user's items; None means any."""

    tier: Tier | None = None
    state: ItemState = ItemState.ACTIVE
    tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, and how to go on."""

    rows: list[dict[str, Any]]
    total: int
    total_is_estimate: bool
    next_cursor: str | None


def matching(user_id: UUID, filters: Filters) -> QuerySet[MemoryItem]:
    """The user's items that pass the filters, in no order."""
    items = MemoryItem.objects.filter(user_id=user_id, state=filters.state)
    if filters.tier is not None:
        items = items.filter(tier=filters.tier)
    if filters.tag is not None:
        items = items.filter(metadata__contains={"tags": [filters.tag]})
    if filters.since is not None:
        items = items.filter(created_at__gte=filters.since)
    if filters.until is not None:
        items = items.filter(created_at__lt=filters.until)
    if filters.words is not None:
        items = items.filter(content__icontains=filters.words)
    return items


def page(
    user_id: UUID, filters: Filters, *, order: Order, size: int, cursor: str | None = None, offset: int = 0
) -> Page:
    """One page behind the cursor, or at the offset. Raises Invalid for a cursor of another list."""
    found = matching(user_id, filters)
    order = _of_this_list(order, user_id, filters)
    total = found.order_by()[: COUNTED_EXACTLY + 1].count()
    rows = order.apply(order.after(found, cursor) if cursor is not None else found)
    chosen = list(rows.values(*COLUMNS)[offset : offset + size + 1])
    more = len(chosen) > size
    chosen = chosen[:size]
    return Page(
        chosen,
        min(total, COUNTED_EXACTLY),
        total > COUNTED_EXACTLY,
        order.cursor_at(chosen[-1]) if more else None,
    )


def _of_this_list(order: Order, user_id: UUID, filters: Filters) -> Order:
    """The order under a name that says of which list: a cursor of another user or filter is refused."""
    which = hashlib.sha256(repr((user_id, filters)).encode()).hexdigest()
    return replace(order, name=f"{order.name} {which[:12]}")


def by_ids(ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Rows by id, without those whose content is gone."""
    rows = MemoryItem.objects.filter(pk__in=ids).exclude(state=ItemState.PURGED).values(*COLUMNS)
    return {row["id"]: row for row in rows}


def one(item_id: UUID, *, user_id: UUID) -> dict[str, Any] | None:
    """The user's item, or None; purged items are gone."""
    items = MemoryItem.objects.filter(pk=item_id, user_id=user_id).exclude(state=ItemState.PURGED)
    row: dict[str, Any] | None = items.values(*COLUMNS).first()
    return row
