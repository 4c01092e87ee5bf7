"""Real workers and beats on the tests' own servers, to be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from kimberly.celery import app
from memory import tasks
from tests.house.sources import PROJECT


class Program:
    """A program of Celery, in a group of its own so that a kill takes all of its processes."""

    def __init__(self, *arguments: str, module: str, environment: Mapping[str, str]) -> None:
        self.command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", module, *arguments]
        self.environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "kimberly.settings", **environment}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self.command, cwd=PROJECT, env=self.environment, start_new_session=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def kill(self) -> None:
        """End all of its processes at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self.kill()


class Worker(Program):
    """A worker of so many processes, of this stack unless the environment names another."""

    def __init__(
        self, *, processes: int = 2, module: str = "kimberly.celery", environment: Mapping[str, str] | None = None
    ) -> None:
        arguments = ["--concurrency", str(processes), "--queues", "default,meditation,maintenance"]
        quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        super().__init__("worker", *arguments, *quiet, module=module, environment=environment or {})


class Beat(Program):
    """What sends the schedules."""

    def __init__(self, *, environment: Mapping[str, str] | None = None) -> None:
        scheduler = ["--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile="]
        super().__init__("beat", *scheduler, module="kimberly.celery", environment=environment or {})


WATCHED_SECONDS = 0.5
"""How often a test may ask the watch to look: more often, and the workers do little else."""


def watch() -> None:
    """What beat sends each minute."""
    tasks.watch_meditations.apply_async()


def lose_the_queues() -> None:
    """Everything that was sent and not taken is gone, as with a broker that was flushed."""
    app.control.purge()
