"""Sessions of the portal. What is stored signs nobody in: the key in the cookie is kept as its hash."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class StaffSession(models.Model):
    """One session; without `staff` it is a visit that has not signed in yet. The id is made from the cookie's key."""

    id = models.UUIDField(primary_key=True, editable=False)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    data = models.TextField(help_text="Signed by the secret key; empty once the session has ended.")
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True, help_text="What the browser said it is.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When its person last asked for a page, to the minute.")
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "staff_session"
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_why="") | (Q(ended_at__isnull=False, data="") & ~Q(ended_why="")),
                name="staff_session_end_ck",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("started_at")), name="staff_session_length_ck"),
        ]
        indexes = [
            # The pages of sessions ask for those of one person, or of all, that have not ended.
            models.Index(fields=["staff", "-seen_at"], condition=Q(ended_at=None), name="staff_session_open_ix"),
            # The nightly sweep.
            models.Index(fields=["expires_at"], name="staff_session_expires_ix"),
        ]

    def __str__(self) -> str:
        return str(self.id)
