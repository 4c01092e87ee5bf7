"""Undo of what a meditation decided: what it archived is active again, what it promoted is back in short-term.

Of one user everything that can still be undone is, or nothing; of a run user by user, each in a transaction of their
own (docs/adr/0016-undo-of-a-meditation.md).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.lib.sql import statement
from kimberly.web.outages import DatabaseBusy, outage_behind
from memory.models import MeditationDecision, MeditationRun, MemoryItem
from memory.queries.usage import TierUsage
from memory.rules import selections as rules
from memory.rules.meditation import UNFINISHED
from memory.rules.selections import Skip
from memory.rules.tiers import ItemState, Tier
from memory.services import archive, quotas, selections
from memory.services.meditationbrakes import NoSuchRun
from memory.services.selections import COLUMNS, MOST_CHOSEN, NoRoomToRestore, NothingToDo

ACTION = "meditation.undone"


class RunUnfinished(Refusal):
    """A meditation that still goes on, or may go on, would decide again what is undone meanwhile."""

    slug = "meditation-unfinished"
    kind = Kind.CONFLICT
    title = "The meditation is not finished. Nothing was undone."

    def __init__(self, run: MeditationRun) -> None:
        super().__init__(run)
        self.run = run

    def facts(self) -> dict[str, str]:
        return {"run_id": self.run.public_id, "state": self.run.state}

    def remedies(self) -> list[str]:
        return ["Abort it, or wait until it has ended.", "Undo one user: what was decided of them is decided."]


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

    @property
    def is_partly(self) -> bool:
        """Whether something of the run still stands."""
        return any(skip is not Skip.UNDONE for skip in self.skipped)


@dataclass(slots=True)
class RunUndone:
    """What became of each user whose items the run had changed.

    `left`: those of whom nothing can be undone any more, by what keeps it. Refused ones can be tried again.
    """

    run: MeditationRun
    undone: list[Undone] = field(default_factory=list)
    refused: dict[UUID, Refusal] = field(default_factory=dict)
    left: dict[UUID, Counter[Skip]] = field(default_factory=dict)

    @property
    def partly(self) -> list[Undone]:
        """Those of whom some items were left as they are."""
        return [one for one in self.undone if one.is_partly]

    def facts(self) -> dict[str, Any]:
        return {
            "users": len(self.undone),
            "partly": len(self.partly),
            "left": len(self.left),
            "refused": dict(Counter(refusal.slug for refusal in self.refused.values())),
            "number": sum(one.items for one in self.undone),
            "size_bytes": sum(one.size_bytes for one in self.undone),
        }


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


def undo_run(run_id: UUID, *, actor: Actor, why: Why, tell_time: Callable[[], datetime]) -> RunUndone:
    """Undo user by user, and say what became of each; begun again it goes on with those who are left.

    Raises NoSuchRun, RunUnfinished or NothingToUndo. It may take minutes: limits and lives go by the time of each user.
    """
    report = RunUndone(_finished(run_id))
    for (user_id,) in statements.fetch_all(statement(__file__, "users_to_undo"), {"run_id": run_id}):
        try:
            report.undone.append(undo_user(run_id, user_id=user_id, actor=actor, why=why, now=tell_time()))
        except NothingToUndo as refusal:
            report.left[user_id] = refusal.skipped
        except Refusal as refusal:
            report.refused[user_id] = refusal
        except DatabaseError as error:
            # Somebody has had the user's counters for seconds, a meditation perhaps: the others do not wait for that.
            outage = outage_behind(error)
            if not isinstance(outage, DatabaseBusy):
                raise
            report.refused[user_id] = outage
    if not (report.undone or report.refused):
        raise NothingToUndo(sum(report.left.values(), Counter()))
    with transaction.atomic():
        subject = Subject("meditation", str(run_id))
        trail.record(ACTION, subject=subject, actor=actor, now=tell_time(), after=report.facts(), why=why)
    return report


def _undo(run_id: UUID, *, user_id: UUID, item_ids: list[UUID] | None, actor: Actor, why: Why, now: datetime) -> Undone:
    with transaction.atomic():
        tiers = quotas.lock(user_id, now=now)
        selections.require_kept(user_id)
        decided = _decided(run_id, user_id=user_id, item_ids=item_ids, now=now)
        skipped = _skipped(decided, item_ids)
        fit = [one for one in decided if one.skip is None]
        if not fit:
            raise NothingToUndo(skipped)
        way_back = _way_back(fit)
        _require_room(way_back, tiers)
        _mark(fit, actor=actor, now=now)
        before = {str(tier): selections.measured(tiers[tier]) for tier in way_back.tiers}
        archive.demote(way_back.demoted, user_id=user_id, now=now)
        archive.bring_back(way_back.restored, user_id=user_id, now=now)
        after = _facts(run_id, way_back.items, skipped)
        subject = Subject("user", str(user_id))
        trail.record(ACTION, subject=subject, actor=actor, now=now, before=before, after=after, why=why)
    return Undone(user_id, len(fit), after["size_bytes"], skipped)


def _finished(run_id: UUID) -> MeditationRun:
    run = MeditationRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NoSuchRun
    if run.state in UNFINISHED:
        raise RunUnfinished(run)
    return run


def _decided(run_id: UUID, *, user_id: UUID, item_ids: list[UUID] | None, now: datetime) -> list[Decided]:
    parameters = {"run_id": run_id, "user_id": user_id, "item_ids": item_ids, "now": now}
    rows = statements.fetch_all(statement(__file__, "decided_in_run"), parameters)
    return [Decided(row[0], row[1], row[2], Skip(row[3]) if row[3] else None) for row in rows]


def _skipped(decided: Sequence[Decided], item_ids: list[UUID] | None) -> Counter[Skip]:
    skipped = Counter(one.skip for one in decided if one.skip)
    unknown = set(item_ids or ()) - {one.item_id for one in decided}
    return skipped + Counter({Skip.UNDECIDED: len(unknown)})


def _way_back(fit: Sequence[Decided]) -> WayBack:
    """The items, locked behind the counters."""
    promoted = {one.item_id for one in fit if one.was_promoted}
    chosen = MemoryItem.objects.select_for_update().filter(pk__in=[one.item_id for one in fit])
    items = list(chosen.only(*COLUMNS).order_by("pk"))
    return WayBack(
        demoted=[item for item in items if item.pk in promoted],
        restored=[item for item in items if item.pk not in promoted],
    )


def _require_room(way_back: WayBack, tiers: Mapping[Tier, TierUsage]) -> None:
    """Refuse with all tiers that are too full. What leaves long-term makes room there for what comes back to it."""
    leaving_bytes = sum(item.size_bytes for item in way_back.demoted if item.state == ItemState.ACTIVE)
    long_term = tiers[Tier.LONG_TERM]
    then = {**tiers, Tier.LONG_TERM: replace(long_term, active_bytes=long_term.active_bytes - leaving_bytes)}
    needed = Counter({Tier.SHORT_TERM: sum(item.size_bytes for item in way_back.demoted)})
    for item in way_back.restored:
        needed[Tier(item.tier)] += item.size_bytes
    if shortages := selections.too_full(+needed, then):
        raise NoRoomToRestore(shortages)


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
