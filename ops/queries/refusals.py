"""Refusals as support reads them: what was refused, and why, in the figures of that moment."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.lib import bytesize, clock
from kimberly.web.pagination import Order
from memory.models import MemoryUser, Refusal, Throttle
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.tiers import Purpose, Tier
from ops import refusalwhys, telling, words
from ops.queries import keyset
from ops.queries.keyset import Page
from ops.queries.measures import MeasureRow

NEWEST_FIRST = Order("refused", "refused_at", descending=True, kind=datetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """One refusal, or the refusals of one rule and minute. `why` and `context` are sentences.

    `because` are the figures of that moment, names and values; `helps` says what would have made it fit.
    """

    user: MemoryUser
    kind: RefusalKind
    tier: str
    why: str
    context: str
    client: str
    request_id: str
    times: int
    refused_at: datetime
    last_refused_at: datetime
    because: tuple[tuple[str, str], ...]
    helps: tuple[str, ...]
    missing_bytes: int
    """What a prune would have had to free; 0 where no prune helps."""


@dataclass(frozen=True, slots=True)
class _Brake:
    """What a refusal tells of the throttle that held the call back."""

    scope: str
    ends_at: datetime
    owner: str
    planned_end_at: datetime
    public_id: str
    reason: str


def of_user(
    user_id: UUID,
    *,
    measures: Sequence[MeasureRow],
    now: datetime,
    cursor: str = "",
    size: int = keyset.PAGE_ROWS,
) -> Page[RefusalRow]:
    """The user's refusals, newest first. `measures` are the user's own, which need not be read again."""
    return _page(Refusal.objects.filter(user_id=user_id), _known(measures), now=now, cursor=cursor, size=size)


def of_customers(
    *,
    kind: RefusalKind | None,
    tier: Tier | None,
    now: datetime,
    cursor: str = "",
    size: int = keyset.PAGE_ROWS,
) -> Page[RefusalRow]:
    """All customers' refusals, newest first, of this kind and tier where given."""
    rows = Refusal.objects.filter(user__purpose=Purpose.CUSTOMER)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if tier is not None:
        rows = rows.filter(tier=tier)
    return _page(rows, {}, now=now, cursor=cursor, size=size)


def _page(
    rows: QuerySet[Refusal], known: dict[str, _Brake], *, now: datetime, cursor: str, size: int
) -> Page[RefusalRow]:
    found = keyset.page(rows.select_related("user", "client"), NEWEST_FIRST, cursor=cursor, size=size)
    return Page(_told(found.rows, known, now), found.next_cursor)


def told(refusals: Sequence[Refusal], *, measures: Sequence[MeasureRow], now: datetime) -> list[RefusalRow]:
    """One user's refusals in words, in the order given; their users and clients come with them."""
    return _told(refusals, _known(measures), now)


def _told(refusals: Sequence[Refusal], known: dict[str, _Brake], now: datetime) -> list[RefusalRow]:
    brakes = known | _read(refusals, known)
    return [_row(refusal, brakes, now) for refusal in refusals]


def _known(measures: Sequence[MeasureRow]) -> dict[str, _Brake]:
    return {
        str(row.id): _Brake(row.scope, row.ends_at, row.owner, row.planned_end_at, row.public_id, row.reason)
        for row in measures
        if row.scope
    }


def _read(refusals: Sequence[Refusal], known: Collection[str]) -> dict[str, _Brake]:
    """The throttles that are not known yet: those of clients and tiers, and on lists all."""
    keys = {refusal.source_id for refusal in refusals if refusal.kind == RefusalKind.THROTTLE} - set(known)
    found = Throttle.objects.filter(pk__in=[UUID(key) for key in keys]) if keys else ()
    return {str(row.pk): _brake(row) for row in found}


def _brake(row: Throttle) -> _Brake:
    owner = row.created_by_label or row.created_by
    return _Brake(row.scope, row.period.upper, owner, row.planned_end_at, row.public_id, row.reason)


def _row(refusal: Refusal, brakes: dict[str, _Brake], now: datetime) -> RefusalRow:
    kind = RefusalKind(refusal.kind)
    brake = brakes.get(refusal.source_id)
    why, context = _why(kind, refusal, brake, now)
    facts: dict[str, Any] = {name: getattr(refusal, name) for name in ("request_id", "times", "refused_at")}
    return RefusalRow(
        user=refusal.user,
        kind=kind,
        tier=refusal.tier or "all",
        why=why,
        context=context,
        client=refusal.client.name if refusal.client else "",
        last_refused_at=refusal.last_refused_at,
        because=tuple(refusalwhys.figures(refusal, brake)),
        helps=tuple(refusalwhys.helps(refusal, brake, now)),
        missing_bytes=refusalwhys.missing_bytes(refusal),
        **facts,
    )


def _why(kind: RefusalKind, refusal: Refusal, brake: _Brake | None, now: datetime) -> tuple[str, str]:
    """The reason in a sentence, and where it comes from."""
    if kind is RefusalKind.QUOTA:
        return _no_room(refusal), _limit(refusal)
    if kind is RefusalKind.THROTTLE:
        return _braked(refusal, brake), _by_whom(brake, now)
    if kind is RefusalKind.RATE:
        return _too_fast(refusal), "the plan's rate for each user"
    return "Suspended: no writes and no queries", "listing and deleting go on"


def _no_room(refusal: Refusal) -> str:
    needed, room = bytesize.human(refusal.needed_bytes or 0), bytesize.human(refusal.room_bytes or 0)
    return f"No room: needs {needed}, {room} are free"


def _limit(refusal: Refusal) -> str:
    limit = bytesize.human(refusal.limit_bytes or 0)
    return f"limit {limit} {telling.limit_from(refusal.source, refusal.source_id)}"


def _braked(refusal: Refusal, brake: _Brake | None) -> str:
    scope = brake.scope if brake else "all"
    if refusal.limit_per_minute is None:
        return f"Throttled: {words.blocked(scope)}"
    return f"Throttled: more than {words.rate(scope, refusal.limit_per_minute)}"


def _by_whom(brake: _Brake | None, now: datetime) -> str:
    return f"until {clock.time_of_day(brake.ends_at, now)}, set by {brake.owner}" if brake else ""


def _too_fast(refusal: Refusal) -> str:
    scope = refusal.source_id if refusal.source_id in set(ThrottleScope) else "all"
    return f"Too fast: more than {words.rate(scope, refusal.limit_per_minute or 0)}"
