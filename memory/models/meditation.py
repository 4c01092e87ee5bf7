"""What meditation knows and did: scores, runs with their shards, and each decision with what it came from."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Q, Value, When

from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.models.items import MemoryItem
from memory.models.users import MemoryUser
from memory.rules.brakes import Held
from memory.rules.meditation import (
    MOST_USERS_IN_A_SHARD,
    OF_MEDITATION,
    UNFINISHED,
    Act,
    RunState,
    Scope,
    ShardState,
    Trigger,
    UndoOutcome,
    UndoState,
)
from memory.rules.tiers import Tier


class ScoringProfile(models.Model):
    """The weights and parameters of the score. A version is never changed: the highest one is current."""

    version = models.IntegerField(primary_key=True)
    relevance = models.FloatField()
    emotional = models.FloatField()
    predictive = models.FloatField()
    recency = models.FloatField()
    threshold = models.FloatField(help_text="From this score on a short-term item is promoted.")
    half_life_days = models.FloatField()
    use_prior = models.FloatField(help_text="So many uses count as much as what the text lets expect.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        db_table = "scoring_profile"
        constraints = [
            models.CheckConstraint(
                condition=Q(relevance__gte=0, emotional__gte=0, predictive__gte=0, recency__gte=0)
                & Q(relevance__lte=1, emotional__lte=1, predictive__lte=1, recency__lte=1),
                name="scoring_profile_weights_ck",
            ),
            # These two are never absent: without them a score might be nothing divided by nothing.
            models.CheckConstraint(
                condition=Q(predictive__gt=0) | Q(recency__gt=0), name="scoring_profile_never_empty_ck"
            ),
            models.CheckConstraint(
                condition=Q(threshold__gte=0, threshold__lte=1, half_life_days__gt=0, use_prior__gt=0),
                name="scoring_profile_parameters_ck",
            ),
        ]

    def __str__(self) -> str:
        return f"scoring profile {self.version}"


class ItemScore(models.Model):
    """What an item is worth keeping for, 0 to 1, with its components; None where one is absent.

    A narrow table beside the items: nearly every score changes in a night, nearly no item does.
    """

    item = models.OneToOneField(MemoryItem, on_delete=models.PROTECT, primary_key=True, related_name="scored")
    score = models.FloatField()
    relevance = models.FloatField(null=True)
    emotional = models.FloatField(null=True)
    predictive = models.FloatField()
    recency = models.FloatField()
    profile_version = models.IntegerField()
    scored_at = models.DateTimeField()

    class Meta:
        db_table = "item_score"
        constraints = [
            # NaN is larger than every number: this refuses it as well.
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="item_score_range_ck"),
            models.CheckConstraint(
                condition=Q(predictive__gte=0, predictive__lte=1, recency__gte=0, recency__lte=1),
                name="item_score_components_ck",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score:.6f}"


class UserScoring(models.Model):
    """When all of a user's items were scored last."""

    user = models.OneToOneField(MemoryUser, on_delete=models.PROTECT, primary_key=True, related_name="scoring")
    scored_at = models.DateTimeField()

    class Meta:
        db_table = "user_scoring"
        indexes = [
            # Who was not scored for longest, and who comes first in a run.
            models.Index(fields=["scored_at"], name="user_scoring_oldest_ix"),
        ]

    def __str__(self) -> str:
        return f"{self.scored_at:%Y-%m-%d %H:%M}"


class MeditationRun(models.Model):
    """One meditation: of all users, of some, or of one."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    trigger = models.CharField(max_length=16)
    state = models.CharField(max_length=16, default=RunState.QUEUED)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, null=True, related_name="meditations")
    cohort = models.JSONField(
        default=dict, db_default={}, help_text="Of whom, where it is about some (memory.queries.cohorts)."
    )
    scope = models.GeneratedField(
        expression=Case(
            When(user__isnull=False, then=Value(Scope.USER)),
            When(cohort={}, then=Value(Scope.ALL)),
            default=Value(Scope.SOME),
        ),
        output_field=models.CharField(max_length=16),
        db_persist=True,
    )
    profile_version = models.IntegerField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    due_at = models.DateTimeField(null=True, help_text="When a schedule wanted it; None: somebody did.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)
    cap_bytes = models.BigIntegerField(null=True, help_text="The most that may be archived to bring tiers down.")
    spent_bytes = models.BigIntegerField(default=0)
    held_at = models.DateTimeField(null=True)
    held_reason = models.CharField(max_length=16, blank=True)
    approved_at = models.DateTimeField(null=True, help_text="An operator has looked: no brake holds from then on.")

    class Meta:
        db_table = "meditation_run"
        constraints = [
            # Whatever shards do at once, the run's cap is never exceeded.
            models.CheckConstraint(
                condition=Q(cap_bytes=None) | Q(spent_bytes__lte=models.F("cap_bytes")), name="meditation_run_cap_ck"
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.HELD) | Q(held_at__isnull=False, held_reason__in=list(Held)),
                name="meditation_run_held_ck",
            ),
            models.CheckConstraint(condition=Q(trigger__in=list(Trigger)), name="meditation_run_trigger_ck"),
            models.CheckConstraint(condition=Q(state__in=list(RunState)), name="meditation_run_state_ck"),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, ended_at=None) | Q(ended_at__isnull=False) & ~Q(state__in=UNFINISHED),
                name="meditation_run_ended_ck",
            ),
            models.CheckConstraint(condition=Q(user=None) | Q(cohort={}), name="meditation_run_cohort_ck"),
            models.UniqueConstraint(fields=["due_at"], name="meditation_run_due_once_uq"),
            # A run of all users never overlaps with another one, nor one of some with one of some.
            models.UniqueConstraint(
                fields=["scope"],
                name="meditation_run_one_of_many_uq",
                condition=Q(scope__in=[Scope.ALL, Scope.SOME], state__in=UNFINISHED),
            ),
        ]
        indexes = [
            # The newest runs, page by page.
            models.Index(fields=["-created_at", "-id"], name="meditation_run_newest_ix"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.RUN, self.id)


class MeditationShard(models.Model):
    """A part of a run: at most 200 users, done in one transaction. Done twice it changes nothing."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    run = models.ForeignKey(MeditationRun, on_delete=models.PROTECT, related_name="shards", db_index=False)
    number = models.IntegerField()
    is_canary = models.BooleanField(default=False, help_text="Comes first; the others wait for it.")
    user_ids = ArrayField(models.UUIDField())
    state = models.CharField(max_length=16, default=ShardState.QUEUED)
    tries = models.IntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True)
    users_done = models.IntegerField(default=0)
    users_left = models.IntegerField(default=0, help_text="Locked by another run: a later shard has them.")
    items_scored = models.IntegerField(default=0)
    kept = models.IntegerField(default=0)
    protected = models.IntegerField(default=0)
    promoted = models.IntegerField(default=0)
    archived = models.IntegerField(default=0)
    purged = models.IntegerField(default=0)
    freed_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "meditation_shard"
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="meditation_shard_number_uq"),
            models.CheckConstraint(condition=Q(state__in=list(ShardState)), name="meditation_shard_state_ck"),
            models.CheckConstraint(
                condition=Q(user_ids__len__gte=1, user_ids__len__lte=MOST_USERS_IN_A_SHARD),
                name="meditation_shard_users_ck",
            ),
        ]
        indexes = [
            # The watchdog: what runs, by its last sign of life.
            models.Index(
                fields=["heartbeat_at"], name="meditation_shard_silent_ix", condition=Q(state=ShardState.RUNNING)
            ),
        ]

    def __str__(self) -> str:
        return f"shard {self.number}"


class MeditationDecision(models.Model):
    """Of one item: what was done, why, and what its score came from. Inputs are empty where no score was asked."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    run = models.ForeignKey(MeditationRun, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    item = models.ForeignKey(MemoryItem, on_delete=models.PROTECT, related_name="decisions")
    act = models.CharField(max_length=16)
    reason = models.CharField(max_length=16)
    tier = models.CharField(max_length=16, help_text="Where the item was.")
    size_bytes = models.IntegerField()
    score = models.FloatField(null=True)
    inputs = models.JSONField()
    profile_version = models.IntegerField(null=True)
    item_version = models.IntegerField(null=True, help_text="The item's version as the decision left it.")
    decided_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "meditation_decision"
        constraints = [
            models.CheckConstraint(condition=Q(act__in=list(Act)), name="meditation_decision_act_ck"),
            models.CheckConstraint(condition=Q(reason__in=list(OF_MEDITATION)), name="meditation_decision_reason_ck"),
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="meditation_decision_tier_ck"),
            # Of one run each item is decided once for each act.
            models.UniqueConstraint(fields=["run", "item", "act"], name="meditation_decision_once_uq"),
        ]
        indexes = [
            # A user's decisions, newest first; and what was archived today, for the daily cap.
            models.Index(fields=["user", "-decided_at", "-id"], name="meditation_decision_user_ix"),
        ]

    def __str__(self) -> str:
        return f"{self.act}: {self.reason}"


class MeditationUndo(models.Model):
    """The undo of a whole run, which goes user by user for as long as it takes."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    run = models.ForeignKey(MeditationRun, on_delete=models.PROTECT, related_name="undos")
    state = models.CharField(max_length=16, default=UndoState.RUNNING)
    act_id = models.UUIDField(help_text="The audit entry by which it began: whose undo it is, and why.")
    users = models.IntegerField(help_text="Of so many the run had decided something that stood when it began.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    heartbeat_at = models.DateTimeField(null=True, help_text="None while nobody works on it.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "meditation_undo"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(UndoState)), name="meditation_undo_state_ck"),
            models.CheckConstraint(
                condition=Q(state=UndoState.RUNNING, ended_at=None)
                | Q(ended_at__isnull=False) & ~Q(state=UndoState.RUNNING),
                name="meditation_undo_ended_ck",
            ),
            # A run is undone by one at a time.
            models.UniqueConstraint(
                fields=["run"], name="meditation_undo_one_at_a_time_uq", condition=Q(state=UndoState.RUNNING)
            ),
        ]

    def __str__(self) -> str:
        return f"undo of {self.run_id}"

    @property
    def public_id(self) -> str:
        """The bare UUID: an undo has no prefix of its own."""
        return str(self.id)


class MeditationUndoUser(models.Model):
    """What became of one user in the undo of a run. `says` holds figures only."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    undo = models.ForeignKey(MeditationUndo, on_delete=models.PROTECT, related_name="told", db_index=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="undos", db_index=False)
    outcome = models.CharField(max_length=16)
    items = models.IntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    skipped = models.JSONField(default=dict, help_text="How many items were left as they are, by what kept them.")
    refusal = models.CharField(max_length=64, blank=True, help_text="The slug of what refused it.")
    says = models.TextField(blank=True)

    class Meta:
        db_table = "meditation_undo_user"
        constraints = [
            models.UniqueConstraint(fields=["undo", "user"], name="meditation_undo_user_once_uq"),
            models.CheckConstraint(condition=Q(outcome__in=list(UndoOutcome)), name="meditation_undo_user_outcome_ck"),
        ]

    def __str__(self) -> str:
        return self.outcome


class Notification(models.Model):
    """The outbox: what somebody is to be told. `facts` holds figures and internal ids only."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=32)
    facts = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notification"
        indexes = [
            # A user's notices, newest first.
            models.Index(fields=["user", "-created_at", "-id"], name="notification_user_ix"),
        ]

    def __str__(self) -> str:
        return self.kind
