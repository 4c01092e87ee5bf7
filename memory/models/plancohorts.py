"""A prune plan for each user of a cohort: made, applied and undone user by user, by whichever worker comes."""

from django.db import models
from django.db.models import Q

from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.models.plans import PrunePlan
from memory.models.users import MemoryUser
from memory.rules.plancohorts import PHASE_OF, WORKING, Became, CohortState
from memory.rules.tiers import Tier


class PlanCohort(models.Model):
    """Users who were chosen by a filter, and what is to be archived of each. Its users are those of when it began."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    cohort = models.JSONField(help_text="Of whom (memory.queries.cohorts).")
    tier = models.CharField(max_length=16, blank=True, help_text="The one that plans name; empty: the usual scope.")
    target_bytes = models.BigIntegerField(null=True, help_text="To be freed of each user.")
    target_share = models.FloatField(null=True, help_text="Or this share of each user's active bytes in scope.")
    reason = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    users = models.IntegerField(help_text="So many it reaches.")
    state = models.CharField(max_length=16, default=CohortState.PLANNING)
    stopped_while = models.CharField(max_length=16, blank=True, help_text="The phase that was stopped.")
    round = models.IntegerField(default=1, help_text="Counts the phases that were begun, the first is planning.")
    act_id = models.UUIDField(help_text="The audit entry by which the phase began: on whose word, and why.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    stale_at = models.DateTimeField(help_text="From then on it cannot be applied: its first plan is stale.")
    begun_at = models.DateTimeField(help_text="When the phase began.")
    heartbeat_at = models.DateTimeField(null=True, help_text="None while nobody works on it.")
    ended_at = models.DateTimeField(null=True, help_text="When the phase ended.")

    class Meta:
        db_table = "plan_cohort"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(CohortState)), name="plan_cohort_state_ck"),
            # What archives of everybody at once would not be chosen by anybody.
            models.CheckConstraint(condition=~Q(cohort={}), name="plan_cohort_of_some_ck"),
            models.CheckConstraint(condition=Q(tier="") | Q(tier__in=list(Tier)), name="plan_cohort_tier_ck"),
            models.CheckConstraint(
                condition=Q(target_bytes__gt=0, target_share=None)
                | Q(target_bytes=None, target_share__gt=0, target_share__lte=1),
                name="plan_cohort_target_ck",
            ),
            models.CheckConstraint(
                condition=Q(state=CohortState.STOPPED, stopped_while__in=list(WORKING))
                | ~Q(state=CohortState.STOPPED) & Q(stopped_while=""),
                name="plan_cohort_stopped_ck",
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(WORKING), ended_at=None)
                | ~Q(state__in=list(WORKING)) & Q(ended_at__isnull=False),
                name="plan_cohort_ended_ck",
            ),
        ]
        indexes = [
            # The newest, page by page.
            models.Index(fields=["-created_at", "-id"], name="plan_cohort_newest_ix"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.COHORT, self.id)

    @property
    def phase(self) -> CohortState:
        """The phase that is under way, or was the last, whether it ended or was stopped."""
        return PHASE_OF[CohortState(self.stopped_while or self.state)]

    @property
    def is_working(self) -> bool:
        """Whether a phase is under way."""
        return self.state in WORKING


class PlanCohortUser(models.Model):
    """One user of a cohort: their plan, and what became of them in the last phase that reached them.

    `says` holds figures only.
    """

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    cohort = models.ForeignKey(PlanCohort, on_delete=models.PROTECT, related_name="members", db_index=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="in_cohorts", db_index=False)
    plan = models.ForeignKey(PrunePlan, on_delete=models.PROTECT, null=True, related_name="in_cohort", db_index=False)
    became = models.CharField(max_length=16, default=Became.WAITING)
    round = models.IntegerField(default=0, help_text="The phase that told of them last.")
    refusal = models.CharField(max_length=64, blank=True, help_text="The slug of what refused it.")
    says = models.TextField(blank=True)

    class Meta:
        db_table = "plan_cohort_user"
        constraints = [
            models.UniqueConstraint(fields=["cohort", "user"], name="plan_cohort_user_once_uq"),
            # A plan is one user's, of one cohort at most.
            models.UniqueConstraint(fields=["plan"], name="plan_cohort_user_plan_uq"),
            models.CheckConstraint(condition=Q(became__in=list(Became)), name="plan_cohort_user_became_ck"),
            # Whoever was planned of has a plan, and whoever still waits has none.
            models.CheckConstraint(
                condition=Q(became=Became.REFUSED)
                | Q(became=Became.WAITING, plan=None)
                | ~Q(became=Became.WAITING) & Q(plan__isnull=False),
                name="plan_cohort_user_plan_ck",
            ),
            models.CheckConstraint(
                condition=Q(became=Became.REFUSED) & ~Q(refusal="") | ~Q(became=Became.REFUSED) & Q(refusal=""),
                name="plan_cohort_user_refused_ck",
            ),
        ]

    def __str__(self) -> str:
        return self.became
