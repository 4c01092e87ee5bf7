"""One user's items: how long their content is; what it says only under a reveal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import TextField, Value
from django.db.models.functions import Left, Length

from kimberly.lib import ids
from kimberly.web.pagination import Order
from memory.models import ItemScore, MeditationDecision, MemoryItem, PrunePlan, PrunePlanItem
from memory.queries import scoring
from memory.rules import sentences
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.scoring import Parts, Profile
from memory.rules.tiers import ItemState, Tier
from ops import excerpts, scorewhys, words
from ops.excerpts import Excerpt
from ops.queries import keyset, timeline
from ops.queries.keyset import Page
from ops.queries.names import Name, Names
from ops.queries.reveals import RevealRow

NEWEST_FIRST = Order("created", "created_at", descending=True, kind=datetime)
COLUMNS = (
    "id", "tier", "state", "size_bytes", "protected", "created_at", "expires_at", "purge_after", "created_by",
    "archived_at", "archive_reason", "purged_at", "purge_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item. `characters`: its text's length, None when purged. `excerpt`: the text, None where masked."""

    public_id: str
    tier: Tier
    state: ItemState
    size_bytes: int
    characters: int | None
    excerpt: Excerpt | None
    protected: bool
    created_at: datetime
    expires_at: datetime | None
    purge_after: datetime | None
    author: Name
    because: tuple[tuple[str, str], ...] = ()
    """Of an active one: what it is worth; of an archived one: why it lies there; of a purged one: why it went."""
    told: str = ""
    """Where the timeline tells of that, as a cursor."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an item is, and from where on their list of items of its state it is the first."""

    user_public_id: str
    state: ItemState
    cursor: str


def place_of(item_id: UUID) -> Place | None:
    """Where the item is listed; None when there is none."""
    row = MemoryItem.objects.filter(pk=item_id).values("user_id", "state", "created_at").first()
    if row is None:
        return None
    before = NEWEST_FIRST.cursor_at({"created_at": row["created_at"] + timedelta(microseconds=1), "id": UUID(int=0)})
    return Place(ids.encode(ids.Prefix.USER, row["user_id"]), ItemState(row["state"]), before)


def of_user(
    user_id: UUID,
    *,
    state: ItemState,
    tier: Tier | None = None,
    names: Names,
    reveal: RevealRow | None,
    cursor: str = "",
    size: int = keyset.PAGE_ROWS,
    tells_scores: bool = False,
) -> Page[ItemRow]:
    """The user's items of one state, newest first, of this tier where given; their texts with the reader's reveal.

    With `tells_scores` each says what it is worth, or by which score it was decided.
    """
    rows = MemoryItem.objects.filter(user_id=user_id, state=state)
    if tier is not None:
        rows = rows.filter(tier=tier)
    # Without a reveal the texts do not even leave the database.
    text = Left("content", excerpts.MOST_CHARACTERS) if reveal else Value(None, output_field=TextField())
    shown = rows.annotate(characters=Length("content"), text=text).values(*COLUMNS, "characters", "text")
    found = keyset.page(shown, NEWEST_FIRST, cursor=cursor, size=size)
    find = _scores if state is ItemState.ACTIVE else _decisions
    scored = find([row["id"] for row in found.rows]) if tells_scores else {}
    return Page(_rows(found.rows, names, scored), found.next_cursor)


Told = dict[UUID, list[tuple[str, str]]]
"""Of items, names and values."""


def _rows(found: Sequence[dict[str, Any]], names: Names, scored: Told) -> list[ItemRow]:
    return [
        ItemRow(
            public_id=ids.encode(ids.Prefix.ITEM, row["id"]),
            tier=Tier(row["tier"]),
            state=ItemState(row["state"]),
            author=names.of(row["created_by"]),
            because=(*(WHY[row["state"]](row) if row["state"] in WHY else ()), *scored.get(row["id"], ())),
            told=_told_at(row),
            excerpt=None if row["text"] is None else excerpts.of(row["text"], characters=row["characters"]),
            **{name: row[name] for name in ("size_bytes", "characters", "protected")},
            **{name: row[name] for name in ("created_at", "expires_at", "purge_after")},
        )
        for row in found
    ]


def _scores(item_ids: Sequence[UUID]) -> Told:
    """What each active item is worth keeping for, and what that came from; nothing of those not scored yet."""
    rows = list(ItemScore.objects.filter(item_id__in=item_ids))
    profiles = scoring.profiles({row.profile_version for row in rows})
    told = {}
    for row in rows:
        parts = Parts(row.relevance, row.emotional, row.predictive, row.recency)
        worth = sentences.score(row.score, parts, profiles[row.profile_version])
        told[row.item_id] = [("Worth keeping", worth), ("So since", words.exact(row.scored_at))]
    return told


def _decisions(item_ids: Sequence[UUID]) -> Told:
    """What the last meditation or prune plan that decided of each item, and still stands, went by."""
    standing = MeditationDecision.objects.filter(item_id__in=item_ids, undone_at=None)
    planned = PrunePlanItem.objects.filter(
        item_id__in=item_ids, outcome=ItemOutcome.ARCHIVED, plan__state=PlanState.APPLIED
    )
    found: list[MeditationDecision | PrunePlanItem] = [
        *standing.select_related("run").order_by("decided_at", "pk"),
        *planned.select_related("plan").order_by("plan_id", "position"),
    ]
    last = {row.item_id: row for row in sorted(found, key=_decided_at)}
    versions = {row.profile_version for row in map(_decider, last.values())}
    profiles = scoring.profiles({version for version in versions if version is not None}) if versions else {}
    return {
        item_id: list(_told(row, profiles.get(_decider(row).profile_version or 0))) for item_id, row in last.items()
    }


def _decider(row: MeditationDecision | PrunePlanItem) -> MeditationDecision | PrunePlan:
    """What keeps the version of the weights."""
    return row.plan if isinstance(row, PrunePlanItem) else row


def _decided_at(row: MeditationDecision | PrunePlanItem) -> datetime:
    if isinstance(row, PrunePlanItem):
        return row.plan.applied_at or row.plan.created_at
    return row.decided_at


def _told(row: MeditationDecision | PrunePlanItem, profile: Profile | None) -> Iterator[tuple[str, str]]:
    if isinstance(row, PrunePlanItem):
        yield "By the prune plan", row.plan.public_id
        if profile is not None:
            yield from scorewhys.planned(row.inputs, score=row.score, size_bytes=row.size_bytes, profile=profile)
        return
    yield "By the meditation", row.run.public_id
    yield from scorewhys.told(row, profile)


def _archived(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Why an archived item is not found any more, and until when it can come back."""
    why = words.ARCHIVED_BECAUSE.get(row["archive_reason"], row["archive_reason"])
    yield "Archived", f"{words.exact(row['archived_at'])}, because {why}"
    yield "Since then", f"it takes no room of {row['tier']}, and no search finds it unless it asks for the archive"
    if row["purge_after"] is not None:
        kept = ", and then as well: it is protected" if row["protected"] else ""
        yield "Can come back", f"until {words.exact(row['purge_after'])}{kept}, where {row['tier']} has room for it"


def _purged(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Why nothing but its size and its dates is left of an item."""
    why = words.PURGED_BECAUSE.get(row["purge_reason"], row["purge_reason"])
    if row["archived_at"] is not None:
        before = words.ARCHIVED_BECAUSE.get(row["archive_reason"], row["archive_reason"])
        yield "Archived", f"{words.exact(row['archived_at'])}, because {before}"
    yield "Purged", f"{words.exact(row['purged_at'])}, because {why}"


WHY = {ItemState.ARCHIVED: _archived, ItemState.PURGED: _purged}


def _told_at(row: dict[str, Any]) -> str:
    """Where the timeline tells of that."""
    at = {ItemState.ARCHIVED: row["archived_at"], ItemState.PURGED: row["purged_at"]}.get(row["state"])
    return timeline.cursor_at(at) if at else ""
