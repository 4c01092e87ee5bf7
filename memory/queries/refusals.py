"""What was refused, and how often."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count

from memory.models import Refusal
from memory.rules.limits import RefusalKind
from memory.rules.tiers import Tier


def refused_today(user_id: UUID, *, now: datetime) -> dict[Tier, int]:
    """Writes of the user that were refused for lack of room since midnight UTC, by tier."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Refusal.objects.filter(user_id=user_id, kind=RefusalKind.QUOTA, refused_at__gte=midnight)
    counted = rows.values_list("tier").annotate(times=Count("pk")).order_by("tier")
    return {Tier(tier): times for tier, times in counted}
