"""What a run of the meditation decided of items, and why: told from the inputs that were kept with each decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import BigIntegerField, Func, QuerySet, Value

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
    def can_be_undone(self) -> bool:
        """As far as the decision itself tells: what was purged is gone."""
        return self.act is not Act.PURGED and self.undone_at is None

    @property
    def says(self) -> str:
        """The reason in words."""
        return words.MEDITATED_BECAUSE[self.reason]


def of_run(run_id: UUID, *, act: Act | None, reason: Reason | None, cursor: str = "") -> Page[DecisionRow]:
    """The run's decisions by their items, of this act and reason where given."""
    found = keyset.page(_of_run(run_id, act, reason), OLDEST_ITEM_FIRST, cursor=cursor, size=SHOWN)
    return Page(_told(found.rows), found.next_cursor)


def sample_of_run(run_id: UUID, *, act: Act | None, reason: Reason | None) -> Page[DecisionRow]:
    """Some of the run's decisions as by chance, and the same ones whenever they are asked for: to be checked."""
    by_chance = Func(
        "item_id", Value(run_id.int % 2**31), function="uuid_hash_extended", output_field=BigIntegerField()
    )
    return Page(_told(_of_run(run_id, act, reason).order_by(by_chance, "pk")[:SHOWN]), None)


def _of_run(run_id: UUID, act: Act | None, reason: Reason | None) -> QuerySet[MeditationDecision]:
    rows = MeditationDecision.objects.filter(run_id=run_id).select_related("user")
    if act is not None:
        rows = rows.filter(act=act)
    return rows if reason is None else rows.filter(reason=reason)


def _told(rows: Iterable[MeditationDecision]) -> list[DecisionRow]:
    found = list(rows)
    profiles = scoring.profiles({row.profile_version for row in found if row.profile_version is not None})
    return [_row(row, profiles) for row in found]


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
