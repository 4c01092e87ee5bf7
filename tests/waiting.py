"""Wait for conditions, never for time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(
    condition: Callable[[], T | None], *, what: str, limit_seconds: float = 20.0, every_seconds: float = 0.02
) -> T:
    """The condition's first truthy value; fails with `what` when the limit has passed."""
    end = time.monotonic() + limit_seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit_seconds:g} s in vain: {what}")
        time.sleep(every_seconds)
