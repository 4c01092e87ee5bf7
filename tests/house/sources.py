"""The files of the project, as git sees them: what is tracked, and what is new and not ignored."""

import subprocess
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Relative to the project, in order."""
    listing = ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, capture_output=True, check=True, text=True).stdout.split("\0")
    return tuple(sorted({Path(name) for name in names if name and (PROJECT / name).is_file()}))


def python_files() -> list[Path]:
    """Without migrations, which are a record of steps and not prose."""
    return [path for path in files() if path.suffix == ".py" and "migrations" not in path.parts]


def text_of(path: Path) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")
