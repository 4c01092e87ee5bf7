"""Small work that a process does now and then, beside its requests or tasks."""

import os
import threading
from collections.abc import Callable

import structlog

logger = structlog.get_logger(__name__)


class Repeated:
    """Calls something again and again, in a thread of its own, in every process that asked for it once.

    A call that fails is logged, and the next one is made all the same: nobody would start the thread again.
    """

    def __init__(self, call: Callable[[], None], *, every_seconds: float, name: str) -> None:
        self._call = call
        self._every_seconds = every_seconds
        self._name = name
        self._lock = threading.Lock()
        self._runs = False
        # A forked child has its parent's memory but none of its threads.
        os.register_at_fork(after_in_child=self._begin_anew)

    def ensure(self) -> None:
        """Start, where it does not run yet; asking again costs nothing."""
        if self._runs:
            return
        with self._lock:
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._for_ever, name=self._name, daemon=True).start()

    def _for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every_seconds):
            try:
                self._call()
            except Exception:
                logger.exception("repeated_work_failed", name=self._name)

    def _begin_anew(self) -> None:
        self._runs = False
        self._lock = threading.Lock()
