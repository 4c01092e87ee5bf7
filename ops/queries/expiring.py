"""What ends next by itself: the throttles and raises in force, of everybody."""

from dataclasses import dataclass
from datetime import datetime

from kimberly.lib import bytesize, ids
from memory.models import QuotaOverride, Throttle
from ops import words
from ops.queries.measures import Sort

SOONEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One measure in force. `whom` is a user's name, a client's, or a tier of all users; only a user has an id here."""

    measure: Throttle | QuotaOverride
    sort: Sort
    says: str
    whom: str
    user_public_id: str
    owner: str

    @property
    def ends_at(self) -> datetime:
        ends_at: datetime = self.measure.period.upper
        return ends_at


def soonest(*, now: datetime, size: int) -> list[Ending]:
    """Throttles and raises in force, the one that ends first in front."""
    throttles = Throttle.objects.filter(period__contains=now).select_related("user", "client")
    overrides = QuotaOverride.objects.filter(period__contains=now).select_related("user")
    found = [
        *map(_of_throttle, throttles.order_by("period__endswith", "pk")[:size]),
        *map(_of_override, overrides.order_by("period__endswith", "pk")[:size]),
    ]
    return sorted(found, key=lambda ending: (ending.ends_at, ending.measure.public_id))[:size]


def _of_throttle(row: Throttle) -> Ending:
    whom = str(row.user or row.client or f"everybody’s {row.tier}")
    return Ending(
        measure=row,
        sort=Sort.THROTTLE,
        says=words.brake(row.scope, row.per_minute),
        whom=whom,
        user_public_id=ids.encode(ids.Prefix.USER, row.user_id) if row.user_id else "",
        owner=row.created_by_label or row.created_by,
    )


def _of_override(row: QuotaOverride) -> Ending:
    return Ending(
        measure=row,
        sort=Sort.RAISE,
        says=f"{row.tier} at {bytesize.human(row.hard_bytes)}",
        whom=str(row.user),
        user_public_id=ids.encode(ids.Prefix.USER, row.user_id),
        owner=row.created_by_label or row.created_by,
    )
