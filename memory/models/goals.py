"""What users are working towards."""

from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from kimberly.db.defaults import Uuid7
from memory.models.users import MemoryUser

LONGEST_GOAL = 500


class Goal(models.Model):
    """What a user is working towards; a memory's relevance is its closeness to one."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="goals", db_index=False)
    text = models.CharField(max_length=LONGEST_GOAL)
    embedding = HalfVectorField(null=True)
    embedding_model = models.CharField(max_length=80, null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        db_table = "goal"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="goal_text_ck"),
            models.CheckConstraint(
                condition=Q(embedding=None) | Q(embedding_model__isnull=False), name="goal_embedding_has_model_ck"
            ),
            # The same goal twice is one goal. It is also how one user's goals are found.
            models.UniqueConstraint(fields=["user", "text"], name="goal_user_text_uq"),
        ]

    def __str__(self) -> str:
        return str(self.id)
