"""SQL that the ORM cannot say: one statement a file, beside the code that runs it."""

from functools import cache
from pathlib import Path


@cache
def statement(module_file: str, name: str) -> str:
    """The text of `sql/<name>.sql` beside the module of this `__file__`, or beside the module's package."""
    folder = Path(module_file).resolve().parent
    path = folder / "sql" / f"{name}.sql"
    if not path.exists():
        path = folder.parent / "sql" / f"{name}.sql"
    return path.read_text(encoding="utf-8")
