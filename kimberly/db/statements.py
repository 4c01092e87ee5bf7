"""Run one SQL statement on the default connection."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

Row = tuple[Any, ...]


@contextmanager
def without_nested_loops() -> Iterator[None]:
    """Statements whose parts grow with a user's items: no row of one is compared with all rows of another.

    The planner knows nothing of what a statement's own parts hold, nor of rows that came a moment ago; guessing few, it
    would compare each with each.
    """
    with transaction.atomic():
        execute("SET LOCAL enable_nestloop = off", {})
        yield
        execute("SET LOCAL enable_nestloop = on", {})


def fetch_one(text: str, parameters: Mapping[str, Any]) -> Row | None:
    """The first row that the statement gives, or None."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        row: Row | None = cursor.fetchone()
        return row


def fetch_all(text: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Every row that the statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return list(cursor.fetchall())


def execute(text: str, parameters: Mapping[str, Any]) -> int:
    """Run a statement for its effect; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return int(cursor.rowcount)
