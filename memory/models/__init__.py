"""The tables of the memory core, one aggregate a file."""

from memory.models.items import MemoryItem
from memory.models.limits import QuotaOverride, Refusal, Throttle
from memory.models.usage import UsageCounter
from memory.models.users import MemoryUser, Plan, TierPolicy

__all__ = [
    "MemoryItem",
    "MemoryUser",
    "Plan",
    "QuotaOverride",
    "Refusal",
    "Throttle",
    "TierPolicy",
    "UsageCounter",
]
