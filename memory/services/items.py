"""Every write of one user's items. Client writes of items have no audit entry (created_by says it); deletes have."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.web import etags
from memory import metrics
from memory.models import MemoryItem
from memory.rules.tiers import ItemState, Tier
from memory.services import archive, drafts, embeddings, quotas
from memory.services.drafts import Draft
from memory.services.quotas import Stored

MOST_NAMED = 100  # Items that were pushed out of an archive are named in the audit entry up to so many.


class ItemGone(Refusal):
    """There is no such item, or not for this key."""

    slug = "item-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such memory item."

    def remedies(self) -> list[str]:
        return ["GET /api/v1/memory?user_id=… lists what the user has; what was purged is gone for good."]


class ItemArchived(Refusal):
    """The item is in the archive: it can be restored or purged, not changed."""

    slug = "item-archived"
    kind = Kind.CONFLICT
    title = "The item is archived. Restore it first."

    def remedies(self) -> list[str]:
        return ["POST /api/v1/memory/{id}/restore brings it back while its grace lasts."]


class ItemActive(Refusal):
    """Only archived items can be restored."""

    slug = "item-active"
    kind = Kind.CONFLICT
    title = "The item is active: there is nothing to restore."


def write_item(draft: Draft, *, user_id: UUID, created_by: Actor, now: datetime) -> Stored:
    """Store one item, or raise QuotaExceeded, UserSuspended or UserGone and store nothing."""
    stored = quotas.store_within_limit(draft, user_id=user_id, created_by=created_by, now=now)
    transaction.on_commit(partial(metrics.count_created, {draft.tier: (draft.size_bytes, 1)}))
    return stored


CHANGED_BY_PATCH = (
    "content",
    "metadata",
    "protected",
    "size_bytes",
    "changed_at",
    "version",
    "embedding",
    "embedding_model",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a PATCH asks for; None leaves a part as it is."""

    content: str | None = None
    metadata: dict[str, Any] | None = None
    protected: bool | None = None


def change_item(
    item_id: UUID, change: Change, *, user_id: UUID, expected: frozenset[str] | None, now: datetime
) -> MemoryItem:
    """Change an active item; raises ItemGone, ItemArchived, etags.Stale, Invalid or QuotaExceeded."""
    embedded = embeddings.of_texts([change.content]) if change.content else None
    with transaction.atomic():
        item = locked(item_id, user_id=user_id)
        etags.check(expected, current_version=item.version)
        if item.state != ItemState.ACTIVE:
            raise ItemArchived
        size_bytes = _apply(change, item)
        more_bytes = size_bytes - item.size_bytes
        if more_bytes:
            quotas.take_room(user_id, Tier(item.tier), more_bytes=more_bytes, more_items=0, now=now)
        else:
            quotas.note_change(user_id)
        if more_bytes > 0:
            item.changed_at = now
        if change.content is not None:
            item.embedding = embedded[0].vector if embedded else None
            item.embedding_model = embedded[0].model if embedded else None
        item.size_bytes, item.version = size_bytes, item.version + 1
        item.save(update_fields=CHANGED_BY_PATCH)
    return item


def _apply(change: Change, item: MemoryItem) -> int:
    """Change the item; gives its size afterwards. What stays counts as it was sent: jsonb spells numbers anew."""
    errors: list[tuple[str, str]] = []
    content_bytes = drafts.size_of(item.content or "", "")
    metadata_bytes = item.size_bytes - content_bytes
    if change.content is not None:
        errors += drafts.content_errors(change.content, "/content")
        item.content, content_bytes = change.content, drafts.size_of(change.content, "")
    if change.metadata is not None:
        compact = drafts.compact_json(change.metadata)
        errors += drafts.metadata_errors(compact, "/metadata")
        item.metadata, metadata_bytes = change.metadata, drafts.size_of("", compact)
    if change.protected is not None:
        item.protected = change.protected
    if errors:
        raise Invalid(*errors)
    return content_bytes + metadata_bytes


def locked(item_id: UUID, *, user_id: UUID) -> MemoryItem:
    """The user's item, locked behind the counters until the transaction ends.

    ItemGone also for purged ones and other people's.
    """
    quotas.hold(user_id)
    # No lock of its key: rows that name the item (a plan's, a decision's) are looked up while it is held, and held so.
    items = MemoryItem.objects.select_for_update(no_key=True).filter(pk=item_id, user_id=user_id)
    item = items.exclude(state=ItemState.PURGED).first()
    if item is None:
        raise ItemGone
    return item


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a delete did: the item's state afterwards, and how many archived items it pushed out."""

    item: MemoryItem
    purged_items: int = 0
    purged_bytes: int = 0


def delete_item(
    item_id: UUID, *, user_id: UUID, actor: Actor, now: datetime, expected: frozenset[str] | None = None
) -> Deleted:
    """Archive an item. Over the archive's own limit the oldest archived of the tier are purged at once.

    Protected ones are not among them. An item that is archived already stays as it is. Raises ItemGone, etags.Stale or
    ArchiveFull.
    """
    with transaction.atomic():
        item = locked(item_id, user_id=user_id)
        etags.check(expected, current_version=item.version)
        if item.state == ItemState.ARCHIVED:
            return Deleted(item)
        pushed_out = archive.put_in([item], user_id=user_id, reason="user", now=now)
        facts = {
            **_facts(item),
            "purged_items": len(pushed_out),
            "purged": [str(purged.pk) for purged in pushed_out[:MOST_NAMED]],
        }
        trail.record("item.deleted", subject=_whose(item), actor=actor, now=now, after=facts)
    if any(purged.pk == item.pk for purged in pushed_out):
        item.refresh_from_db()
    return Deleted(item, len(pushed_out), sum(purged.size_bytes for purged in pushed_out))


def purge_item(
    item_id: UUID, *, user_id: UUID, actor: Actor, now: datetime, expected: frozenset[str] | None = None
) -> Deleted:
    """Erase an item's content, metadata and embedding for good; its tombstone stays. Raises ItemGone or Stale."""
    with transaction.atomic():
        item = locked(item_id, user_id=user_id)
        etags.check(expected, current_version=item.version)
        tier = Tier(item.tier)
        leave = quotas.release if item.state == ItemState.ACTIVE else quotas.leave_archive
        leave(user_id, tier, size_bytes=item.size_bytes)
        archive.erase([item], reason="user", now=now)
        trail.record("item.purged", subject=_whose(item), actor=actor, now=now, after=_facts(item))
    transaction.on_commit(partial(metrics.count_purged, tier, 1, reason="user"))
    item.refresh_from_db()
    return Deleted(item, 1, item.size_bytes)


def restore_item(item_id: UUID, *, user_id: UUID, actor: Actor, now: datetime) -> MemoryItem:
    """Bring an archived item back; it takes its room again. A short-term one lives another 24 h.

    Raises ItemGone, ItemActive, UserSuspended or QuotaExceeded.
    """
    with transaction.atomic():
        item = locked(item_id, user_id=user_id)
        if item.state != ItemState.ARCHIVED:
            raise ItemActive
        archive.bring_back([item], user_id=user_id, now=now)
        trail.record("item.restored", subject=_whose(item), actor=actor, now=now, after=_facts(item))
    return item


def _whose(item: MemoryItem) -> Subject:
    """What happened to an item is told on its user's timeline."""
    return Subject("user", str(item.user_id))


def _facts(item: MemoryItem) -> dict[str, Any]:
    return {"item": str(item.pk), "tier": item.tier, "size_bytes": item.size_bytes}
