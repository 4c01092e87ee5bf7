"""Find users: by any of their ids, by what is unusual about them, or newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from kimberly.lib import ids
from kimberly.web.pagination import Order
from kimberly.web.requestid import MADE_HERE
from memory.models import MemoryItem, MemoryUser, PrunePlan, QuotaOverride, Refusal, Throttle
from memory.queries import standing, usage
from memory.queries.standing import Asked
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


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in a list, with the usage of the three tiers."""

    user: MemoryUser
    tiers: list[TierUsage]
    throttled_until: datetime | None


def find(text: str) -> UUID | None:
    """The user whose id (usr_, or the bare UUID), external id or only e-mail this is exactly, or whose item (mem_),
    throttle (thr_), raise (ovr_), prune plan (plan_) or refused call (req_, as its answer said) has this id."""
    if "\x00" in text:
        return None
    for prefix, rows, column in _BY_ID:
        key = ids.decode(prefix, text.lower())
        owner: UUID | None = rows.filter(pk=key).values_list(column, flat=True).first() if key else None
        if owner is not None:
            return owner
    named = MemoryUser.objects.filter(external_id=text).values_list("pk", flat=True).first()
    return named or _only_one_with_email(text) or _refused_in(text)


_BY_ID: tuple[tuple[ids.Prefix, QuerySet[Any], str], ...] = (
    (ids.Prefix.USER, MemoryUser.objects.all(), "pk"),
    (ids.Prefix.ITEM, MemoryItem.objects.all(), "user_id"),
    (ids.Prefix.THROTTLE, Throttle.objects.all(), "user_id"),
    (ids.Prefix.OVERRIDE, QuotaOverride.objects.all(), "user_id"),
    (ids.Prefix.PLAN, PrunePlan.objects.all(), "user_id"),
)


def _only_one_with_email(text: str) -> UUID | None:
    """An e-mail is no id: several users may have the same one."""
    if "@" not in text:
        return None
    with_it = MemoryUser.objects.annotate(small=Lower("email")).filter(small=Lower(Value(text))).exclude(email="")
    found = list(with_it.order_by("pk").values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _refused_in(text: str) -> UUID | None:
    """By the ids that we make: a client may choose one of its own, the same for many calls."""
    if not text.startswith(MADE_HERE):
        return None
    refused = Refusal.objects.filter(request_id=text).exclude(request_id="").order_by("-refused_at")
    return refused.values_list("user_id", flat=True).first()


def page(asked: Asked = standing.EVERYBODY, *, cursor: str = "", now: datetime) -> Page[UserRow]:
    """Customers as asked for; all of them, newest first, are read along an index."""
    if "\x00" in asked.beginning:
        return Page([], None)
    if asked == standing.EVERYBODY:
        found = keyset.page(MemoryUser.objects.filter(purpose=Purpose.CUSTOMER), NEWEST_FIRST, cursor=cursor)
    else:
        found = Page(*standing.page(asked, cursor=cursor, size=keyset.PAGE_ROWS, now=now))
    user_ids = [user.pk for user in found.rows]
    used = usage.of_users(user_ids, now=now)
    throttled = measures.throttled_until(user_ids, now=now)
    listed = [UserRow(user, list(used.get(user.pk, {}).values()), throttled.get(user.pk)) for user in found.rows]
    return Page(listed, found.next_cursor)


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
