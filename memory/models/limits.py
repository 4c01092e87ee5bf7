"""Temporary measures and their traces: overrides and throttles, each with an end, a reason and an owner; refusals."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from kimberly.clients.models import ApiClient
from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.models.users import MemoryUser
from memory.rules.limits import RefusalKind, ThrottleMode, ThrottleScope
from memory.rules.tiers import Tier


class QuotaOverride(models.Model):
    """Another hard limit for one user's tier, for a time."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="overrides", db_index=False)
    tier = models.CharField(max_length=16)
    hard_bytes = models.BigIntegerField()
    period = DateTimeRangeField()
    planned_end_at = models.DateTimeField()
    reason = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=80)
    created_by_label = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    ended_by = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "quota_override"
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="quota_override_tier_ck"),
            models.CheckConstraint(condition=Q(hard_bytes__gt=0), name="quota_override_hard_ck"),
            ExclusionConstraint(
                name="quota_override_no_overlap_ex",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("tier", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.OVERRIDE, self.id)


class Throttle(models.Model):
    """A temporary brake on a user, an API client, or a tier of all users."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, null=True, related_name="throttles")
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True)
    tier = models.CharField(max_length=16, blank=True)
    scope = models.CharField(max_length=8)
    mode = models.CharField(max_length=8)
    per_minute = models.IntegerField(null=True, blank=True)
    period = DateTimeRangeField()
    planned_end_at = models.DateTimeField()
    reason = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=80)
    created_by_label = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    ended_by = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "throttle"
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, client=None, tier="")
                | Q(user=None, client__isnull=False, tier="")
                | Q(user=None, client=None, tier__in=list(Tier)),
                name="throttle_one_target_ck",
            ),
            models.CheckConstraint(condition=Q(scope__in=list(ThrottleScope)), name="throttle_scope_ck"),
            models.CheckConstraint(
                condition=Q(mode=ThrottleMode.BLOCK, per_minute=None) | Q(mode=ThrottleMode.RATE, per_minute__gte=1),
                name="throttle_mode_ck",
            ),
            # One brake at a time for a target and scope: a second would hide which of them holds.
            ExclusionConstraint(
                name="throttle_user_no_overlap_ex",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(user__isnull=False),
            ),
            ExclusionConstraint(
                name="throttle_client_no_overlap_ex",
                expressions=[
                    ("client", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(client__isnull=False),
            ),
            ExclusionConstraint(
                name="throttle_tier_no_overlap_ex",
                expressions=[
                    ("tier", RangeOperators.EQUAL),
                    ("scope", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=~Q(tier=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.THROTTLE, self.id)


class Refusal(models.Model):
    """A write (or a throttled call) that was not accepted, with its reason as it was at that time.

    One row for each write over a quota. Calls over a rate come in thousands: those of one user, rule and minute share a
    row that counts them.
    """

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="refusals", db_index=False)
    kind = models.CharField(max_length=16)
    tier = models.CharField(max_length=16, blank=True)
    needed_bytes = models.BigIntegerField(null=True)
    used_bytes = models.BigIntegerField(null=True)
    room_bytes = models.BigIntegerField(null=True)
    limit_bytes = models.BigIntegerField(null=True)
    limit_per_minute = models.IntegerField(null=True)
    source = models.CharField(max_length=16, help_text="plan, override, throttle or state")
    source_id = models.CharField(max_length=40)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True)
    request_id = models.CharField(max_length=64, blank=True)
    refused_at = models.DateTimeField()
    last_refused_at = models.DateTimeField()
    minute = models.DateTimeField(null=True)
    times = models.IntegerField(default=1)

    class Meta:
        db_table = "refusal"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(RefusalKind)), name="refusal_kind_ck"),
            models.CheckConstraint(
                condition=~Q(kind=RefusalKind.QUOTA)
                | (
                    Q(tier__in=list(Tier), needed_bytes__gt=0, limit_bytes__isnull=False, times=1, minute=None)
                    & Q(used_bytes__isnull=False, room_bytes__isnull=False)
                ),
                name="refusal_quota_facts_ck",
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "source_id", "client", "minute"],
                name="refusal_counted_uq",
                condition=Q(minute__isnull=False),
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # A user's refusals, newest first.
            models.Index(fields=["user", "-refused_at", "-id"], name="refusal_user_ix"),
            # All refusals, newest first, and the sweep of what is past its retention.
            models.Index(fields=["-refused_at", "-id"], name="refusal_newest_ix"),
            # The portal's search: whoever was refused knows the call's id.
            models.Index(fields=["request_id"], name="refusal_request_ix", condition=~Q(request_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.refused_at:%Y-%m-%d %H:%M:%S}"
