"""What staff does to items that they chose on a page: all of them in one act, those that changed since left out.

The same archive as the API's, and the same counters; only the choice is another.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.lib import bytesize
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from memory.models import MemoryItem, MemoryUser
from memory.queries.usage import TierUsage
from memory.rules import selections
from memory.rules.limits import LimitSource
from memory.rules.selections import Deed, Skip
from memory.rules.tiers import ItemState, Tier, UserState
from memory.services import archive, quotas

MOST_CHOSEN = 100
COLUMNS = ("id", "user_id", "tier", "state", "size_bytes", "protected", "version")
ACTIONS = {
    Deed.PROTECT: "items.protected",
    Deed.UNPROTECT: "items.unprotected",
    Deed.DELETE: "items.deleted",
    Deed.RESTORE: "items.restored",
}


class NothingToDo(Refusal):
    """None of the chosen items is as it was seen, or can be changed so."""

    slug = "nothing-to-do"
    kind = Kind.CONFLICT
    title = "None of the chosen items can be changed so. Nothing was done."

    def __init__(self, skipped: Counter[Skip]) -> None:
        super().__init__(skipped)
        self.skipped = skipped

    @property
    def detail(self) -> str:
        return f"Nothing was done. Of the chosen items {selections.told(self.skipped)}."

    def facts(self) -> dict[str, Any]:
        return {"skipped": {str(skip): number for skip, number in self.skipped.items()}}


class NotAllAsBefore(NothingToDo):
    """An undo brings back all of what was deleted, or nothing."""

    slug = "not-all-as-before"
    title = "Not all of the deleted items can come back. Nothing was done."

    @property
    def detail(self) -> str:
        return f"All come back, or none: of the items {selections.told(self.skipped)}. Nothing was done."

    def remedies(self) -> list[str]:
        return ["Restore those that are left: choose them among the user's archived items."]


class NoRoomToRestore(Refusal):
    """What should come back from the archive does not fit into its tiers. Nothing was restored."""

    slug = "no-room-to-restore"
    kind = Kind.CONFLICT
    title = "There is no room for what should come back. Nothing was restored."

    def __init__(self, shortages: Sequence[tuple[TierUsage, int]]) -> None:
        """Each tier that is too full, with the bytes that should come back to it."""
        super().__init__(shortages)
        self.shortages = shortages

    @property
    def detail(self) -> str:
        return " ".join(_told_shortage(tier, needed) for tier, needed in self.shortages)

    def facts(self) -> dict[str, Any]:
        return {
            "tiers": [
                {"tier": str(tier.tier), "needed_bytes": needed, "room_bytes": tier.room_bytes}
                for tier, needed in self.shortages
            ]
        }

    def remedies(self) -> list[str]:
        helps = []
        for tier, needed in self.shortages:
            # A tier may stand above its limit: then more must go than what comes.
            enough = tier.active_bytes + needed
            missing = enough - tier.limit_bytes
            helps.append(f"Raise {tier.tier} to {bytesize.at_least(enough)} or more for a time.")
            helps.append(f"Delete {bytesize.at_least(missing)} of {tier.tier} that are needed less.")
        return [*helps, "Restore fewer of them."]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item as it was when somebody chose it."""

    id: UUID
    version: int


def change(deed: Deed, chosen: Sequence[Chosen], *, user_id: UUID, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Do it to those of the chosen that are as they were seen; gives the act, which says what was left out.

    Raises Invalid, UserGone, NothingToDo, ArchiveFull or NoRoomToRestore. An undo of a delete restores all, or raises
    NotAllAsBefore.
    """
    if not 0 < len(chosen) <= MOST_CHOSEN:
        raise Invalid(("/items", f"must be from 1 to {MOST_CHOSEN} items"))
    with transaction.atomic():
        tiers = quotas.lock(user_id, now=now)
        require_kept(user_id)
        those = MemoryItem.objects.filter(user_id=user_id, pk__in=[one.id for one in chosen])
        found = those.select_for_update(no_key=True)
        rows = {item.pk: item for item in found.only(*COLUMNS).order_by("pk")}
        fit, skipped = sorted_out(deed, chosen, rows)
        if skipped and deed is Deed.RESTORE and why.undoes:
            raise NotAllAsBefore(skipped)
        if not fit:
            raise NothingToDo(skipped)
        facts = {**facts_of(fit), "skipped": {str(skip): number for skip, number in skipped.items()}}
        facts |= _take_effect(deed, fit, tiers, user_id=user_id, now=now)
        facts["items"] = {str(item.pk): item.version for item in fit}
        before = {str(tier): measured(tiers[tier]) for tier in {Tier(item.tier) for item in fit}}
        subject = Subject("user", str(user_id))
        return trail.record(ACTIONS[deed], subject=subject, actor=actor, now=now, before=before, after=facts, why=why)


def require_kept(user_id: UUID) -> None:
    """Nothing is changed of somebody whose memories are being erased: it would look as if something stayed."""
    if MemoryUser.objects.filter(pk=user_id, state__in=[UserState.ERASING, UserState.ERASED]).exists():
        raise quotas.UserGone


def sorted_out(
    deed: Deed, chosen: Sequence[Chosen], rows: Mapping[UUID, MemoryItem]
) -> tuple[list[MemoryItem], Counter[Skip]]:
    """The rows to which it can be done, and how many of the chosen are left out, by what keeps them out."""
    fit: list[MemoryItem] = []
    skipped: Counter[Skip] = Counter()
    for one in {one.id: one for one in chosen}.values():
        item = rows.get(one.id)
        skip = Skip.GONE if item is None else _obstacle(deed, item, one)
        if skip is None and item is not None:
            fit.append(item)
        elif skip is not None:
            skipped[skip] += 1
    return fit, skipped


def _obstacle(deed: Deed, item: MemoryItem, seen: Chosen) -> Skip | None:
    obstacle = selections.obstacle(deed, state=ItemState(item.state), protected=item.protected)
    return obstacle or (Skip.CHANGED if item.version != seen.version else None)


def _take_effect(
    deed: Deed, items: Sequence[MemoryItem], tiers: Mapping[Tier, TierUsage], *, user_id: UUID, now: datetime
) -> dict[str, Any]:
    """Change them; gives what else there is to tell."""
    if deed is Deed.DELETE:
        pushed_out = archive.put_in(items, user_id=user_id, reason="staff", now=now)
        return {
            "purged_items": len(pushed_out),
            "purged_bytes": sum(item.size_bytes for item in pushed_out),
            "purged": [str(item.pk) for item in pushed_out[:MOST_CHOSEN]],
        }
    if deed is Deed.RESTORE:
        _require_room(items, tiers)
        archive.bring_back(items, user_id=user_id, now=now)
        return {}
    marked = MemoryItem.objects.filter(pk__in=[item.pk for item in items])
    marked.update(protected=deed is Deed.PROTECT, version=F("version") + 1)
    for item in items:
        item.version += 1
    quotas.note_change(user_id)
    return {}


def _require_room(items: Sequence[MemoryItem], tiers: Mapping[Tier, TierUsage]) -> None:
    """Refuse with all tiers that are too full; the counters are held, so that what fits now fits then."""
    if shortages := shortages_of(items, tiers):
        raise NoRoomToRestore(shortages)


def shortages_of(items: Sequence[MemoryItem], tiers: Mapping[Tier, TierUsage]) -> list[tuple[TierUsage, int]]:
    """The tiers into which the items do not fit, with the bytes they need."""
    needed = {tier: sum(item.size_bytes for item in items if item.tier == tier) for tier in tiers}
    return too_full(needed, tiers)


def too_full(needed_bytes: Mapping[Tier, int], tiers: Mapping[Tier, TierUsage]) -> list[tuple[TierUsage, int]]:
    """The tiers that have no room for the bytes that should come back to them."""
    return [(tiers[tier], size) for tier, size in needed_bytes.items() if size > tiers[tier].room_bytes]


def _told_shortage(tier: TierUsage, needed_bytes: int) -> str:
    source = "a temporary override" if tier.limit_source is LimitSource.OVERRIDE else "the plan"
    needed, free, limit = map(bytesize.human, (needed_bytes, tier.room_bytes, tier.limit_bytes))
    return f"No room in {tier.tier}: needs {needed}, {free} are free. Limit {limit} from {source}."


def facts_of(items: Sequence[MemoryItem]) -> dict[str, Any]:
    """What an entry tells of items that were changed."""
    return {
        "number": len(items),
        "size_bytes": sum(item.size_bytes for item in items),
        "tiers": sorted({str(item.tier) for item in items}),
        "protected_items": sum(item.protected for item in items),
    }


def measured(tier: TierUsage) -> dict[str, Any]:
    """The limit as it was: a page can still say later what it was measured against."""
    return {
        "used_bytes": tier.active_bytes,
        "limit_bytes": tier.limit_bytes,
        "limit_source": str(tier.limit_source),
        "limit_source_id": str(tier.override_id or tier.plan_id),
    }
