"""Undo of what a meditation decided: what it archived is active again, what it promoted is back in short-term.

Of one user everything that can still be undone is, or nothing (docs/adr/0016-undo-of-a-meditation.md).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid
from kimberly.lib.sql import statement
from memory.models import MeditationDecision, MemoryItem
from memory.queries.usage import TierUsage
from memory.rules import selections as rules
from memory.rules.selections import Skip
from memory.rules.tiers import ItemState, Tier
from memory.services import archive, quotas, selections
from memory.services.selections import COLUMNS, MOST_CHOSEN, NoRoomToRestore, NothingToDo

ACTION = "meditation.undone"


class NothingToUndo(NothingToDo):
    """Nothing that the meditation decided there can be undone."""

    slug = "nothing-to-undo"
    title = "Nothing that this meditation decided there can be undone."

    @property
    def detail(self) -> str:
        return f"Nothing was undone: {rules.told(self.skipped)}." if self.skipped else self.title


@dataclass(frozen=True, slots=True)
class Undone:
    """What was undone of one user, and how many items were left as they are, by what kept them."""

    user_id: UUID
    items: int
    size_bytes: int
    skipped: Counter[Skip]
    public_id: str
    """Of the act, which the user's timeline tells."""

    @property
    def is_partly(self) -> bool:
        """Whether something of the run still stands."""
        return any(skip is not Skip.UNDONE for skip in self.skipped)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a run decided of an item, and what keeps that from being undone."""

    item_id: UUID
    was_promoted: bool
    decision_ids: list[UUID] | None
    skip: Skip | None


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where items go: from long-term back to short-term, or from the archive into the tier in which they are."""

    demoted: list[MemoryItem]
    restored: list[MemoryItem]

    @property
    def items(self) -> list[MemoryItem]:
        return [*self.demoted, *self.restored]

    @property
    def tiers(self) -> list[Tier]:
        """Whose bytes change."""
        found = {Tier(item.tier) for item in self.items}
        return sorted(found | {Tier.SHORT_TERM} if self.demoted else found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would come back into each tier, what would leave long-term for it, and what stands against it."""

    items: list[MemoryItem]
    comes_bytes: Mapping[Tier, int]
    leaves_bytes: int
    skipped: Counter[Skip]
    shortage: NoRoomToRestore | None


def undo_items(
    run_id: UUID, *, user_id: UUID, item_ids: Sequence[UUID], actor: Actor, why: Why, now: datetime
) -> Undone:
    """Take back what the run decided of these items of one user; those that have changed since are left out and told.

    Raises Invalid, UserGone, NothingToUndo or NoRoomToRestore.
    """
    if not 0 < len(item_ids) <= MOST_CHOSEN:
        raise Invalid(("/items", f"must be from 1 to {MOST_CHOSEN} items"))
    return _undo(run_id, user_id=user_id, item_ids=list(item_ids), actor=actor, why=why, now=now)


def undo_user(run_id: UUID, *, user_id: UUID, actor: Actor, why: Why, now: datetime) -> Undone:
    """Take back all that the run decided of the user and that is still as it was decided, or nothing of it.

    Raises UserGone, NothingToUndo or NoRoomToRestore.
    """
    return _undo(run_id, user_id=user_id, item_ids=None, actor=actor, why=why, now=now)


def preview(
    run_id: UUID, *, user_id: UUID, item_ids: list[UUID] | None, tiers: Mapping[Tier, TierUsage], now: datetime
) -> Preview:
    """What an undo of these items, or of all of the user's, would do now; nothing is held meanwhile."""
    decided = _decided(run_id, user_id=user_id, item_ids=item_ids, now=now)
    way_back = _way_back([one for one in decided if one.skip is None])
    needed, then = _needed(way_back, tiers)
    shortages = selections.too_full(needed, then)
    return Preview(
        items=way_back.items,
        comes_bytes=needed,
        leaves_bytes=_leaving_bytes(way_back),
        skipped=_skipped(decided, item_ids),
        shortage=NoRoomToRestore(shortages) if shortages else None,
    )


def _undo(run_id: UUID, *, user_id: UUID, item_ids: list[UUID] | None, actor: Actor, why: Why, now: datetime) -> Undone:
    with transaction.atomic():
        tiers = quotas.lock(user_id, now=now)
        selections.require_kept(user_id)
        decided = _decided(run_id, user_id=user_id, item_ids=item_ids, now=now)
        skipped = _skipped(decided, item_ids)
        fit = [one for one in decided if one.skip is None]
        if not fit:
            raise NothingToUndo(skipped)
        way_back = _way_back(fit, hold=True)
        _require_room(way_back, tiers)
        _mark(fit, actor=actor, now=now)
        before = {str(tier): selections.measured(tiers[tier]) for tier in way_back.tiers}
        archive.demote(way_back.demoted, user_id=user_id, now=now)
        archive.bring_back(way_back.restored, user_id=user_id, now=now)
        after = _facts(run_id, way_back.items, skipped)
        subject = Subject("user", str(user_id))
        act = trail.record(ACTION, subject=subject, actor=actor, now=now, before=before, after=after, why=why)
    return Undone(user_id, len(fit), after["size_bytes"], skipped, act.public_id)


def _decided(run_id: UUID, *, user_id: UUID, item_ids: list[UUID] | None, now: datetime) -> list[Decided]:
    parameters = {"run_id": run_id, "user_id": user_id, "item_ids": item_ids, "now": now}
    rows = statements.fetch_all(statement(__file__, "decided_in_run"), parameters)
    return [Decided(row[0], row[1], row[2], Skip(row[3]) if row[3] else None) for row in rows]


def _skipped(decided: Sequence[Decided], item_ids: list[UUID] | None) -> Counter[Skip]:
    skipped = Counter(one.skip for one in decided if one.skip)
    unknown = set(item_ids or ()) - {one.item_id for one in decided}
    return skipped + Counter({Skip.UNDECIDED: len(unknown)})


def _way_back(fit: Sequence[Decided], *, hold: bool = False) -> WayBack:
    """The items; held until the end of the transaction, behind the counters, where they are about to change."""
    promoted = {one.item_id for one in fit if one.was_promoted}
    chosen = MemoryItem.objects.filter(pk__in=[one.item_id for one in fit]).only(*COLUMNS, "created_at").order_by("pk")
    items = list(chosen.select_for_update(no_key=True) if hold else chosen)
    return WayBack(
        demoted=[item for item in items if item.pk in promoted],
        restored=[item for item in items if item.pk not in promoted],
    )


def _require_room(way_back: WayBack, tiers: Mapping[Tier, TierUsage]) -> None:
    """Refuse with all tiers that are too full."""
    if shortages := selections.too_full(*_needed(way_back, tiers)):
        raise NoRoomToRestore(shortages)


def _needed(way_back: WayBack, tiers: Mapping[Tier, TierUsage]) -> tuple[Counter[Tier], Mapping[Tier, TierUsage]]:
    """The bytes that come back to each tier, and the tiers as they are by then: what leaves makes room."""
    long_term = tiers[Tier.LONG_TERM]
    left = replace(long_term, active_bytes=long_term.active_bytes - _leaving_bytes(way_back))
    needed = Counter({Tier.SHORT_TERM: sum(item.size_bytes for item in way_back.demoted)})
    for item in way_back.restored:
        needed[Tier(item.tier)] += item.size_bytes
    return +needed, {**tiers, Tier.LONG_TERM: left}


def _leaving_bytes(way_back: WayBack) -> int:
    """What promoted items leave in long-term."""
    return sum(item.size_bytes for item in way_back.demoted if item.state == ItemState.ACTIVE)


def _mark(fit: Sequence[Decided], *, actor: Actor, now: datetime) -> None:
    """Say that the decisions are undone; each is once, whoever else is at it."""
    decision_ids = [key for one in fit for key in one.decision_ids or ()]
    standing = MeditationDecision.objects.filter(pk__in=decision_ids, undone_at=None)
    if standing.update(undone_at=now, undone_by=str(actor)) != len(decision_ids):
        raise NothingToUndo(Counter({Skip.UNDONE: len(fit)}))


def _facts(run_id: UUID, items: Sequence[MemoryItem], skipped: Counter[Skip]) -> dict[str, Any]:
    return {
        **selections.facts_of(items),
        "run": str(run_id),
        "items": {str(item.pk): item.version for item in items[:MOST_CHOSEN]},
        "skipped": {str(skip): number for skip, number in skipped.items()},
    }
