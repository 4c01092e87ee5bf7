"""Prune plans: a frozen list of items, what became of each when it was applied, and that it was undone."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.models.items import MemoryItem
from memory.models.users import MemoryUser
from memory.rules.plans import KEPT_STATES, ItemOutcome, PlanState
from memory.rules.tiers import Tier


class PrunePlan(models.Model):
    """What is to be archived of one user, frozen. It takes effect at most once, and is undone as a whole."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="plans", db_index=False)
    state = models.CharField(max_length=16, default=PlanState.FROZEN)
    tier = models.CharField(max_length=16, blank=True, help_text="The one that it names; empty: the usual scope.")
    target_bytes = models.BigIntegerField(help_text="To be freed.")
    target_share = models.FloatField(null=True, help_text="Where a share of the active bytes in scope was asked for.")
    reason = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    stale_at = models.DateTimeField(help_text="From then on it cannot be applied.")
    profile_version = models.IntegerField()
    items_total = models.IntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    shortfall_bytes = models.BigIntegerField(default=0, help_text="What is missing to the target.")
    cap_bytes = models.BigIntegerField(default=0, help_text="What meditation may archive in a day of the same tiers.")
    facts = models.JSONField(default=dict, help_text="Each tier in scope as it was, and what goes of it.")
    list_sha256 = models.CharField(max_length=64, blank=True, help_text="Of its items and their versions, in order.")
    applied_at = models.DateTimeField(null=True)
    applied_by = models.CharField(max_length=80, blank=True)
    archived_items = models.IntegerField(null=True)
    archived_bytes = models.BigIntegerField(null=True)
    skipped = models.JSONField(default=dict, help_text="How many items were left as they were, by what kept them.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)
    restored_items = models.IntegerField(null=True)
    restored_bytes = models.BigIntegerField(null=True)

    class Meta:
        db_table = "prune_plan"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(KEPT_STATES)), name="prune_plan_state_ck"),
            models.CheckConstraint(condition=Q(tier="") | Q(tier__in=list(Tier)), name="prune_plan_tier_ck"),
            models.CheckConstraint(
                condition=Q(target_bytes__gte=0) & (Q(target_share=None) | Q(target_share__gt=0, target_share__lte=1)),
                name="prune_plan_target_ck",
            ),
            models.CheckConstraint(
                condition=Q(state=PlanState.FROZEN, applied_at=None, undone_at=None)
                | Q(state=PlanState.APPLIED, applied_at__isnull=False, undone_at=None)
                | Q(state=PlanState.UNDONE, applied_at__isnull=False, undone_at__isnull=False),
                name="prune_plan_acts_ck",
            ),
            models.CheckConstraint(
                condition=Q(applied_at=None) | Q(applied_at__lt=F("stale_at")), name="prune_plan_never_stale_ck"
            ),
        ]
        indexes = [
            # A user's plans, newest first.
            models.Index(fields=["user", "-created_at", "-id"], name="prune_plan_user_ix"),
            # All plans, newest first, page by page.
            models.Index(fields=["-created_at", "-id"], name="prune_plan_newest_ix"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.PLAN, self.id)

    def state_at(self, now: datetime) -> PlanState:
        """How it stands: a frozen one grows stale by itself."""
        is_stale = self.state == PlanState.FROZEN and now >= self.stale_at
        return PlanState.STALE if is_stale else PlanState(self.state)


class PrunePlanItem(models.Model):
    """One item of a plan as it was when the list was frozen, with its score and what that came from."""

    pk = models.CompositePrimaryKey("plan_id", "position")
    plan = models.ForeignKey(PrunePlan, on_delete=models.PROTECT, related_name="items", db_index=False)
    position = models.IntegerField(help_text="In the order in which items go, from 1.")
    item = models.ForeignKey(MemoryItem, on_delete=models.PROTECT, related_name="planned")
    tier = models.CharField(max_length=16)
    version = models.IntegerField(help_text="The item's version when the list was frozen.")
    size_bytes = models.IntegerField()
    score = models.FloatField()
    inputs = models.JSONField()
    outcome = models.CharField(max_length=16, blank=True, help_text="Empty until the plan is applied.")
    left_version = models.IntegerField(null=True, help_text="The item's version as the plan left it.")
    fingerprint = models.BinaryField(null=True, help_text="Of what the item was when the list was frozen.")
    fingerprint_back = models.BinaryField(null=True, help_text="The same when it came back.")

    class Meta:
        db_table = "prune_plan_item"
        constraints = [
            models.UniqueConstraint(fields=["plan", "item"], name="prune_plan_item_once_uq"),
            models.CheckConstraint(
                condition=Q(outcome="") | Q(outcome__in=list(ItemOutcome)), name="prune_plan_item_outcome_ck"
            ),
            # It was archived as it was shown, by one application. A version that is not known would pass by itself.
            models.CheckConstraint(
                condition=~Q(outcome=ItemOutcome.ARCHIVED)
                | Q(left_version__isnull=False, left_version=F("version") + 1),
                name="prune_plan_item_as_shown_ck",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.position}"
