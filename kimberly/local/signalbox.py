"""Signals of the supervisor, taken in while it waits, and nowhere else."""

import os
import select
import signal
import time
from signal import Signals
from types import FrameType

# Closer together they are one wish: `kill` of a whole process group reaches us twice, the second time through make.
SECOND_WISH_SECONDS = 1.0
STOPPING = (Signals.SIGINT, Signals.SIGTERM, Signals.SIGHUP)


class StopRequested(Exception):
    """Ctrl-C, SIGTERM, or the terminal is gone."""


class SignalBox:
    """Turns signals into StopRequested at the next `wait`, and ends that wait when a child ends."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._stop_wishes: list[float] = []
        for number in STOPPING:
            signal.signal(number, self._note_stop)
        signal.signal(signal.SIGCHLD, _wake_up)

    def wait(self, seconds: float) -> None:
        """Wait until something happens or the time is over; raise StopRequested when one was asked for."""
        if not self._stop_wishes:
            self.pause(seconds)
        if self._stop_wishes:
            raise StopRequested

    def pause(self, seconds: float) -> None:
        """Wait in the same way, while stopping already."""
        ready, _, _ = select.select([self._reading], [], [], seconds)
        if ready:
            os.read(self._reading, 4096)

    def is_urgent(self) -> bool:
        """Whether a stop was asked for more than once."""
        return len(self._stop_wishes) > 1

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._stop_wishes or now - self._stop_wishes[-1] >= SECOND_WISH_SECONDS:
            self._stop_wishes.append(now)


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """What SIGCHLD needs a handler for: the wakeup descriptor reports only signals that have one."""
