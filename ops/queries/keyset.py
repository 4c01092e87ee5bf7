"""One page of any list, by keyset."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from kimberly.web.pagination import Order

T = TypeVar("T")
PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page; the cursor that goes on behind them, None on the last page."""

    rows: list[T]
    next_cursor: str | None


def page(rows: QuerySet[Any, Any], order: Order, *, cursor: str = "", size: int = PAGE_ROWS) -> Page[Any]:
    """The rows behind the cursor in this order. Raises Invalid for a cursor of another list."""
    found = order.after(rows, cursor) if cursor else rows
    chosen = list(order.apply(found)[: size + 1])
    more = len(chosen) > size
    chosen = chosen[:size]
    return Page(chosen, order.cursor_at(chosen[-1]) if more else None)
