"""What the memory core counts."""

from collections import Counter
from collections.abc import Iterable

from kimberly.lib import metrics
from memory.rules.limits import LimitSource, ThrottleScope
from memory.rules.tiers import Tier

TIERS = tuple(Tier)

CREATED = metrics.shared_counter(
    "kimberly_memory_items_created_total", "Memory items that were stored.", {"tier": TIERS}
)
WRITTEN_BYTES = metrics.shared_counter(
    "kimberly_memory_write_bytes_total", "Bytes of memory items that were stored.", {"tier": TIERS}
)
ARCHIVED = metrics.shared_counter(
    "kimberly_memory_items_archived_total",
    "Memory items that were archived.",
    {"tier": TIERS, "reason": ("meditation", "plan", "user", "expired")},
)
PURGED = metrics.shared_counter(
    "kimberly_memory_items_purged_total",
    "Memory items whose content was erased.",
    {"tier": TIERS, "reason": ("grace", "user", "erasure")},
)
RESTORED = metrics.shared_counter(
    "kimberly_memory_items_restored_total", "Memory items that came back from the archive.", {"tier": TIERS}
)
QUOTA_REJECTIONS = metrics.process_counter(
    "kimberly_memory_quota_rejections_total",
    "Writes refused because a tier had no room, by where the limit came from.",
    {"tier": TIERS, "reason": tuple(LimitSource)},
)
RATE_LIMITED = metrics.process_counter(
    "kimberly_api_rate_limited_total",
    "API calls refused because of a rate or a throttle, by scope and the user's plan.",
    {"scope": tuple(ThrottleScope), "plan": ()},
)

USED_BYTES = metrics.database_gauge(
    "kimberly_memory_used_bytes", "Bytes of active items of customers.", {"tier": TIERS}
)
ITEMS = metrics.database_gauge(
    "kimberly_memory_items", "Items of customers.", {"tier": TIERS, "state": ("active", "archived", "protected")}
)
QUOTA_BYTES = metrics.database_gauge(
    "kimberly_memory_quota_bytes", "Sum of the customers' effective hard limits, in bytes.", {"tier": TIERS}
)
QUOTA_BANDS = metrics.database_gauge(
    "kimberly_memory_users_by_quota_band",
    "Customers by their share of the effective hard limit; over: above it, because an override ended or a policy was "
    "lowered.",
    {"tier": TIERS, "band": ("lt50", "lt80", "lt90", "lt100", "over")},
)
USERS_REFUSED = metrics.database_gauge(
    "kimberly_memory_users_refused", "Different users refused for a quota in the last 10 minutes.", {"tier": TIERS}
)
OVERRIDES_ACTIVE = metrics.database_gauge("kimberly_quota_overrides_active", "Overrides in force now.", {"tier": TIERS})
THROTTLED_USERS = metrics.database_gauge(
    "kimberly_throttled_users", "Users under a throttle of their own now.", {"scope": tuple(ThrottleScope)}
)


def count_created(sizes: Iterable[tuple[Tier, int]]) -> None:
    """Count items that were committed: the tier and the bytes of each."""
    items: Counter[Tier] = Counter()
    stored_bytes: Counter[Tier] = Counter()
    for tier, size_bytes in sizes:
        items[tier] += 1
        stored_bytes[tier] += size_bytes
    for tier, number in items.items():
        CREATED.add(number, tier)
        WRITTEN_BYTES.add(stored_bytes[tier], tier)


def count_archived(tier: Tier, number: int, *, reason: str) -> None:
    ARCHIVED.add(number, tier, reason)


def count_purged(tier: Tier, number: int, *, reason: str) -> None:
    if number:
        PURGED.add(number, tier, reason)


def count_restored(tier: Tier) -> None:
    RESTORED.add(1, tier)
