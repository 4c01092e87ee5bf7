"""Outlives the supervisor by a moment and ends what it left behind. A script: only the standard library is there.

A parent-death signal reaches the processes that the supervisor started, not the workers that those started, and some
(granian's) go on serving without their parent. The supervisor holds the other end of a pipe: when it reads as ended,
however the supervisor died, every group on the list is ended. Lines: `+<group> <signal>` and `-<group>`.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 7.0


def watch(pipe: int) -> dict[int, int]:
    """Groups that were left when the supervisor was gone, with the signal that ends each."""
    groups: dict[int, int] = {}
    with open(pipe, encoding="ascii") as lines:
        for line in lines:
            group, _, number = line[1:].partition(" ")
            if line[0] == "+":
                groups[int(group)] = int(number)
            else:
                groups.pop(int(group), None)
    return groups


def end(groups: dict[int, int]) -> None:
    """Newest first: the programs before the servers they use."""
    for group, number in reversed(groups.items()):
        send(group, number)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and any(lives(group) for group in groups):
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether anybody was there to receive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def lives(group: int) -> bool:
    """Whether the group has a member that runs: one that ended stays listed until its parent asks, if it ever does."""
    if not send(group, 0):
        return False
    states = [state for state, its_group in members() if its_group == group]
    return not states or any(state != "Z" for state in states)


def members() -> Iterator[tuple[str, int]]:
    """State and group of each process; nothing where there is no /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
            yield state, int(group)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end(watch(int(sys.argv[1])))
