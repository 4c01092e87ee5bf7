"""What runs on a data folder, seen from outside."""

import os
from contextlib import suppress
from pathlib import Path

from kimberly.local.processes import is_alive


def processes_of(data_dir: Path) -> dict[int, str]:
    """Every living process that names the folder in its environment or arguments, or works in it, by its id.

    PostgreSQL writes its title over its environment: its processes are known by where they work.
    """
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(entry.name) != os.getpid() and _belongs(entry, data_dir) and is_alive(int(entry.name)):
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return found


def _belongs(entry: Path, data_dir: Path) -> bool:
    homes = [data_dir.resolve(), (data_dir / "postgres").resolve()]
    works_in = (entry / "cwd").readlink()
    words = (entry / "environ").read_bytes() + b"\0" + (entry / "cmdline").read_bytes()
    return any(works_in.is_relative_to(home) or str(home).encode() in words for home in homes)
