"""Why a call was refused, in the figures that were kept with it, and what would have helped."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from kimberly.lib import bytesize, clock
from memory.models import Refusal
from memory.queries import nightly
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.tiers import Tier
from ops import telling, words


class Brake(Protocol):
    """What is known of the throttle that held a call back."""

    @property
    def scope(self) -> str: ...

    @property
    def owner(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def public_id(self) -> str: ...

    @property
    def planned_end_at(self) -> datetime: ...


def figures(refusal: Refusal, brake: Brake | None) -> Iterator[tuple[str, str]]:
    """Names and values, as they were at that moment."""
    if refusal.kind == RefusalKind.QUOTA:
        yield from _of_quota(refusal)
    elif refusal.limit_per_minute is not None:
        scope = brake.scope if brake else _scope_of(refusal)
        yield "Limit", f"{words.rate(scope, refusal.limit_per_minute)}, {_source_of(refusal, brake)}"
    elif refusal.kind == RefusalKind.THROTTLE:
        yield "Limit", f"{words.blocked(brake.scope if brake else 'all')}, {_source_of(refusal, brake)}"
    else:
        yield "State", "suspended"
    if brake is not None:
        yield "Its reason", brake.reason


def helps(refusal: Refusal, brake: Brake | None, now: datetime) -> Iterator[str]:
    """What would have let the call pass, the least first."""
    if refusal.kind == RefusalKind.QUOTA:
        yield from _room(refusal, now)
    elif refusal.kind == RefusalKind.THROTTLE:
        until = f", or to wait until {clock.time_of_day(brake.planned_end_at, now)}" if brake else ""
        yield f"To lift the throttle{until}."
    elif refusal.kind == RefusalKind.RATE:
        scope = _scope_of(refusal)
        yield f"To send at most {words.rate(scope, refusal.limit_per_minute or 0)}: each answer says when to try again."
        yield "A plan with a higher rate."
    else:
        yield "To resume the user."


def missing_bytes(refusal: Refusal) -> int:
    """What would have had to leave the tier for the write to fit; 0 where nothing that leaves it helps."""
    needed, limit = refusal.needed_bytes or 0, refusal.limit_bytes or 0
    is_hopeless = refusal.kind != RefusalKind.QUOTA or needed > limit
    return 0 if is_hopeless else max(0, needed - (refusal.room_bytes or 0))


def _of_quota(refusal: Refusal) -> Iterator[tuple[str, str]]:
    used, limit = refusal.used_bytes or 0, refusal.limit_bytes or 0
    share = f", {words.percent(used / limit)}" if limit else ""
    yield "Needed", bytesize.human(refusal.needed_bytes or 0)
    yield "Free", bytesize.human(refusal.room_bytes or 0)
    yield "Used", f"{bytesize.human(used)}{share}"
    yield "Limit", f"{bytesize.human(limit)} {telling.limit_from(refusal.source, refusal.source_id)}"


def _room(refusal: Refusal, now: datetime) -> Iterator[str]:
    needed, limit = refusal.needed_bytes or 0, refusal.limit_bytes or 0
    missing, enough = needed - (refusal.room_bytes or 0), (refusal.used_bytes or 0) + needed
    if needed > limit:
        yield "To split it: it is larger than the whole tier."
    else:
        yield f"To delete {bytesize.at_least(missing)} of {refusal.tier}: the room is free at once."
        yield from _meditation(refusal, now)
        yield f"A prune plan that frees {bytesize.at_least(missing)} of {refusal.tier}: what is worth least goes first."
    yield f"A raise of {refusal.tier} to {bytesize.at_least(enough)} or more."


def _meditation(refusal: Refusal, now: datetime) -> Iterator[str]:
    """Only while it is still to come: the schedule of then is not kept."""
    due_at = nightly.next_at(now=refusal.last_refused_at) if refusal.tier != Tier.PERMANENT else None
    if due_at is not None and due_at > now:
        at = clock.time_of_day(due_at, now)
        yield f"To wait for the meditation, {at}: it archives what is worth least above the soft limit."


def _scope_of(refusal: Refusal) -> str:
    return refusal.source_id if refusal.source_id in set(ThrottleScope) else "all"


def _source_of(refusal: Refusal, brake: Brake | None) -> str:
    if brake is not None:
        return f"from {brake.public_id}, set by {brake.owner}"
    return "from a throttle" if refusal.kind == RefusalKind.THROTTLE else "the plan's rate for each user"
