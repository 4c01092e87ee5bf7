"""What a run of the meditation decided of items, and why: told from the inputs that were kept with each decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kimberly.lib import ids
from kimberly.web.pagination import Order
from memory.models import MeditationDecision, MemoryUser
from memory.queries import scoring
from memory.rules.meditation import Act, Reason
from memory.rules.scoring import Profile
from ops import scorewhys, words
from ops.queries import keyset
from ops.queries.keyset import Page

# By the item: the run's decisions lie so in their index, and a new item's id is above that of an old one.
OLDEST_ITEM_FIRST = Order("item", "item_id", descending=False, kind=UUID)
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """One decision. `because` are the parts of its score, and what they came from; empty where none was asked."""

    item_id: UUID
    user: MemoryUser
    act: Act
    reason: Reason
    tier: str
    size_bytes: int
    score: float | None
    decided_at: datetime
    undone_at: datetime | None
    because: tuple[tuple[str, str], ...]
    helps: tuple[str, ...] = ()

    @property
    def item_public_id(self) -> str:
        return ids.encode(ids.Prefix.ITEM, self.item_id)

    @property
    def says(self) -> str:
        """The reason in words."""
        return words.MEDITATED_BECAUSE[self.reason]


def of_run(run_id: UUID, *, act: Act | None, reason: Reason | None, cursor: str = "") -> Page[DecisionRow]:
    """The run's decisions by their items, of this act and reason where given."""
    rows = MeditationDecision.objects.filter(run_id=run_id).select_related("user")
    if act is not None:
        rows = rows.filter(act=act)
    if reason is not None:
        rows = rows.filter(reason=reason)
    found = keyset.page(rows, OLDEST_ITEM_FIRST, cursor=cursor, size=SHOWN)
    profiles = scoring.profiles({row.profile_version for row in found.rows if row.profile_version is not None})
    return Page([_row(row, profiles) for row in found.rows], found.next_cursor)


def _row(row: MeditationDecision, profiles: Mapping[int, Profile]) -> DecisionRow:
    return DecisionRow(
        item_id=row.item_id,
        user=row.user,
        act=Act(row.act),
        reason=Reason(row.reason),
        tier=row.tier,
        size_bytes=row.size_bytes,
        score=row.score,
        decided_at=row.decided_at,
        undone_at=row.undone_at,
        because=tuple(scorewhys.told(row, profiles.get(row.profile_version or 0))),
    )
