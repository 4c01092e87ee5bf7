"""The people whose memories are kept, and the plans that say how much."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.rules.tiers import Purpose, Tier, UserState

LAST_WORD = Func(F("display_name"), Value("[^ ]*$"), function="substring", output_field=models.TextField())


class Plan(models.Model):
    """What a user may use. Sizes stand in its tier policies."""

    slug = models.SlugField(primary_key=True, max_length=32)
    name = models.CharField(max_length=60)
    write_per_minute = models.IntegerField(help_text="API writes a minute and user.")
    query_per_minute = models.IntegerField(help_text="API reads and queries a minute and user.")

    class Meta:
        db_table = "plan"
        constraints = [
            models.CheckConstraint(condition=Q(write_per_minute__gte=1), name="plan_write_rate_ck"),
            # The design's promise: at least 20 queries a second.
            models.CheckConstraint(condition=Q(query_per_minute__gte=1200), name="plan_query_rate_ck"),
        ]

    def __str__(self) -> str:
        return self.name


class TierPolicy(models.Model):
    """The limits of one plan in one tier."""

    pk = models.CompositePrimaryKey("plan_id", "tier")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="policies")
    tier = models.CharField(max_length=16, choices=[(t, t.label) for t in Tier])
    soft_bytes = models.BigIntegerField()
    hard_bytes = models.BigIntegerField()
    archived_bytes = models.BigIntegerField()
    life_seconds = models.IntegerField(null=True, blank=True)
    grace_days = models.IntegerField(default=30)
    daily_cap_share = models.FloatField(default=0.25)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "tier_policy"
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="tier_policy_tier_ck"),
            models.CheckConstraint(
                condition=Q(soft_bytes__gt=0, soft_bytes__lte=models.F("hard_bytes")), name="tier_policy_soft_hard_ck"
            ),
            models.CheckConstraint(condition=Q(archived_bytes__gte=0), name="tier_policy_archived_ck"),
            models.CheckConstraint(condition=Q(life_seconds=None) | Q(life_seconds__gt=0), name="tier_policy_life_ck"),
            models.CheckConstraint(condition=Q(grace_days__gte=1, grace_days__lte=3650), name="tier_policy_grace_ck"),
            models.CheckConstraint(
                condition=Q(daily_cap_share__gt=0, daily_cap_share__lte=1), name="tier_policy_daily_cap_ck"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.tier}"


class MemoryUser(models.Model):
    """An end user of the service. Not a login."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    external_id = models.CharField(max_length=128)
    display_name = models.CharField(max_length=120, blank=True)
    email = models.CharField(max_length=254, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, default=UserState.ACTIVE)
    purpose = models.CharField(max_length=16, default=Purpose.CUSTOMER)
    time_zone = models.CharField(max_length=64, default="UTC")
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "memory_user"
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="memory_user_external_id_uq"),
            models.CheckConstraint(condition=~Q(external_id=""), name="memory_user_external_id_ck"),
            models.CheckConstraint(condition=Q(state__in=list(UserState)), name="memory_user_state_ck"),
            models.CheckConstraint(condition=Q(purpose__in=list(Purpose)), name="memory_user_purpose_ck"),
            models.CheckConstraint(condition=Q(version__gte=1), name="memory_user_version_ck"),
        ]
        indexes = [
            # The portal's list of users, newest first, page by page.
            models.Index(fields=["purpose", "-created_at", "-id"], name="memory_user_newest_ix"),
            # The portal's search: whose names begin so, capitals or not. The class compares bytes, in any collation.
            models.Index(OpClass(Lower("external_id"), "text_pattern_ops"), name="memory_user_external_id_ix"),
            models.Index(
                OpClass(Lower("email"), "text_pattern_ops"), name="memory_user_email_ix", condition=~Q(email="")
            ),
            models.Index(
                OpClass(Lower("display_name"), "text_pattern_ops"),
                name="memory_user_name_ix",
                condition=~Q(display_name=""),
            ),
            models.Index(
                OpClass(Lower(LAST_WORD), "text_pattern_ops"),
                name="memory_user_last_name_ix",
                condition=~Q(display_name=""),
            ),
            # The portal's list of those who are suspended.
            models.Index(
                fields=["-created_at", "-id"], name="memory_user_suspended_ix", condition=Q(state=UserState.SUSPENDED)
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.external_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.USER, self.id)
