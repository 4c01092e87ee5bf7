"""Keyset pages: each row that is there throughout is given exactly once, while others come and go."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from kimberly.lib.errors import Invalid
from kimberly.web.bodies import text_error

MAX_CURSOR_CHARACTERS = 1_000  # 128 characters of four bytes and an id, in base64, are 780


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: one column and the primary key behind it, both in the same direction."""

    name: str
    column: str
    descending: bool
    kind: type[datetime] | type[int] | type[str] | type[UUID]

    def apply(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        sign = "-" if self.descending else ""
        return rows.order_by(f"{sign}{self.column}", f"{sign}pk")

    def after(self, rows: QuerySet[Any], cursor: str, *, pointer: str = "/cursor") -> QuerySet[Any]:
        """The rows behind the one that the cursor names, or Invalid when the cursor is not of this order."""
        value, key = self._decode(cursor, pointer)
        comparison = "lt" if self.descending else "gt"
        column = self.column
        # A row comparison would be nicer, but the ORM has none; the first part lets the index find the place.
        return rows.filter(
            Q(**{f"{column}__{comparison}e": value})
            & (Q(**{f"{column}__{comparison}": value}) | Q(**{f"pk__{comparison}": key}))
        )

    def cursor_at(self, row: Model | dict[str, Any]) -> str:
        """The cursor that continues behind this row."""
        read = row.get if isinstance(row, dict) else lambda name: getattr(row, name)
        value = read(self.column)
        stored = value.isoformat() if isinstance(value, datetime) else str(value) if self.kind is UUID else value
        text = json.dumps([self.name, stored, str(read("id"))], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def value_of(self, cursor: str, *, pointer: str = "/cursor") -> Any:
        """Where the cursor stands in the order's column."""
        return self.place(cursor, pointer=pointer)[0]

    def place(self, cursor: str, *, pointer: str = "/cursor") -> tuple[Any, UUID]:
        """Where the cursor stands: the order's column and the key; Invalid when it is not of this order."""
        return self._decode(cursor, pointer)

    def _decode(self, cursor: str, pointer: str) -> tuple[Any, UUID]:
        try:
            return self._read(cursor)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Invalid((pointer, "is not a cursor of this list and order; start again without it")) from error

    def _read(self, cursor: str) -> tuple[Any, UUID]:
        if len(cursor) > MAX_CURSOR_CHARACTERS or not cursor.isascii():
            raise ValueError
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        name, value, key = json.loads(text)
        if name != self.name or not isinstance(key, str):
            raise ValueError
        return self._value(value), UUID(key)

    def _value(self, value: Any) -> Any:
        if self.kind is datetime:
            parsed = datetime.fromisoformat(value)
            if parsed.tzinfo is None:
                raise ValueError
            return parsed.astimezone(UTC)  # PostgreSQL knows fewer offsets than Python does
        if self.kind is UUID and isinstance(value, str):
            return UUID(value)
        is_number = self.kind is int and type(value) is int and -(2**63) <= value < 2**63
        is_text = self.kind is str and isinstance(value, str) and text_error(value) is None
        if not (is_number or is_text):
            raise ValueError
        return value
