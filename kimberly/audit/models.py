"""Entries, the free text they point at, and the seals that chain them. Nothing here is ever changed or deleted.

Triggers refuse UPDATE, DELETE and TRUNCATE for every role, and the app's role has no right to them (00-overview).
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from kimberly.db.defaults import Uuid7
from kimberly.lib.actors import ActorKind


class AuditEntry(models.Model):
    """One act: written in the transaction of the act itself. Holds internal ids and hashes, never a person's words."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason_sha256 = models.CharField(max_length=64, blank=True)
    ticket_sha256 = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    incident_id = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "audit_entry"
        indexes = [
            # "Everything that happened to this user", newest first.
            models.Index(fields=["subject_kind", "subject_id", "-at", "-id"], name="audit_entry_subject_ix"),
            # The overview: what staff did last, among what programs do by the thousand.
            models.Index(fields=["-at", "-id"], name="audit_entry_staff_ix", condition=Q(actor_kind=ActorKind.STAFF)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind}:{self.subject_id}"

    @property
    def public_id(self) -> str:
        """The bare UUID: an entry has no prefix of its own."""
        return str(self.id)


class AuditText(models.Model):
    """The free text of an entry, apart from it so that an erasure can empty it: the entry keeps the SHA-256."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="text")
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "audit_text"
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(reason="", ticket=""), name="audit_text_erased_is_empty_ck"
            ),
        ]

    def __str__(self) -> str:
        return "erased" if self.erased_at else self.reason


class AuditPending(models.Model):
    """Entries that no seal holds yet: a queue that a trigger fills and the sealing job empties."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, primary_key=True)

    class Meta:
        db_table = "audit_pending"

    def __str__(self) -> str:
        return str(self.pk)


class AuditSeal(models.Model):
    """One link of the chain over the entries of about a minute."""

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    entry_ids = ArrayField(models.UUIDField())
    rows_sha256 = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "audit_seal"
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="audit_seal_number_ck"),
            models.CheckConstraint(condition=Q(entry_ids__len__gte=1), name="audit_seal_not_empty_ck"),
            models.UniqueConstraint(fields=["previous_hash"], name="audit_seal_one_successor_uq"),
        ]

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"
