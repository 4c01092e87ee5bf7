"""What the state machine of plans knows of one user, in plain Python: items, limits, plans, what becomes of them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from memory.rules.plans import LIFE, USUAL_SCOPE, ItemOutcome
from memory.rules.selections import Skip
from memory.rules.tiers import Tier

HARD_BYTES, ARCHIVE_BYTES = 1_500, 1_800
GRACE = timedelta(days=30)


@dataclass
class Kept:
    """One item."""

    id: UUID
    tier: Tier
    size: int
    protected: bool = False
    state: str = "active"
    version: int = 1
    archived_at: datetime | None = None

    def is_archived(self, now: datetime) -> None:
        self.state, self.archived_at, self.version = "archived", now, self.version + 1

    def is_back(self) -> None:
        self.state, self.archived_at, self.version = "active", None, self.version + 1


@dataclass
class Planned:
    """One item of a plan as it was frozen, and what became of it."""

    item: Kept
    version: int
    size: int
    outcome: ItemOutcome | None = None
    left_version: int | None = None


@dataclass
class Plan:
    """A plan: `untouched` while nothing has changed since it was made."""

    id: UUID
    made_at: datetime
    rows: list[Planned]
    used_after: dict[Tier, int]
    state: str = "frozen"
    untouched: bool = True

    def is_stale(self, now: datetime) -> bool:
        return now >= self.made_at + LIFE

    def took(self) -> list[Planned]:
        return [row for row in self.rows if row.outcome is ItemOutcome.ARCHIVED]


@dataclass
class World:
    """One user's memories."""

    now: datetime
    items: dict[UUID, Kept] = field(default_factory=dict)
    overrides: dict[Tier, tuple[int, datetime]] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)

    def changes(self) -> None:
        """Something other than a plan's own application happened."""
        for plan in self.plans:
            plan.untouched = False

    def limit(self, tier: Tier) -> int:
        hard_bytes, ends_at = self.overrides.get(tier, (0, self.now))
        return hard_bytes if ends_at > self.now else HARD_BYTES

    def sum_of(self, tier: Tier, state: str) -> int:
        return sum(item.size for item in self.items.values() if item.tier == tier and item.state == state)

    def figures(self, tier: Tier) -> tuple[int, int, int, int]:
        """Active bytes and items, archived bytes and items."""
        states = Counter(item.state for item in self.items.values() if item.tier == tier)
        return (self.sum_of(tier, "active"), states["active"], self.sum_of(tier, "archived"), states["archived"])

    def fits(self, tier: Tier, more: int) -> bool:
        return more <= 0 or self.sum_of(tier, "active") + more <= self.limit(tier)

    def candidates(self, tier: Tier | None) -> list[Kept]:
        """What a plan of this scope may take."""
        tiers = USUAL_SCOPE if tier is None else (tier,)
        return [one for one in self.items.values() if one.tier in tiers and one.state == "active" and not one.protected]

    def would_push_out(self, item: Kept) -> list[Kept] | None:
        """What goes for good when the item is archived; None when protected ones leave no room."""
        over = self.sum_of(item.tier, "archived") + item.size - ARCHIVE_BYTES
        kept = [one for one in self.items.values() if one.tier == item.tier and one.state == "archived"]
        there = sorted(((one.archived_at, one.id, one) for one in kept if not one.protected), key=lambda row: row[:2])
        if not item.protected:
            there = sorted([*there, (self.now, item.id, item)], key=lambda row: row[:2])
        out: list[Kept] = []
        for _, _, one in there:
            if over <= 0:
                break
            out.append(one)
            over -= one.size
        return None if over > 0 else out

    def delete(self, item: Kept, out: list[Kept]) -> None:
        item.is_archived(self.now)
        for one in out:
            one.state, one.archived_at = "purged", None

    def apply(self, plan: Plan) -> None:
        for row in plan.rows:
            row.outcome = self.outcome(row)
            if row.outcome is ItemOutcome.ARCHIVED:
                row.item.is_archived(self.now)
                row.left_version = row.item.version
        plan.state = "applied"

    def outcome(self, row: Planned) -> ItemOutcome:
        if row.item.state == "purged":
            return ItemOutcome.GONE
        if row.item.state == "archived":
            return ItemOutcome.AWAY
        if row.item.protected:
            return ItemOutcome.PROTECTED
        return ItemOutcome.ARCHIVED if row.item.version == row.version else ItemOutcome.CHANGED

    def obstacles(self, plan: Plan) -> Counter[Skip]:
        """What stands against undoing it; what is back already does not."""
        found: Counter[Skip] = Counter()
        for row in plan.took():
            item = row.item
            if item.state == "purged":
                found[Skip.GONE] += 1
            elif item.state == "archived" and item.version != row.left_version:
                found[Skip.CHANGED] += 1
            elif item.archived_at is not None and self.now >= item.archived_at + GRACE:
                found[Skip.LATE] += 1
        return found

    def shortages(self, plan: Plan) -> dict[Tier, int]:
        """Tiers into which what it took does not fit, with the bytes needed."""
        needed = {tier: sum(row.size for row in self.lying(plan) if row.item.tier == tier) for tier in Tier}
        return {tier: size for tier, size in needed.items() if size and not self.fits(tier, size)}

    def lying(self, plan: Plan) -> list[Planned]:
        return [row for row in plan.took() if row.item.state == "archived"]

    def undo(self, plan: Plan) -> int:
        back = self.lying(plan)
        for row in back:
            row.item.is_back()
        plan.state = "undone"
        return len(back)
