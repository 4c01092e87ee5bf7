"""Find users: by any of their ids, by the beginning of the client's id, or newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from kimberly.lib import ids
from kimberly.web.pagination import Order
from memory.models import MemoryItem, MemoryUser
from memory.queries import usage
from memory.queries.usage import TierUsage
from memory.rules.tiers import Purpose, Tier
from ops.models import UserNote
from ops.queries import keyset, measures, reveals
from ops.queries.keyset import Page
from ops.queries.measures import MeasureRow, Sort
from ops.queries.names import Names
from ops.queries.reveals import RevealRow

COUNTED_EXACTLY = 10_000
NEWEST_FIRST = Order("created", "created_at", descending=True, kind=datetime)
BY_EXTERNAL_ID = Order("external_id", "external_id", descending=False, kind=str)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in a list, with the usage of the three tiers."""

    user: MemoryUser
    tiers: list[TierUsage]
    throttled_until: datetime | None


def find(text: str) -> UUID | None:
    """The user whose id (usr_, or the bare UUID), external id or item's id (mem_) this is exactly."""
    if "\x00" in text:
        return None
    user_id = ids.decode(ids.Prefix.USER, text)
    if user_id is not None and MemoryUser.objects.filter(pk=user_id).exists():
        return user_id
    item_id = ids.decode(ids.Prefix.ITEM, text)
    owner = MemoryItem.objects.filter(pk=item_id).values_list("user_id", flat=True).first() if item_id else None
    return owner or MemoryUser.objects.filter(external_id=text).values_list("pk", flat=True).first()


def page(*, beginning: str = "", cursor: str = "", now: datetime) -> Page[UserRow]:
    """Customers, newest first; with a beginning those whose external id begins so, in its order."""
    rows = MemoryUser.objects.filter(purpose=Purpose.CUSTOMER)
    order = NEWEST_FIRST
    if "\x00" in beginning:
        return Page([], None)
    if beginning:
        rows, order = rows.filter(external_id__startswith=beginning), BY_EXTERNAL_ID
    found = keyset.page(rows, order, cursor=cursor)
    user_ids = [user.pk for user in found.rows]
    used = usage.of_users(user_ids, now=now)
    throttled = measures.throttled_until(user_ids, now=now)
    listed = [UserRow(user, list(used.get(user.pk, {}).values()), throttled.get(user.pk)) for user in found.rows]
    return Page(listed, found.next_cursor)


def count() -> int:
    """How many customers there are; counting stops behind 10,000."""
    return MemoryUser.objects.filter(purpose=Purpose.CUSTOMER).order_by()[: COUNTED_EXACTLY + 1].count()


@dataclass(frozen=True, slots=True)
class Profile:
    """One user with what limits and brakes them and who reads them, as every page about a user needs it."""

    user: MemoryUser
    tiers: dict[Tier, TierUsage]
    measures: list[MeasureRow]
    reveals: list[RevealRow]
    notes: int
    """How many there are."""

    @property
    def in_force(self) -> list[MeasureRow]:
        return [measure for measure in self.measures if measure.is_in_force]

    @property
    def throttles(self) -> list[MeasureRow]:
        """Those in force."""
        return [measure for measure in self.in_force if measure.sort is Sort.THROTTLE]

    @property
    def revealed(self) -> list[RevealRow]:
        """Those by which somebody reads the content at this moment."""
        return [reveal for reveal in self.reveals if reveal.is_in_force]

    @property
    def throttled_until(self) -> datetime | None:
        return max((throttle.ends_at for throttle in self.throttles), default=None)

    @property
    def items(self) -> int:
        return sum(tier.active_items for tier in self.tiers.values())


def profile(user_id: UUID, *, names: Names, now: datetime) -> Profile | None:
    """The user's profile; None when there is no such user."""
    user: Any = (
        MemoryUser.objects.select_related("plan").filter(pk=user_id).annotate(kept_notes=Coalesce(_notes(), 0)).first()
    )
    if user is None:
        return None
    return Profile(
        user,
        usage.of_user(user_id, now=now),
        measures.of_user(user_id, names=names, now=now),
        reveals.of_user(user_id, now=now),
        user.kept_notes,
    )


def _notes() -> Subquery:
    """How many notes there are about a user, in the statement that reads the user."""
    kept = UserNote.objects.filter(user_id=OuterRef("pk"), removed_at=None).order_by()
    return Subquery(kept.values("user_id").annotate(number=Count("pk")).values("number"), output_field=IntegerField())
