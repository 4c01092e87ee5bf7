"""Memory items: one remembered text each."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from pgvector.django import HalfVectorField

from kimberly.db.defaults import Uuid7
from kimberly.lib import ids
from memory.models.users import MemoryUser
from memory.rules.tiers import ItemState, Tier


class MemoryItem(models.Model):
    """One remembered text. Purged, it is a tombstone: id, tier, size, dates and reason stay."""

    id = models.UUIDField(primary_key=True, db_default=Uuid7(), editable=False)
    user = models.ForeignKey(MemoryUser, on_delete=models.PROTECT, related_name="items", db_index=False)
    tier = models.CharField(max_length=16)
    state = models.CharField(max_length=16, default=ItemState.ACTIVE)
    content = models.TextField(null=True)
    metadata = models.JSONField(null=True)
    size_bytes = models.IntegerField()
    embedding = HalfVectorField(null=True)
    embedding_model = models.CharField(max_length=80, null=True)
    search_document = models.GeneratedField(
        expression=Func(F("content"), F("metadata"), F("created_at"), function="memory_document"),
        output_field=SearchVectorField(null=True),
        db_persist=True,
    )
    session_key = models.GeneratedField(
        expression=Func(F("metadata"), function="memory_session_key"),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    protected = models.BooleanField(default=False)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(help_text="When it was said; the client may give it.")
    changed_at = models.DateTimeField(help_text="When it last took room.")
    expires_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    access_count = models.IntegerField(default=0)
    archived_at = models.DateTimeField(null=True)
    purge_after = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)
    archive_reason = models.CharField(max_length=16, blank=True)
    purge_reason = models.CharField(max_length=16, blank=True)
    created_by = models.CharField(max_length=80)
    consent = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "memory_item"
        constraints = [
            models.CheckConstraint(condition=Q(tier__in=list(Tier)), name="memory_item_tier_ck"),
            models.CheckConstraint(condition=Q(state__in=list(ItemState)), name="memory_item_state_ck"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="memory_item_size_ck"),
            models.CheckConstraint(condition=Q(version__gte=1), name="memory_item_version_ck"),
            # An item is exactly one of active, archived, purged, and its dates say which.
            models.CheckConstraint(
                condition=(
                    Q(state="active", archived_at=None, purge_after=None, purged_at=None, content__isnull=False)
                    & Q(metadata__isnull=False)
                )
                | (
                    Q(state="archived", archived_at__isnull=False, purge_after__isnull=False, purged_at=None)
                    & Q(content__isnull=False, metadata__isnull=False)
                    & ~Q(archive_reason="")
                )
                | (Q(state="purged", purged_at__isnull=False) & ~Q(purge_reason="")),
                name="memory_item_state_dates_ck",
            ),
            models.CheckConstraint(
                condition=~Q(state="purged")
                | Q(content=None, metadata__isnull=True, embedding=None, embedding_model=None),
                name="memory_item_tombstone_is_empty_ck",
            ),
            models.CheckConstraint(
                # A model without a vector: it saw the text and found nothing in it, so nobody asks it again.
                condition=Q(embedding=None) | Q(embedding_model__isnull=False),
                name="memory_item_embedding_has_model_ck",
            ),
            models.CheckConstraint(
                condition=(Q(tier="short-term", expires_at__isnull=False) | ~Q(tier="short-term")) | Q(state="purged"),
                name="memory_item_short_term_expires_ck",
            ),
        ]
        indexes = [
            # A query compares one user's vectors of one model, all of them, without a look at the table.
            models.Index(
                fields=["user", "embedding_model"],
                include=["id", "embedding"],
                condition=Q(state="active"),
                name="memory_item_vectors_ix",
            ),
            # A query finds what was said right after an item in its session.
            models.Index(
                fields=["user", "session_key", "created_at", "id"],
                include=["state"],
                condition=Q(session_key__isnull=False),
                name="memory_item_session_ix",
            ),
            # What has no vector of the current model yet, oldest first, and which models there are at all.
            models.Index(fields=["embedding_model", "id"], condition=Q(state="active"), name="memory_item_model_ix"),
            # A query finds one user's items by their words. Without a pending list, which every query would read.
            # Of active ones only: what is archived by the thousand would cost an entry a word (docs/adr/0021).
            GinIndex(
                fields=["user", "search_document"],
                fastupdate=False,
                condition=Q(state="active"),
                name="memory_item_words_ix",
            ),
            # GET /memory: one user's items of a state in order of time, page by page.
            models.Index(fields=["user", "state", "-created_at", "-id"], name="memory_item_list_ix"),
            # A client's delete over the archive's limit purges the oldest archived of that tier.
            models.Index(
                fields=["user", "tier", "archived_at", "id"],
                condition=Q(state="archived"),
                name="memory_item_archived_ix",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(ids.Prefix.ITEM, self.id)
