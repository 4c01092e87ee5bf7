"""Plans of the tests' own, so small that a limit is met at once."""

from kimberly.lib import clock
from memory.models import Plan, TierPolicy
from memory.rules.tiers import Tier
from tests.personas import unique

ROOM = 1 << 20
DAY_SECONDS = 24 * 3600


def make_plan(
    *,
    hard_bytes: int = ROOM,
    soft_bytes: int | None = None,
    archived_bytes: int = ROOM,
    write_per_minute: int = 1_200,
    query_per_minute: int = 1_200,
) -> str:
    """A new plan, the same in every tier; gives its slug."""
    slug = unique("plan")
    Plan.objects.create(slug=slug, name=slug, write_per_minute=write_per_minute, query_per_minute=query_per_minute)
    for tier in Tier:
        TierPolicy.objects.create(
            plan_id=slug,
            tier=tier,
            soft_bytes=hard_bytes if soft_bytes is None else soft_bytes,
            hard_bytes=hard_bytes,
            archived_bytes=archived_bytes,
            life_seconds=DAY_SECONDS if tier is Tier.SHORT_TERM else None,
            changed_at=clock.utc_now(),
        )
    return slug
