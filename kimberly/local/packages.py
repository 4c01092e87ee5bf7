"""Debian packages that tests need beside what pip installs."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from kimberly.local.progress import say


def provide(names: Sequence[str]) -> None:
    """Install what is missing where we may; else name it in one line, and the tests that need it will say so too."""
    missing = [name for name in names if not _is_there(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        _install(missing)
        missing = [name for name in missing if not _is_there(name)]
    if missing:
        say(f"Missing on this machine: {', '.join(missing)}. On Debian: sudo apt-get install -y {' '.join(missing)}")


def _is_there(name: str) -> bool:
    """As a package, or as a program of that name from anywhere else."""
    if shutil.which(name) is not None:
        return True
    if shutil.which("dpkg-query") is None:
        return False
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def _install(names: Sequence[str]) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--quiet", "--no-install-recommends", *names]
    for command in (["apt-get", "update", "--quiet", "--quiet"], install):
        subprocess.run(command, env=environ, check=False)
