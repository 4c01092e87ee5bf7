"""What the memory core counts."""

from collections.abc import Mapping

from kimberly.lib import metrics
from memory.rules.limits import LimitSource, ThrottleScope
from memory.rules.meditation import Trigger
from memory.rules.tiers import Tier

TIERS = tuple(Tier)
SEARCH_INDEXES = ("memory_item_vectors_ix", "memory_item_words_ix")

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
MEDITATION_RUNS = metrics.shared_counter(
    "kimberly_meditation_runs_total",
    "Runs of the meditation that ended, by what began them and how; skipped: another one was not finished.",
    {
        "trigger": tuple(Trigger),
        "outcome": ("ok", "failed", "timeout", "partial", "aborted", "skipped"),
    },
)
OF_TRIGGER = {"trigger": tuple(Trigger)}
MEDITATION_DURATION = metrics.shared_histogram(
    "kimberly_meditation_duration_seconds",
    "Time from a run's beginning to its end.",
    (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800),
    OF_TRIGGER,
)
MEDITATION_LAST_DURATION = metrics.database_gauge(
    "kimberly_meditation_last_duration_seconds", "Time that the last run took that has ended.", OF_TRIGGER
)
MEDITATION_LAST_SUCCESS = metrics.database_gauge(
    "kimberly_meditation_last_success_timestamp_seconds", "When a run last ended well.", OF_TRIGGER
)
MEDITATION_LAST_OUTCOME = metrics.database_gauge(
    "kimberly_meditation_last_outcome", "1 when the last run that has ended did so well, else 0.", OF_TRIGGER
)
MEDITATION_RUNNING = metrics.database_gauge(
    "kimberly_meditation_running_seconds", "For how long a run is running; 0 where none is.", OF_TRIGGER
)
MEDITATION_SLOW = metrics.database_gauge(
    "kimberly_meditation_slow_threshold_seconds", "From this time on a run is slow; it grows with the active items."
)
MEDITATION_BEHIND = metrics.database_gauge(
    "kimberly_meditation_users_behind", "Customers with items that were not scored for a day."
)
MEDITATION_OLDEST_SCORE = metrics.database_gauge(
    "kimberly_meditation_oldest_score_age_seconds", "Time since the user was scored whose turn is longest ago."
)
MEDITATION_VERSION = metrics.database_gauge(
    "kimberly_meditation_score_version_info",
    "1 for the version of the scoring profile that is current.",
    {"version": ()},
)
PROMOTED = metrics.shared_counter(
    "kimberly_memory_items_promoted_total",
    "Memory items that meditation moved to a lasting tier.",
    {"from": (Tier.SHORT_TERM,), "to": (Tier.LONG_TERM,)},
)
DECISIONS = ("kept", "promoted", "archived", "purged", "protected")
MEDITATED = metrics.shared_counter(
    "kimberly_meditation_items_total",
    "Items that meditations looked at, by what was decided.",
    {"tier": TIERS, "decision": DECISIONS},
)
MEDITATION_LAST_ITEMS = metrics.database_gauge(
    "kimberly_meditation_last_run_items",
    "Items that the last run looked at that has ended, by what was decided.",
    {"decision": DECISIONS},
)
MEDITATED_USERS = metrics.shared_counter(
    "kimberly_meditation_users_total",
    "Users of meditations; left: another run had them.",
    {"outcome": ("ok", "left", "failed")},
)
DAILY_CAP_HITS = metrics.shared_counter(
    "kimberly_meditation_daily_cap_hits_total", "Tiers that stayed above their soft limit because of the day's cap."
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

SECONDS_OF_QUERIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5)
NUMBERS_OF_ITEMS = (1, 5, 10, 20, 50, 100)
RETRIEVAL_DURATION = metrics.process_histogram(
    "kimberly_retrieval_duration_seconds",
    "Time to find memories, by how (hybrid: vectors and words; lexical: words alone) and how it went.",
    SECONDS_OF_QUERIES,
    {"mode": ("hybrid", "lexical"), "outcome": ("ok", "error")},
)
VECTOR_QUERY_DURATION = metrics.process_histogram(
    "kimberly_vector_query_duration_seconds", "Time of the statement that compares and ranks.", SECONDS_OF_QUERIES
)
RETRIEVAL_TOP_K = metrics.process_histogram(
    "kimberly_retrieval_top_k", "How many memories a query asked for.", NUMBERS_OF_ITEMS
)
RETRIEVAL_RESULTS = metrics.process_histogram(
    "kimberly_retrieval_results", "How many memories a query returned.", NUMBERS_OF_ITEMS
)
RETRIEVAL_CACHE = metrics.process_counter(
    "kimberly_retrieval_cache_requests_total",
    "Queries by what the cache had for them; bypass: it is off, or Redis is away.",
    {"result": ("hit", "miss", "bypass")},
)
EMBEDDING_REQUESTS = metrics.shared_counter(
    "kimberly_embedding_requests_total",
    "Calls of an embedder.",
    {"provider": ("wordllama", "http", "none"), "outcome": ("ok", "error")},
)
EMBEDDING_DURATION = metrics.shared_histogram(
    "kimberly_embedding_duration_seconds", "Time of a call of an embedder.", (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10)
)
EMBEDDINGS_MISSING = metrics.database_gauge(
    "kimberly_embeddings_missing", "Active items without a vector of the current model."
)

VECTOR_INDEX_BYTES = metrics.database_gauge(
    "kimberly_vector_index_bytes", "Size of the indexes that queries go through.", {"index": SEARCH_INDEXES}
)
VECTOR_INDEX_VALID = metrics.database_gauge(
    "kimberly_vector_index_valid",
    "1 when PostgreSQL may use the index, 0 when it is broken or gone: then queries read whole tables.",
    {"index": SEARCH_INDEXES},
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


def count_created(sizes: Mapping[Tier, tuple[int, int]]) -> None:
    """Count items that were committed: the bytes and the number in each tier."""
    for tier, (size_bytes, number) in sizes.items():
        CREATED.add(number, tier)
        WRITTEN_BYTES.add(size_bytes, tier)


def count_archived(tier: Tier, number: int, *, reason: str) -> None:
    ARCHIVED.add(number, tier, reason)


def count_purged(tier: Tier, number: int, *, reason: str) -> None:
    if number:
        PURGED.add(number, tier, reason)


def count_restored(tier: Tier, number: int) -> None:
    RESTORED.add(number, tier)
