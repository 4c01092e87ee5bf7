"""What each user uses: changed only by `memory.services.quotas`, together with the items that it counts."""

from django.db import models
from django.db.models import Q

from memory.models.users import MemoryUser
from memory.rules.tiers import Tier


class UsageCounter(models.Model):
    """Bytes and items of one user in one tier. Equal to the sum over the items, always."""

    pk = models.CompositePrimaryKey("user_id", "tier")
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="counters", db_index=False)
    tier = models.CharField(max_length=16)
    active_bytes = models.BigIntegerField(default=0)
    active_items = models.BigIntegerField(default=0)
    archived_bytes = models.BigIntegerField(default=0)
    archived_items = models.BigIntegerField(default=0)
    writes = models.BigIntegerField(db_default=0, help_text="Grows with each write of the items.")

    class Meta:
        db_table = "usage_counter"
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="usage_counter_tier_ck"),
            models.CheckConstraint(
                condition=Q(active_bytes__gte=0, active_items__gte=0, archived_bytes__gte=0, archived_items__gte=0),
                name="usage_counter_not_negative_ck",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.tier}"
