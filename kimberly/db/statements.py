"""Run one SQL statement on the default connection."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

Row = tuple[Any, ...]


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
