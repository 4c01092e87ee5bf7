"""Waiting for a condition, with a limit."""

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.05


def wait_until(
    condition: Callable[[], bool], *, limit_seconds: float, wait: Callable[[float], None] = time.sleep
) -> bool:
    """Ask again and again until the condition holds; False when it did not within the limit."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        wait(PAUSE_SECONDS)
    return True
