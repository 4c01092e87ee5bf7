"""SQL on the test's own connection, as the app's role."""

from typing import Any

from django.db import connection


def run(statement: str, *parameters: Any) -> int:
    """Run a statement for its effect; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def change(statement: str, *parameters: Any) -> None:
    """Run a statement that must touch a row: a test whose damage hits nothing would pass for nothing."""
    assert run(statement, *parameters), f"nothing was changed by {statement}"
