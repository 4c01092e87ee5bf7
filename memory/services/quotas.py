"""Where bytes are counted: every change of a usage counter, and the refusals when there is no room.

The counter changes in the statement or the transaction that moves the items. One conditional statement takes the room
and fails when there is none; reading the sum first and inserting afterwards would be a race.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from kimberly.db import statements
from kimberly.lib import bytesize, clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Kind, Refusal
from kimberly.lib.sql import statement
from memory.models import UsageCounter
from memory.queries import nightly, usage
from memory.queries.usage import TierUsage
from memory.rules.limits import LimitSource
from memory.rules.tiers import Tier
from memory.services.drafts import Draft

TRIES = 3  # A write that was refused, though room came free before the refusal's figures were read, is tried again.
ASK_OPERATORS = "Ask the operators to raise the limit for a while, or move the user to a larger plan."
SHIFTED = ("active_bytes", "active_items", "archived_bytes", "archived_items")


class QuotaExceeded(Refusal):
    """A write needs more bytes than its tier has left. Nothing was stored."""

    slug = "quota-exceeded"
    kind = Kind.TOO_LARGE
    title = "There is no room for this in the tier."
    explanation = (
        "The user's tier has no room for what was sent. Nothing was stored. `limit_source` says whether the limit is "
        "the plan's or that of a temporary override. `next_meditation_at` is when memories are archived next where a "
        "tier is above its soft limit; null: no meditation is scheduled."
    )

    def __init__(
        self,
        tier: TierUsage,
        *,
        needed_bytes: int,
        others: Mapping[Tier, TierUsage],
        next_meditation_at: datetime | None = None,
    ) -> None:
        super().__init__(tier.tier, needed_bytes)
        self.tier = tier
        self.needed_bytes = needed_bytes
        self.others = others
        self.next_meditation_at = next_meditation_at

    @property
    def detail(self) -> str:
        source = "a temporary override" if self.tier.limit_source is LimitSource.OVERRIDE else "the plan"
        needed, free, limit = map(bytesize.human, (self.needed_bytes, self.tier.room_bytes, self.tier.limit_bytes))
        return f"No room in {self.tier.tier}: needs {needed}, {free} are free. Limit {limit} from {source}."

    def facts(self) -> dict[str, Any]:
        return {
            "tier": str(self.tier.tier),
            "used_bytes": self.tier.active_bytes,
            "limit_bytes": self.tier.limit_bytes,
            "needed_bytes": self.needed_bytes,
            "room_bytes": self.tier.room_bytes,
            "limit_source": str(self.tier.limit_source),
            "limit_ends_at": clock.spelled(self.tier.override_ends_at) if self.tier.override_ends_at else None,
            "next_meditation_at": clock.spelled(self.next_meditation_at) if self.next_meditation_at else None,
        }

    def remedies(self) -> list[str]:
        helps = [f"Delete items of {self.tier.tier} that are not needed: their room is free at once."]
        for tier, other in self.others.items():
            if tier is not self.tier.tier and other.room_bytes >= self.needed_bytes:
                helps.append(f"Store it in {tier}, where {bytesize.human(other.room_bytes)} are free.")
        if self.needed_bytes > self.tier.limit_bytes:
            return [*helps, "Split it: it is larger than the whole tier.", ASK_OPERATORS]
        if self.next_meditation_at and self.tier.is_over_soft and self.tier.tier is not Tier.PERMANENT:
            at = clock.spelled(self.next_meditation_at)
            helps.append(f"Wait for the meditation at {at}: it archives what is worth least above the soft limit.")
        helps.append("Make a prune plan: it shows what is worth least, archives exactly that, and can be undone.")
        return [*helps, ASK_OPERATORS]


class UserSuspended(Refusal):
    """The user may not write or query now; listing, exporting and deleting go on."""

    slug = "user-suspended"
    kind = Kind.FORBIDDEN
    title = "This user is suspended: no writes and no queries. Listing, exporting and deleting go on."


class UserGone(Refusal):
    """There is no such user, or not for this key."""

    slug = "user-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such user."

    def remedies(self) -> list[str]:
        return ["Make the user: PUT /api/v1/users/{user_id}; the first memory that is written makes one too."]


@dataclass(frozen=True, slots=True)
class Room:
    """A tier after room was taken in it."""

    tier: Tier
    used_bytes: int
    items: int
    soft_bytes: int
    limit_bytes: int

    @property
    def is_over_soft(self) -> bool:
        return self.used_bytes > self.soft_bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """An item that was just stored, and what its tier looks like with it."""

    id: UUID
    draft: Draft
    expires_at: datetime | None
    room: Room


def store_within_limit(draft: Draft, *, user_id: UUID, created_by: Actor, now: datetime) -> Stored:
    """Insert the item when its tier has room, or raise QuotaExceeded, UserSuspended or UserGone and change nothing."""
    parameters = {
        "user_id": user_id,
        "tier": str(draft.tier),
        "content": draft.content,
        "metadata": draft.metadata_json,
        "size_bytes": draft.size_bytes,
        "protected": draft.protected,
        "created_at": draft.created_at or now,
        "now": now,
        "created_by": str(created_by),
        "embedding": draft.embedded.vector if draft.embedded else None,
        "embedding_model": draft.embedded.model if draft.embedded else None,
    }
    for _ in range(TRIES):
        row = statements.fetch_one(statement(__file__, "store_item"), parameters)
        if row is None:
            raise UserGone
        state, soft_bytes, limit_bytes, used_bytes, items, item_id, expires_at = row
        if item_id is not None:
            room = Room(draft.tier, used_bytes, items, soft_bytes, limit_bytes)
            return Stored(item_id, draft, expires_at, room)
        if state != "active":
            raise UserSuspended
        refusal = refusal_of(user_id, draft.tier, needed_bytes=draft.size_bytes, now=now)
        if refusal.tier.room_bytes < draft.size_bytes:
            break
    raise refusal


def refusal_of(user_id: UUID, tier: Tier, *, needed_bytes: int, now: datetime) -> QuotaExceeded:
    """The refusal with the figures as they are now."""
    tiers = usage.of_user(user_id, now=now)
    if tier not in tiers:
        raise UserGone
    due_at = nightly.next_at(now=now)
    return QuotaExceeded(tiers[tier], needed_bytes=needed_bytes, others=tiers, next_meditation_at=due_at)


def open_counters(user_id: UUID) -> None:
    """Give a new user its three counters."""
    UsageCounter.objects.bulk_create([UsageCounter(user_id=user_id, tier=tier) for tier in Tier], ignore_conflicts=True)


def hold(user_id: UUID) -> None:
    """Lock the user's counters, always in the same order, until the transaction ends.

    Whatever changes an item that is there already holds the counters first: counters, then items, everywhere, so that
    no two calls wait for each other.
    """
    counters = UsageCounter.objects.select_for_update().filter(user_id=user_id).order_by("tier")
    if not list(counters.values_list("tier", flat=True)):
        raise UserGone


def lock(user_id: UUID, *, now: datetime) -> dict[Tier, TierUsage]:
    """Hold the user's counters; gives what they say."""
    hold(user_id)
    return usage.of_user(user_id, now=now)


def take_room(user_id: UUID, tier: Tier, *, more_bytes: int, more_items: int, now: datetime) -> None:
    """Count bytes and items that become active, or raise QuotaExceeded. Fewer bytes than before always fit."""
    parameters = {"user_id": user_id, "tier": str(tier), "bytes": more_bytes, "items": more_items, "now": now}
    if statements.fetch_one(statement(__file__, "take_room"), parameters) is None:
        raise refusal_of(user_id, tier, needed_bytes=more_bytes, now=now)


def move_to_archive(user_id: UUID, tier: Tier, *, size_bytes: int, items: int = 1) -> None:
    """Active becomes archived: the room is free at once."""
    _shift(user_id, tier, active=(-size_bytes, -items), archived=(size_bytes, items))


def leave_archive(user_id: UUID, tier: Tier, *, size_bytes: int, items: int = 1) -> None:
    """Archived items were purged, or became active again (whose room `take_room` counts)."""
    _shift(user_id, tier, active=(0, 0), archived=(-size_bytes, -items))


def release(user_id: UUID, tier: Tier, *, size_bytes: int, items: int = 1) -> None:
    """Active items were purged."""
    _shift(user_id, tier, active=(-size_bytes, -items), archived=(0, 0))


@dataclass(frozen=True, slots=True)
class Shift:
    """What one counter gains, or loses, where many are changed at once."""

    user_id: UUID
    tier: Tier
    active_bytes: int = 0
    active_items: int = 0
    archived_bytes: int = 0
    archived_items: int = 0


def hold_all(user_ids: Sequence[UUID]) -> None:
    """Lock the counters of many users, always in the same order, until the transaction ends."""
    counters = UsageCounter.objects.select_for_update().filter(user_id__in=user_ids).order_by("user_id", "tier")
    list(counters.values_list("tier", flat=True))


def shift_all(shifts: Sequence[Shift]) -> None:
    """Change the counters of many users, which the caller holds, in one statement."""
    columns = {name: [getattr(shift, name) for shift in shifts] for name in SHIFTED}
    columns |= {"user_ids": [shift.user_id for shift in shifts], "tiers": [str(shift.tier) for shift in shifts]}
    if shifts:
        statements.execute(statement(__file__, "shift_counters"), columns)


def set_counter(user_id: UUID, tier: Tier, figures: Mapping[str, int]) -> None:
    """Put a drifted counter right; only the reconcile does this, under the user's lock."""
    UsageCounter.objects.filter(user_id=user_id, tier=tier).update(**figures)


def note_change(user_id: UUID) -> None:
    """Say that the user's items changed, though not their bytes: what was read before is old."""
    UsageCounter.objects.filter(user_id=user_id, tier=Tier.LONG_TERM).update(writes=F("writes") + 1)


def _shift(user_id: UUID, tier: Tier, *, active: tuple[int, int], archived: tuple[int, int]) -> None:
    changed = UsageCounter.objects.filter(user_id=user_id, tier=tier).update(
        active_bytes=F("active_bytes") + active[0],
        active_items=F("active_items") + active[1],
        archived_bytes=F("archived_bytes") + archived[0],
        archived_items=F("archived_items") + archived[1],
        writes=F("writes") + 1,
    )
    if not changed:
        raise UserGone


def sizes_by_tier(drafts: Sequence[Draft]) -> dict[Tier, tuple[int, int]]:
    """Bytes and items that the drafts need in each tier, in the order in which counters are locked."""
    sums = dict.fromkeys(sorted({draft.tier for draft in drafts}), (0, 0))
    for draft in drafts:
        size_bytes, items = sums[draft.tier]
        sums[draft.tier] = (size_bytes + draft.size_bytes, items + 1)
    return sums
