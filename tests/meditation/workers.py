"""Real workers on the tests' own servers, to be killed."""

import os
import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

from kimberly.celery import app
from memory import tasks
from tests.house.sources import PROJECT


class Worker:
    """A Celery worker, in a group of its own so that a kill takes all of its processes."""

    def __init__(self, *, processes: int = 2) -> None:
        self.processes = processes

    def __enter__(self) -> Self:
        command = [
            sys.executable, "-W", "ignore", "-m", "celery", "-A", "kimberly.celery", "worker",
            "--concurrency", str(self.processes),
            "--queues", "default,meditation,maintenance", "--loglevel", "WARNING", "--without-gossip",
            "--without-mingle",
        ]  # fmt: skip
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "kimberly.settings"}
        self._process = subprocess.Popen(
            command, cwd=PROJECT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
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


def watch() -> None:
    """What beat sends each minute."""
    tasks.watch_meditations.apply_async()


def lose_the_queues() -> None:
    """Everything that was sent and not taken is gone, as with a broker that was flushed."""
    app.control.purge()
