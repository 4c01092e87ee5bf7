"""The three tiers, and what differs between them."""

from datetime import datetime, timedelta
from enum import StrEnum

SHORT_TERM_LIFE = timedelta(hours=24)


class Tier(StrEnum):
    """Where an item is kept. The order is the order in which counters are locked."""

    LONG_TERM = "long-term"
    PERMANENT = "permanent"
    SHORT_TERM = "short-term"

    @property
    def label(self) -> str:
        return self.value.capitalize()


class ItemState(StrEnum):
    """active; archived: out of retrieval and of the quota, restorable; purged: its content is gone for good."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    PURGED = "purged"


class UserState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASING = "erasing"
    ERASED = "erased"


class Purpose(StrEnum):
    """Why a user exists; only customers count in totals and lists unless asked."""

    CUSTOMER = "customer"
    CANARY = "canary"
    DRILL = "drill"


TIERS_SHOWN = (Tier.SHORT_TERM, Tier.LONG_TERM, Tier.PERMANENT)
"""In the order in which people read them: from fleeting to lasting."""


def expiry(tier: Tier, *, life_seconds: int | None, now: datetime) -> datetime | None:
    """When an item stored now ends its life; None where the tier has no end."""
    return now + timedelta(seconds=life_seconds) if life_seconds is not None else None
