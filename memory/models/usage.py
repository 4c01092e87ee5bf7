"""What each user uses, changed only by `memory.services.quotas`, together with the items that it counts; and used."""

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


class UsageSampling(models.Model):
    """An hour in which the counters were sampled. Hours without one are not known: nobody looked."""

    hour = models.DateTimeField(primary_key=True)
    taken_at = models.DateTimeField()

    class Meta:
        db_table = "usage_sampling"
        constraints = [
            models.CheckConstraint(condition=Q(hour__minute=0, hour__second=0), name="usage_sampling_hour_ck"),
            models.CheckConstraint(condition=Q(taken_at__gte=models.F("hour")), name="usage_sampling_taken_ck"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}"


class UsageSample(models.Model):
    """What one user's counter said in one hour, and went on saying until `next_hour`, in which it said something else.

    A counter that has not changed has no further row: ADR 0013.
    """

    pk = models.CompositePrimaryKey("user_id", "tier", "hour")
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="usage_samples", db_index=False)
    tier = models.CharField(max_length=16)
    hour = models.DateTimeField()
    next_hour = models.DateTimeField(null=True)
    active_bytes = models.BigIntegerField()
    active_items = models.BigIntegerField()
    archived_bytes = models.BigIntegerField()
    archived_items = models.BigIntegerField()

    class Meta:
        db_table = "usage_sample"
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="usage_sample_tier_ck"),
            models.CheckConstraint(condition=Q(hour__minute=0, hour__second=0), name="usage_sample_hour_ck"),
            models.CheckConstraint(
                condition=Q(next_hour=None) | Q(next_hour__gt=models.F("hour")), name="usage_sample_next_hour_ck"
            ),
            models.CheckConstraint(
                condition=Q(active_bytes__gte=0, active_items__gte=0, archived_bytes__gte=0, archived_items__gte=0),
                name="usage_sample_not_negative_ck",
            ),
            # One newest sample a counter. Who grows fastest in a tier is read from here, without the table.
            models.UniqueConstraint(
                fields=["tier", "user"],
                name="usage_sample_newest_uq",
                condition=Q(next_hour=None),
                include=["hour", "active_bytes", "active_items"],
            ),
        ]
        indexes = [
            # What has changed since an hour, and the sweep of what changed before the retention.
            models.Index(
                fields=["tier", "next_hour"],
                name="usage_sample_next_hour_ix",
                condition=Q(next_hour__isnull=False),
                include=["user", "hour", "active_bytes", "active_items"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.tier} {self.hour:%Y-%m-%d %H}"
