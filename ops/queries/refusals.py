"""Refusals as support reads them: what was refused, and why, in the figures of that moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.lib import bytesize, clock, ids
from kimberly.web.pagination import Order
from memory.models import MemoryUser, Refusal, Throttle
from memory.rules.limits import LimitSource, RefusalKind, ThrottleScope
from memory.rules.tiers import Purpose, Tier
from ops import words
from ops.queries import keyset
from ops.queries.keyset import Page

NEWEST_FIRST = Order("refused", "refused_at", descending=True, kind=datetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """One refusal, or the refusals of one rule and minute. `why` and `context` are sentences."""

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


def of_user(user_id: UUID, *, now: datetime, cursor: str = "", size: int = keyset.PAGE_ROWS) -> Page[RefusalRow]:
    """The user's refusals, newest first."""
    return _page(Refusal.objects.filter(user_id=user_id), now=now, cursor=cursor, size=size)


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
    return _page(rows, now=now, cursor=cursor, size=size)


def _page(rows: QuerySet[Refusal], *, now: datetime, cursor: str, size: int) -> Page[RefusalRow]:
    found = keyset.page(rows.select_related("user", "client"), NEWEST_FIRST, cursor=cursor, size=size)
    throttles = _throttles_of(found.rows)
    return Page([_row(refusal, throttles, now) for refusal in found.rows], found.next_cursor)


def _throttles_of(refusals: Sequence[Refusal]) -> dict[str, Throttle]:
    keys = {refusal.source_id for refusal in refusals if refusal.kind == RefusalKind.THROTTLE}
    found = Throttle.objects.filter(pk__in=[UUID(key) for key in keys]) if keys else ()
    return {str(throttle.pk): throttle for throttle in found}


def _row(refusal: Refusal, throttles: dict[str, Throttle], now: datetime) -> RefusalRow:
    kind = RefusalKind(refusal.kind)
    why, context = _why(kind, refusal, throttles.get(refusal.source_id), now)
    facts: dict[str, Any] = {name: getattr(refusal, name) for name in ("request_id", "times", "refused_at")}
    return RefusalRow(
        user=refusal.user,
        kind=kind,
        tier=refusal.tier or "all",
        why=why,
        context=context,
        client=refusal.client.name if refusal.client else "",
        last_refused_at=refusal.last_refused_at,
        **facts,
    )


def _why(kind: RefusalKind, refusal: Refusal, throttle: Throttle | None, now: datetime) -> tuple[str, str]:
    """The reason in a sentence, and where it comes from."""
    if kind is RefusalKind.QUOTA:
        return _no_room(refusal), _limit(refusal)
    if kind is RefusalKind.THROTTLE:
        return _braked(refusal, throttle), _by_whom(throttle, now)
    if kind is RefusalKind.RATE:
        return _too_fast(refusal), "the plan's rate for each user"
    return "Suspended: no writes and no queries", "listing and deleting go on"


def _no_room(refusal: Refusal) -> str:
    needed, room = bytesize.human(refusal.needed_bytes or 0), bytesize.human(refusal.room_bytes or 0)
    return f"No room: needs {needed}, {room} are free"


def _limit(refusal: Refusal) -> str:
    limit = bytesize.human(refusal.limit_bytes or 0)
    if refusal.source == LimitSource.OVERRIDE:
        return f"limit {limit} from the raise {ids.encode(ids.Prefix.OVERRIDE, UUID(refusal.source_id))}"
    return f"limit {limit} from the {refusal.source_id} plan"


def _braked(refusal: Refusal, throttle: Throttle | None) -> str:
    scope = throttle.scope if throttle else "all"
    if refusal.limit_per_minute is None:
        return f"Throttled: {words.blocked(scope)}"
    return f"Throttled: more than {words.rate(scope, refusal.limit_per_minute)}"


def _by_whom(throttle: Throttle | None, now: datetime) -> str:
    if throttle is None:
        return ""
    owner = throttle.created_by_label or throttle.created_by
    return f"until {clock.time_of_day(throttle.period.upper, now)}, set by {owner}"


def _too_fast(refusal: Refusal) -> str:
    scope = refusal.source_id if refusal.source_id in set(ThrottleScope) else "all"
    return f"Too fast: more than {words.rate(scope, refusal.limit_per_minute or 0)}"
