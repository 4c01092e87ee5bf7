"""What an undo of decisions of one user would do: how many items come back, and each tier before and after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kimberly.lib import bytesize
from memory.queries.usage import TierUsage
from memory.rules import selections
from memory.rules.tiers import Tier
from memory.services import meditationundo
from memory.services.meditationundo import Preview
from memory.services.selections import NoRoomToRestore
from ops import words
from ops.queries import choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """The figures of an undo as a form shows them; `change` is (name, now, afterwards)."""

    items: int
    size_bytes: int
    oldest: datetime | None
    newest: datetime | None
    protected: int
    left_out: str
    change: tuple[tuple[str, str, str], ...]
    shortage: NoRoomToRestore | None
    pushed_out: int = 0


def preview(
    run_id: UUID, *, user_id: UUID, item_ids: Sequence[UUID], tiers: Mapping[Tier, TierUsage], now: datetime
) -> Undoable:
    """What would happen now, by the rules that the undo goes by itself."""
    found = meditationundo.preview(run_id, user_id=user_id, item_ids=list(item_ids) or None, tiers=tiers, now=now)
    return Undoable(
        items=len(found.items),
        size_bytes=sum(item.size_bytes for item in found.items),
        oldest=min((item.created_at for item in found.items), default=None),
        newest=max((item.created_at for item in found.items), default=None),
        protected=sum(item.protected for item in found.items),
        left_out=selections.told(found.skipped),
        change=tuple(_change(found, tiers)),
        shortage=found.shortage,
    )


def _change(found: Preview, tiers: Mapping[Tier, TierUsage]) -> Iterator[tuple[str, str, str]]:
    yield words.counted(len(found.items), "item"), "as the meditation left them", "as they were before it"
    for tier, usage in tiers.items():
        comes = found.comes_bytes.get(tier, 0)
        leaves = found.leaves_bytes if tier is Tier.LONG_TERM else 0
        if comes or leaves:
            before, after = choices.used(usage, 0), choices.used(usage, comes - leaves)
            difference = bytesize.human(abs(comes - leaves))
            told = f", {difference} {'more' if comes > leaves else 'less'}" if before == after else ""
            yield f"{tier.label} used", before, after + told
