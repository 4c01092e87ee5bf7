"""The real stack as a person starts it, for tests that kill it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from kimberly.local import accounts, options, programs
from tests.local.watching import processes_of
from tests.waiting import until

# What the tests' own settings put there.
NOT_INHERITED = {*options.names(), *(f"{name}_FILE" for name in options.names()), "KIMBERLY_SECURE_COOKIES"}
START_SECONDS, STOP_SECONDS = 180, 60
UNNEEDED = shutil.ignore_patterns(".venv", ".git", "var", "staticfiles", "docs", ".*_cache", "__pycache__")


class Stack:
    """`python -m kimberly.local up` on a data folder, on a free port; `environ` is laid over the test's own."""

    def __init__(
        self, data_dir: Path, *, person: "Person | None" = None, environ: dict[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir
        self._person = person or Person()
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        settings = {"KIMBERLY_DATA_DIR": str(data_dir), "KIMBERLY_PORT": "0", "KIMBERLY_WEB_WORKERS": "1"}
        settings["KIMBERLY_DEMO"] = "0"  # its people take ten seconds, and only the tests of the demo look at them
        self._environ = {**inherited, **self._person.environ, **settings, **(environ or {})}
        self._process: subprocess.Popen[str] | None = None

    def launch(self, command: str = "up") -> subprocess.Popen[str]:
        """Begin the command without waiting for anything."""
        self._process = subprocess.Popen(
            [self._person.python, "-m", "kimberly.local", command],
            cwd=self._person.project,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **self._person.identity,
        )
        return self._process

    def start(self) -> Self:
        process = self.launch()
        until(
            lambda: process.poll() is not None or self._is_published(process.pid),
            what="portal.json",
            limit_seconds=START_SECONDS,
        )
        assert process.poll() is None, f"it did not start: {self.output()}"
        return self

    def run(self, command: str = "up") -> str:
        """Run a command that ends by itself; what it said. Its exit code is the process's."""
        self.launch(command)
        return self.output()

    def output(self) -> str:
        """All it said, once it ended."""
        spoken, complained = self.process.communicate(timeout=START_SECONDS)
        return spoken + complained

    def end_by(self, number: signal.Signals) -> int:
        """Send it the signal; its exit code."""
        self.process.send_signal(number)
        self.output()
        return self.process.returncode

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "it was not launched"
        return self._process

    @property
    def portal_file(self) -> Path:
        return self.data_dir / "portal.json"

    @property
    def portal(self) -> dict[str, Any]:
        portal: dict[str, Any] = json.loads(self.portal_file.read_text())
        return portal

    def _is_published(self, pid: int) -> bool:
        """Whether the file is there and not that of a killed predecessor."""
        return self.portal_file.exists() and self.portal["pid"] == pid

    def wait_until_gone(self) -> None:
        until(lambda: not processes_of(self.data_dir), what="the end of all its processes", limit_seconds=STOP_SECONDS)

    def count_users(self) -> int:
        """Asks the database as the app does."""
        with psycopg.connect(self.portal["database_url"]) as connection:
            row = connection.execute("SELECT count(*) FROM auth_user").fetchone()
        return row[0] if row else 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.process.kill()
        self.output()


class Person:
    """Who starts the stack: whoever runs the tests."""

    def __init__(self) -> None:
        self.python = sys.executable
        self.project = programs.PROJECT
        self.environ: dict[str, str] = {}
        self.identity: dict[str, Any] = {}


class OrdinaryPerson(Person):
    """Somebody without rights; root becomes nobody, who gets copies of what lies where nobody can read."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        if os.geteuid() != 0:
            return
        self._account = accounts.named("nobody")
        self._folder = folder
        self.identity = {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        self.environ = {"HOME": str(folder), "PYTHONPATH": str(self._site_packages())}
        self.project = self._reachable(programs.PROJECT, "project")
        if not accounts.may_enter(self._account, Path(sys.executable).resolve().parent):
            self._copy_python()

    def give(self, folder: Path) -> Path:
        """A data folder that belongs to this person."""
        if self.identity:
            os.chown(folder, self._account.uid, self._account.gid)
        return folder

    def _site_packages(self) -> Path:
        return self._reachable(Path(psycopg.__file__).parent.parent, "site-packages")

    def _reachable(self, source: Path, name: str) -> Path:
        if accounts.may_enter(self._account, source):
            return source
        return Path(shutil.copytree(source, self._folder / name, ignore=UNNEEDED, symlinks=True))

    def _copy_python(self) -> None:
        """The interpreter with its standard library, which finds itself by where it lies."""
        base, version = Path(sys.base_prefix), f"python3.{sys.version_info.minor}"
        target = self._folder / "python"
        (target / "bin").mkdir(parents=True)
        shutil.copy2(base / "bin" / version, target / "bin" / version)
        unneeded = shutil.ignore_patterns("test", "site-packages", "config-*", "idlelib", "tkinter", "__pycache__")
        shutil.copytree(base / "lib" / version, target / "lib" / version, ignore=unneeded)
        for library in (base / "lib").glob("libpython3*.so*"):
            shutil.copy2(library, target / "lib" / library.name)
        self.python = str(target / "bin" / version)
        self.environ |= {"LD_LIBRARY_PATH": str(target / "lib")}


def require_root() -> None:
    if os.geteuid() != 0:
        pytest.fail("This test starts the stack as root: run it as root.", pytrace=False)
