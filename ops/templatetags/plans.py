"""Tags of the pages about prune plans."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import Tier
from ops import badges, words
from ops.badges import NEARLY_FULL, Badge
from ops.prunes import TierChange
from ops.queries.burst import Filler

register = template.Library()


@register.simple_tag
def plan_badge(state: str) -> Badge:
    """How a plan stands."""
    return badges.PLAN[PlanState(state)]


@register.simple_tag
def planned_badge(outcome: str) -> Badge:
    """What became of an item."""
    return badges.PLANNED[ItemOutcome(outcome)]


@register.inclusion_tag("portal/usage.html")
def plan_usage(change: TierChange, when: str) -> dict[str, Any]:
    """A tier's bar as it was before the plan (`before`), or as the plan leaves it (`after`)."""
    is_after = when == "after"
    used_bytes = change.after_bytes if is_after else change.before_bytes
    items = change.after_items if is_after else change.before_items
    most, high = max(change.limit_bytes, change.before_bytes), round(change.limit_bytes * NEARLY_FULL)
    note = words.counted(items, "item")
    if is_after:
        note += ", still over the soft limit" if change.stays_above_soft else ", below the soft limit"
    return {
        "tier": {"tier": change.tier, "active_bytes": used_bytes, "limit_bytes": change.limit_bytes},
        "percent": words.percent(used_bytes / change.limit_bytes),
        "most": most,
        "high": high,
        "low": min(change.soft_bytes, high),
        "tick": f"{min(100.0, change.soft_bytes / most * 100):.1f}",
        "note": note,
    }


@register.simple_tag
def prune_url(filler: Filler, tier: Tier) -> str:
    """The form that plans a prune of whoever fills a tier, with a size that helps: down to the soft limit, and room for
    the last write that was refused; below it, a tenth."""
    refused = filler.refused.needed_bytes if filler.refused else 0
    missing = max(filler.used_bytes - filler.soft_bytes, filler.used_bytes + refused - filler.limit.hard_bytes)
    asked = {"size": missing} if missing > 0 else {"free": "10"}
    return f"{reverse('ops:plan-prune', args=[filler.public_id])}?{urlencode({'tier': tier, **asked})}"
