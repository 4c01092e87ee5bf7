"""What will be made, before anything is made: people, and what happens to each of them, as plain values.

A place is the number of a memory among all that its person's clients wrote, from 0 on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from memory.rules.tiers import Tier


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory as a client sends it."""

    tier: Tier
    content: str
    metadata: dict[str, Any]
    created_at: datetime
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A client sends memories in one call; what does not fit is refused, the rest is stored."""

    at: datetime
    client: str
    memories: tuple[Memory, ...]
    first_place: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """A client deletes a memory: it goes to the archive."""

    at: datetime
    place: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A query returned these memories, best first."""

    at: datetime
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rated:
    """A client says of a memory whether it helped, or how much it matters; one of the two."""

    at: datetime
    place: int
    helpful: bool | None
    emotional_weight: float | None


@dataclass(frozen=True, slots=True)
class GoalSet:
    """A client sets what the person works towards."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """The person moves to another plan."""

    at: datetime
    plan: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """Who of the staff orders something, and why."""

    by: str
    reason: str
    ticket: str


@dataclass(frozen=True, slots=True)
class QuotaRaised:
    """Staff gives a tier another limit for a time."""

    at: datetime
    ends_at: datetime
    tier: Tier
    hard_bytes: int
    order: Ordered


@dataclass(frozen=True, slots=True)
class Throttled:
    """Staff brakes the person's writes for a time; None blocks them."""

    at: datetime
    ends_at: datetime
    per_minute: int | None
    order: Ordered


@dataclass(frozen=True, slots=True)
class ThrottleLifted:
    """Staff ends the newest throttle before its time."""

    at: datetime
    order: Ordered


@dataclass(frozen=True, slots=True)
class Suspended:
    """Staff stops all writes and queries of the person."""

    at: datetime
    order: Ordered


@dataclass(frozen=True, slots=True)
class Noted:
    """Staff writes down what colleagues should know; the order's reason is the note."""

    at: datetime
    order: Ordered


@dataclass(frozen=True, slots=True)
class Protected:
    """Staff keeps memories, by their places, from every automatic process."""

    at: datetime
    places: tuple[int, ...]
    order: Ordered


@dataclass(frozen=True, slots=True)
class DeletedAndUndone:
    """Staff deletes memories, by their places, and takes it back some minutes later."""

    at: datetime
    undone_at: datetime
    places: tuple[int, ...]
    order: Ordered


@dataclass(frozen=True, slots=True)
class Pruned:
    """Staff plans a prune for a share of a tier; a lead applies it, and undoes it, where those times are given."""

    at: datetime
    tier: Tier
    share: float
    order: Ordered
    applied_at: datetime | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A client's calls that the throttle, or the suspension, turned away within one minute."""

    at: datetime
    client: str
    times: int


@dataclass(frozen=True, slots=True)
class ToppedUp:
    """A client goes on sending these until a tier is as full as before the night's meditation: this share of its limit.

    How many it takes shows only then; the last one is cut to what is missing.
    """

    at: datetime
    client: str
    memories: tuple[Memory, ...]
    tier: Tier
    limit_bytes: int
    share: float


NIGHT_HOUR, MEDITATED_WITHIN = 2, timedelta(minutes=20)


def last_night(now: datetime) -> datetime:
    """The last 02:00 UTC whose meditation has surely ended."""
    night = now.astimezone(UTC).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night <= now - MEDITATED_WITHIN else night - timedelta(days=1)


Deed = (
    Written
    | ToppedUp
    | Deleted
    | Asked
    | Rated
    | GoalSet
    | PlanChanged
    | QuotaRaised
    | Throttled
    | ThrottleLifted
    | Suspended
    | Noted
    | Protected
    | DeletedAndUndone
    | HeldBack
    | Pruned
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose memories are kept, with all that happened, in order of time."""

    external_id: str
    display_name: str
    email: str
    plan: str
    time_zone: str
    language: str
    registered_at: datetime
    client: str
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of staff."""

    username: str
    first_name: str
    last_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything."""

    began_at: datetime
    night: datetime
    """When the last meditation before now was due."""
    clients: tuple[str, ...]
    staff: tuple[Colleague, ...]
    people: tuple[Person, ...]
