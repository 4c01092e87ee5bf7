"""SQL that the ORM cannot say: one statement a file, beside the code that runs it."""

from functools import cache
from pathlib import Path


@cache
def statement(package_file: str, name: str) -> str:
    """The text of `sql/<name>.sql` in the app that the given `__file__` belongs to (two folders up from it)."""
    return (Path(package_file).resolve().parent.parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
