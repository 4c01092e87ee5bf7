"""API clients, their keys, and the answers kept for repeated calls."""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from kimberly.db.defaults import Uuid7


class Scope(StrEnum):
    """What a key may do."""

    READ = "memory:read"
    WRITE = "memory:write"
    QUERY = "memory:query"
    MEDITATE = "meditate"
    PRUNE = "prune"
    PRIVACY = "privacy"
    METRICS = "metrics:read"
    ALERTS = "alerts:write"


class ApiClient(models.Model):
    """A program that calls the API."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "api_client"
        constraints = [models.UniqueConstraint(fields=["name"], name="api_client_name_uq")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A client's credential, stored as SHA-256: 32 random bytes need no slow hash."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20))
    # memory's first migration adds the foreign key: clients lies below memory and must not know its models.
    bound_user_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        constraints = [
            models.UniqueConstraint(fields=["sha256"], name="api_key_sha256_uq"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=[str(scope) for scope in Scope]), name="api_key_scopes_ck"
            ),
            models.CheckConstraint(condition=Q(scopes__len__gte=1), name="api_key_some_scope_ck"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="api_key_expiry_ck"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class IdempotencyRecord(models.Model):
    """The first answer to a call with an Idempotency-Key, kept for 24 h without any content."""

    id = models.BigAutoField(primary_key=True)
    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    user_id = models.UUIDField(null=True)
    status = models.SmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.JSONField(default=dict)
    item_ids = ArrayField(models.UUIDField(), default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_record"
        constraints = [
            models.UniqueConstraint(fields=["api_key", "key"], name="idempotency_record_key_uq"),
            models.CheckConstraint(condition=Q(status__gte=200, status__lt=300), name="idempotency_record_status_ck"),
        ]
        indexes = [
            # An erasure deletes a user's records; the hourly sweep deletes what has expired.
            models.Index(fields=["user_id"], name="idempotency_record_user_ix"),
            models.Index(fields=["expires_at"], name="idempotency_record_expiry_ix"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}:{self.key}"
