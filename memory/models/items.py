"""Memory items: one remembered text each."""

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
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
    search_document = SearchVectorField(null=True)
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
                | Q(content=None, metadata__isnull=True, embedding=None, embedding_model=None, search_document=None),
                name="memory_item_tombstone_is_empty_ck",
            ),
            models.CheckConstraint(
                condition=Q(embedding=None, embedding_model=None)
                | Q(embedding__isnull=False, embedding_model__isnull=False),
                name="memory_item_embedding_has_model_ck",
            ),
            models.CheckConstraint(
                condition=(Q(tier="short-term", expires_at__isnull=False) | ~Q(tier="short-term")) | Q(state="purged"),
                name="memory_item_short_term_expires_ck",
            ),
        ]
        indexes = [
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
