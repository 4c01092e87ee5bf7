"""What colleagues should know about a user, in the words of who wrote it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from kimberly.db.defaults import Uuid7
from memory.models import MemoryUser

LONGEST_NOTE = 2_000


class UserNote(models.Model):
    """One note. Its author changes it, a version at a time; a removed one stays, and no page shows it."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    text = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "user_note"
        constraints = [
            models.CheckConstraint(
                condition=~Q(text="") & Q(LessThanOrEqual(Length("text"), LONGEST_NOTE)),
                name="user_note_text_length_ck",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="user_note_version_ck"),
            models.CheckConstraint(
                condition=Q(changed_at__gte=F("created_at")), name="user_note_changed_after_made_ck"
            ),
        ]
        indexes = [
            # A user's notes, newest first, and how many there are.
            models.Index(
                fields=["user", "-created_at", "-id"], condition=Q(removed_at=None), name="user_note_newest_ix"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The bare UUID: a note has no prefix of its own."""
        return str(self.id)
