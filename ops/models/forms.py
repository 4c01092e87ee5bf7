"""Forms that took effect: a form that is sent twice does its work once."""

from django.conf import settings
from django.db import models


class SentForm(models.Model):
    """One form of a page, by the token it was rendered with. Inserted in the transaction of its effect."""

    id = models.UUIDField(primary_key=True, editable=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    outcome = models.CharField(max_length=40, help_text="The prefixed id of what it made or ended.")
    said = models.CharField(max_length=64, db_default="", help_text="A hash of what it said.")
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "sent_form"
        indexes = [
            # Each form that is sent deletes those of two days before.
            models.Index(fields=["sent_at"], name="sent_form_sent_ix"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.outcome}"
