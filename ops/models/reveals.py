"""Looks at what users keep: masked until somebody gives a reason, then shown to them for some minutes."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce

from kimberly.db.defaults import Uuid7
from memory.models import MemoryUser

LONGEST_REVEAL = timedelta(minutes=15)
"""Long enough to read an answer and its neighbours, too short to be forgotten open over lunch."""


class ContentReveal(models.Model):
    """One user's content shows to one person of staff, from `started_at` to `ends_at` or an earlier `ended_at`."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="reveals", db_index=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.TextField()
    ticket = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "content_reveal"
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("started_at")), name="content_reveal_end_after_start_ck"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("started_at") + LONGEST_REVEAL), name="content_reveal_length_ck"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="")
                | (
                    Q(ended_at__isnull=False, ended_at__gte=F("started_at"), ended_at__lt=F("ends_at"))
                    & ~Q(ended_by="")
                ),
                name="content_reveal_early_end_ck",
            ),
            # A second one at the same time would make the first one's end meaningless.
            ExclusionConstraint(
                name="content_reveal_no_overlap_ex",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("staff", RangeOperators.EQUAL),
                    (
                        Func(
                            "started_at",
                            Coalesce("ended_at", "ends_at"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            # The pages of a user ask who reads it now, and who did so last.
            models.Index(fields=["user", "-ends_at", "-id"], name="content_reveal_user_ix"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The bare UUID: a reveal has no prefix of its own."""
        return str(self.id)
