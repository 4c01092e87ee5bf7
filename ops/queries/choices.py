"""What would happen to chosen items: how many, how large, how old, and each tier before and after."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kimberly.lib import bytesize
from memory.models import MemoryItem
from memory.queries.usage import TierUsage
from memory.rules import selections as rules
from memory.rules.selections import Deed, Skip
from memory.rules.tiers import ItemState, Tier
from memory.services import selections
from memory.services.selections import Chosen, NoRoomToRestore
from ops import words

COLUMNS = (*selections.COLUMNS, "created_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the deed would do now to the chosen items, as they were frozen. `change` is (name, now, afterwards)."""

    deed: Deed
    chosen: tuple[Chosen, ...]
    items: int
    size_bytes: int
    oldest: datetime | None
    newest: datetime | None
    protected: int
    skipped: Counter[Skip]
    pushed_out: int
    """Archived items that would go for good, because the archive is full."""
    archive_is_full: bool
    """Whether even that would not make room: what is protected is never pushed out."""
    change: tuple[tuple[str, str, str], ...]
    shortage: NoRoomToRestore | None
    grace_days: int

    @property
    def left_out(self) -> str:
        """`2 changed since, 1 in the archive`; empty when all of them can be changed."""
        return rules.told(self.skipped)

    @property
    def means(self) -> str:
        """What it is for, beside the figures."""
        return {
            Deed.PROTECT: "No job archives or erases a protected item, whatever its score; its user still may.",
            Deed.UNPROTECT: "Jobs may archive and erase them again, by their score.",
            Deed.DELETE: "They leave retrieval and free their room at once.",
            Deed.RESTORE: "They take their room again, and are found again. Short-term ones live another 24 h.",
        }[self.deed]

    @property
    def warning(self) -> str:
        """What a delete means, beside the field in which the sender confirms it."""
        leave = f"{words.counted(self.items, 'item')} leave{'s' if self.items == 1 else ''} retrieval at once"
        return f"{leave}; all can come back for {self.grace_days} days."


def frozen(user_id: UUID, item_ids: Sequence[UUID]) -> list[Chosen]:
    """The items as they are now. Those that are not there have version 0, which none ever has."""
    found = MemoryItem.objects.filter(user_id=user_id, pk__in=item_ids).values_list("pk", "version")
    versions = dict(found.order_by("pk"))
    return [Chosen(item_id, versions.get(item_id, 0)) for item_id in dict.fromkeys(item_ids)]


def preview(deed: Deed, chosen: Sequence[Chosen], tiers: Mapping[Tier, TierUsage], *, user_id: UUID) -> Preview:
    """What the deed would do, by the rules that it goes by itself."""
    found = MemoryItem.objects.filter(user_id=user_id, pk__in=[one.id for one in chosen])
    rows = {item.pk: item for item in found.only(*COLUMNS).order_by("pk")}
    fit, skipped = selections.sorted_out(deed, chosen, rows)
    shortages = selections.shortages_of(fit, tiers) if deed is Deed.RESTORE else []
    pushed_out = [_pushed_out(fit, tier) for tier in tiers.values()] if deed is Deed.DELETE else []
    return Preview(
        deed=deed,
        chosen=tuple(chosen),
        items=len(fit),
        size_bytes=sum(item.size_bytes for item in fit),
        oldest=min((item.created_at for item in fit), default=None),
        newest=max((item.created_at for item in fit), default=None),
        protected=sum(item.protected for item in fit),
        skipped=skipped,
        pushed_out=sum(number for number, _ in pushed_out),
        archive_is_full=not all(fits for _, fits in pushed_out),
        change=tuple(_change(deed, fit, tiers)),
        shortage=NoRoomToRestore(shortages) if shortages else None,
        grace_days=min((tiers[Tier(item.tier)].grace_days for item in fit), default=0),
    )


def _change(deed: Deed, items: Sequence[MemoryItem], tiers: Mapping[Tier, TierUsage]) -> Iterator[tuple[str, str, str]]:
    count = words.counted(len(items), "item")
    if deed is Deed.PROTECT:
        yield count, "not protected", "protected"
    elif deed is Deed.UNPROTECT:
        yield count, "protected", "not protected"
    else:
        now, after = (str(ItemState.ACTIVE), str(ItemState.ARCHIVED))
        yield (count, now, after) if deed is Deed.DELETE else (count, after, now)
        for tier in tiers.values():
            moved = sum(item.size_bytes for item in items if item.tier == tier.tier)
            if moved:
                before, more = used(tier, 0), -moved if deed is Deed.DELETE else moved
                later = used(tier, more)
                # Where both read alike, the difference is said.
                told = f", {bytesize.human(moved)} {'less' if more < 0 else 'more'}" if later == before else ""
                yield f"{tier.tier.label} used", before, later + told


def used(tier: TierUsage, more_bytes: int) -> str:
    """What a tier would hold with so many bytes more, and which share of its limit that is."""
    then_bytes = tier.active_bytes + more_bytes
    return f"{bytesize.human(then_bytes)}, {words.percent(then_bytes / tier.limit_bytes)}"


def _pushed_out(items: Sequence[MemoryItem], tier: TierUsage) -> tuple[int, bool]:
    """How many archived items the archive's limit would purge, and whether that makes room enough.

    As `memory.services.archive` goes: the oldest first, and nothing that is protected.
    """
    coming = [item for item in items if item.tier == tier.tier]
    over_bytes = tier.archived_bytes + sum(item.size_bytes for item in coming) - tier.archived_limit_bytes
    if over_bytes <= 0 or not coming:
        return 0, True
    archived = MemoryItem.objects.filter(
        user_id=tier.user_id, tier=tier.tier, state=ItemState.ARCHIVED, protected=False
    )
    number = 0
    sizes = archived.order_by("archived_at", "pk").values_list("size_bytes", flat=True).iterator(chunk_size=100)
    newcomers = (item.size_bytes for item in coming if not item.protected)
    for size_bytes in itertools.chain(sizes, newcomers):
        if over_bytes <= 0:
            break
        over_bytes -= size_bytes
        number += 1
    return number, over_bytes <= 0
