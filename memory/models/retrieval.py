"""How memories are found again: the profile of the recipe, what was returned, and what was said of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from kimberly.db.defaults import Uuid7
from memory.models.items import MemoryItem
from memory.models.users import MemoryUser

MOST_FRESHNESS = 0.05  # More would put what is new before what was asked for.


class RetrievalProfile(models.Model):
    """The weights of the recipe. A version is never changed: another set of weights is another version."""

    version = models.IntegerField(primary_key=True)
    semantic = models.FloatField()
    own_words = models.FloatField()
    context = models.FloatField()
    freshness = models.FloatField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        db_table = "retrieval_profile"
        constraints = [
            models.CheckConstraint(
                condition=Q(semantic__gte=0, own_words__gte=0, context__gte=0)
                & Q(semantic__lte=1, own_words__lte=1, context__lte=1)
                & ~Q(semantic=0, own_words=0, context=0),
                name="retrieval_profile_weights_ck",
            ),
            models.CheckConstraint(
                condition=Q(freshness__gte=0, freshness__lte=MOST_FRESHNESS), name="retrieval_profile_freshness_ck"
            ),
        ]

    def __str__(self) -> str:
        return f"retrieval profile {self.version}"


class AccessEvent(models.Model):
    """One query of a user, with the items that it returned, best first."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="accesses", db_index=False)
    item_ids = ArrayField(models.UUIDField())
    asked_at = models.DateTimeField()
    folded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_event"
        indexes = [
            # What a user's queries returned; the meditation folds it into counts.
            models.Index(fields=["user", "asked_at"], name="access_event_user_ix"),
            # The sweep of what is past its retention.
            models.Index(fields=["asked_at"], name="access_event_asked_ix"),
            # What the meditation has not folded into counts yet.
            models.Index(fields=["user"], name="access_event_unfolded_ix", condition=Q(folded_at=None)),
        ]

    def __str__(self) -> str:
        return f"{len(self.item_ids)} items at {self.asked_at:%Y-%m-%d %H:%M:%S}"


class ItemFeedback(models.Model):
    """What a client said of one memory: whether it helped, or how much it matters to the person."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    item = models.ForeignKey(MemoryItem, on_delete=models.PROTECT, related_name="feedback")
    helpful = models.BooleanField(null=True)
    emotional_weight = models.FloatField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        db_table = "item_feedback"
        constraints = [
            models.CheckConstraint(
                condition=Q(helpful__isnull=False, emotional_weight=None)
                | Q(helpful=None, emotional_weight__gte=0, emotional_weight__lte=1),
                name="item_feedback_one_kind_ck",
            ),
        ]

    def __str__(self) -> str:
        return f"helpful: {self.helpful}" if self.emotional_weight is None else f"weight {self.emotional_weight}"
