"""What stops a meditation that would forget too much: a cap for a run, a canary first, and a look at what is usual."""

import math
from dataclasses import dataclass
from enum import StrEnum

CANARY_SHARE = 0.01
"""So many of the users come first, and the others only when nothing unusual was seen of them."""
RUN_CAP_SHARE = 0.10
"""A run brings down tiers above their soft limit by at most this share of all active bytes of its users."""
SPIKE_TIMES, SPIKE_ITEMS = 5.0, 100
"""Unusual is an archived share of so many times the usual one, and of more than so many items."""
USUAL_WITHOUT_HISTORY = 0.05
"""The archived share that counts as usual until there were runs."""


class Held(StrEnum):
    """Why a run waits for an operator. spike: far more than usual was archived; run-cap: the run's cap is reached."""

    SPIKE = "spike"
    RUN_CAP = "run-cap"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run scored and archived so far, or what runs did before it."""

    scored: int
    archived: int

    @property
    def share(self) -> float:
        """Archived of all that was looked at."""
        looked_at = self.scored
        return self.archived / looked_at if looked_at else 0.0


def canary_users(users: int) -> int:
    """How many of so many users come first; none where there is nobody to come after them."""
    return math.ceil(users * CANARY_SHARE) if users > 1 else 0


def cap_bytes(active_bytes: int) -> int:
    """How much a run may archive to bring tiers down, of so many active bytes."""
    return math.floor(active_bytes * RUN_CAP_SHARE)


def is_spike(now: Seen, usual: Seen) -> bool:
    """Whether so much was archived that somebody should look before it goes on."""
    share = usual.share if usual.scored else USUAL_WITHOUT_HISTORY
    return now.archived > SPIKE_ITEMS and now.share > SPIKE_TIMES * share
