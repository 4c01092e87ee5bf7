"""The archive of a user's tiers: what goes in, what it pushes out for good, and what comes back.

Callers hold the user's counters and the items, and write the audit entry.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from kimberly.lib.errors import Kind, Refusal
from memory import metrics
from memory.models import ItemScore, MemoryItem, TierPolicy
from memory.rules.tiers import ItemState, Tier, expiry
from memory.services import quotas


class ArchiveFull(Refusal):
    """The archive holds so many protected items that this one has no room in it, and those are never pushed out."""

    slug = "archive-full"
    kind = Kind.CONFLICT
    title = "The archive of this tier is full of protected items. Nothing was changed."

    def __init__(self, *, limit_bytes: int, needed_bytes: int) -> None:
        super().__init__(limit_bytes, needed_bytes)
        self.limit_bytes = limit_bytes
        self.needed_bytes = needed_bytes

    def facts(self) -> dict[str, Any]:
        return {"archived_limit_bytes": self.limit_bytes, "needed_bytes": self.needed_bytes}

    def remedies(self) -> list[str]:
        return [
            "Purge what is archived and not needed: DELETE /api/v1/memory/{id}?purge=true.",
            "Purge this item instead of archiving it, or restore a protected one.",
        ]


def put_in(items: Sequence[MemoryItem], *, user_id: UUID, reason: str, now: datetime) -> list[MemoryItem]:
    """Archive active items of one user; gives those that the archive's own limit purged, the oldest first.

    Protected ones are not among them. Raises ArchiveFull.
    """
    policies = _policies(user_id)
    pushed_out: list[MemoryItem] = []
    for tier, chosen in _by_tier(items):
        changed = {
            "state": ItemState.ARCHIVED,
            "archived_at": now,
            "archive_reason": reason,
            "purge_after": now + timedelta(days=policies[tier].grace_days),
        }
        _change(chosen, changed)
        quotas.move_to_archive(user_id, tier, size_bytes=_bytes_of(chosen), items=len(chosen))
        purged = _purge_over_limit(user_id, tier, limit_bytes=policies[tier].archived_bytes, reason=reason, now=now)
        pushed_out += purged
        # By somebody's will: the metrics tell that from what jobs do, the item itself a client's from the staff's.
        transaction.on_commit(partial(metrics.count_archived, tier, len(chosen), reason="user"))
        transaction.on_commit(partial(metrics.count_purged, tier, len(purged), reason="user"))
    return pushed_out


def bring_back(items: Sequence[MemoryItem], *, user_id: UUID, now: datetime) -> None:
    """Make archived items of one user active; they take their room again, or QuotaExceeded is raised.

    Short-term ones live another 24 h.
    """
    policies = _policies(user_id)
    for tier, chosen in _by_tier(items):
        size_bytes, number = _bytes_of(chosen), len(chosen)
        quotas.take_room(user_id, tier, more_bytes=size_bytes, more_items=number, now=now)
        quotas.leave_archive(user_id, tier, size_bytes=size_bytes, items=number)
        _change(chosen, _active_in(policies[tier], now=now))
        transaction.on_commit(partial(metrics.count_restored, tier, number))


def demote(items: Sequence[MemoryItem], *, user_id: UUID, now: datetime) -> None:
    """Move one user's items of long-term, active or archived, back to short-term: active, for another 24 h.

    They take their room there, or QuotaExceeded is raised.
    """
    if not items:
        return
    policy = _policies(user_id)[Tier.SHORT_TERM]
    active = [item for item in items if item.state == ItemState.ACTIVE]
    archived = [item for item in items if item.state == ItemState.ARCHIVED]
    quotas.release(user_id, Tier.LONG_TERM, size_bytes=_bytes_of(active), items=len(active))
    quotas.leave_archive(user_id, Tier.LONG_TERM, size_bytes=_bytes_of(archived), items=len(archived))
    quotas.take_room(user_id, Tier.SHORT_TERM, more_bytes=_bytes_of(items), more_items=len(items), now=now)
    _change(items, {**_active_in(policy, now=now), "tier": Tier.SHORT_TERM})
    if archived:
        transaction.on_commit(partial(metrics.count_restored, Tier.SHORT_TERM, len(archived)))


def erase(items: Sequence[MemoryItem], *, reason: str, now: datetime) -> None:
    """Empty the items for good; their tombstones stay. The counters are the caller's."""
    ItemScore.objects.filter(pk__in=[item.pk for item in items]).delete()
    MemoryItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=ItemState.PURGED,
        content=None,
        metadata=None,
        embedding=None,
        embedding_model=None,
        search_document=None,
        consent="",
        purged_at=now,
        purge_reason=reason,
    )


def _active_in(policy: TierPolicy, *, now: datetime) -> dict[str, Any]:
    """What an item of this tier has that is active from now on."""
    return {
        "state": ItemState.ACTIVE,
        "archived_at": None,
        "archive_reason": "",
        "purge_after": None,
        "expires_at": expiry(Tier(policy.tier), life_seconds=policy.life_seconds, now=now),
        "changed_at": now,
    }


def _policies(user_id: UUID) -> dict[Tier, TierPolicy]:
    return {Tier(policy.tier): policy for policy in TierPolicy.objects.filter(plan__memoryuser=user_id)}


def _by_tier(items: Sequence[MemoryItem]) -> Iterator[tuple[Tier, list[MemoryItem]]]:
    """In the order in which counters are locked."""
    for tier in Tier:
        chosen = [item for item in items if item.tier == tier]
        if chosen:
            yield tier, chosen


def _bytes_of(items: Sequence[MemoryItem]) -> int:
    return sum(item.size_bytes for item in items)


def _change(items: Sequence[MemoryItem], changed: dict[str, Any]) -> None:
    """One statement for all of them, and the same to the objects at hand."""
    MemoryItem.objects.filter(pk__in=[item.pk for item in items]).update(version=F("version") + 1, **changed)
    for item in items:
        item.version += 1
        for name, value in changed.items():
            setattr(item, name, value)


def _purge_over_limit(user_id: UUID, tier: Tier, *, limit_bytes: int, reason: str, now: datetime) -> list[MemoryItem]:
    over_bytes = quotas.lock(user_id, now=now)[tier].archived_bytes - limit_bytes
    if over_bytes <= 0:
        return []
    archived = MemoryItem.objects.filter(user_id=user_id, tier=tier, state=ItemState.ARCHIVED, protected=False)
    chosen: list[MemoryItem] = []
    for item in archived.only("id", "size_bytes").order_by("archived_at", "id").iterator(chunk_size=100):
        chosen.append(item)
        over_bytes -= item.size_bytes
        if over_bytes <= 0:
            break
    if over_bytes > 0:
        raise ArchiveFull(limit_bytes=limit_bytes, needed_bytes=over_bytes)
    erase(chosen, reason=reason, now=now)
    quotas.leave_archive(user_id, tier, size_bytes=_bytes_of(chosen), items=len(chosen))
    return chosen
