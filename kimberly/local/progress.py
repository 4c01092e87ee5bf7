"""Lines for the person at the terminal while the stack starts."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def say(line: str = "") -> None:
    """Print the line at once; a terminal that is gone is no reason to leave processes behind."""
    with suppress(OSError):
        print(line, flush=True)


def complain(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


@contextmanager
def step(name: str, outcome: str) -> Iterator[None]:
    """Say what was done and how long it took, once it is done."""
    began = time.monotonic()
    yield
    say(f"  {name:<10} {outcome:<9} {time.monotonic() - began:5.1f} s")
