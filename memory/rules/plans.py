"""The words of a prune plan: how it stands, what became of each of its items, and for how long it may be applied."""

from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from memory.rules.tiers import Tier

LIFE = timedelta(hours=24)
"""So long a frozen plan may be applied: after it the scores that it was made by are those of another day."""
USUAL_SCOPE = (Tier.SHORT_TERM, Tier.LONG_TERM)
"""What a plan reaches that names no tier. Permanent items go only when a plan names that tier."""
MOST_BYTES = 1 << 50


class PlanState(StrEnum):
    """frozen: shown, and not applied yet; stale: frozen for too long; applied; undone: all of it is back."""

    FROZEN = "frozen"
    APPLIED = "applied"
    UNDONE = "undone"
    STALE = "stale"


KEPT_STATES = (PlanState.FROZEN, PlanState.APPLIED, PlanState.UNDONE)
"""As they are stored: a plan becomes stale by itself."""


class ItemOutcome(StrEnum):
    """What became of an item of a plan that was applied. All but `archived` are left as they are, and say why."""

    ARCHIVED = "archived"
    CHANGED = "changed"
    PROTECTED = "protected"
    AWAY = "away"
    GONE = "gone"

    @property
    def says(self) -> str:
        """Behind a number: `2 changed since`."""
        return {
            ItemOutcome.ARCHIVED: "archived",
            ItemOutcome.CHANGED: "changed since",
            ItemOutcome.PROTECTED: "protected since",
            ItemOutcome.AWAY: "in the archive before",
            ItemOutcome.GONE: "gone for good before",
        }[self]


def scope(tier: Tier | None) -> tuple[Tier, ...]:
    """The tiers that a plan reaches."""
    return USUAL_SCOPE if tier is None else (tier,)


def share_bytes(share: float, active_bytes: int) -> int:
    """The share of so many bytes, rounded up: .7 of 10 is 7, as people reckon, and no 8."""
    return int((Decimal(repr(share)) * active_bytes).to_integral_value(ROUND_CEILING))


def times_cap(size_bytes: int, cap_bytes: int) -> float | None:
    """How many times that is what a meditation may archive in a day; None where it may archive nothing."""
    return size_bytes / cap_bytes if cap_bytes else None
