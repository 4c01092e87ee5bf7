"""The items of one plan: in the order in which they go, with why; how they stand now, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Case, Count, F, Func, QuerySet, Sum, TextField, Value, When
from django.db.models.functions import Left, Length

from kimberly.lib import ids
from kimberly.web.pagination import Order
from memory.models import PrunePlan, PrunePlanItem
from memory.queries import scoring
from memory.rules.plans import ItemOutcome
from memory.rules.scoring import Profile
from memory.rules.tiers import ItemState, Tier
from ops import excerpts, scorewhys
from ops.excerpts import Excerpt
from ops.queries.keyset import Page
from ops.queries.reveals import RevealRow

SHOWN = 20
COLUMNS = ("position", "tier", "size_bytes", "score", "inputs", "outcome", "item_id")


class Listing(StrEnum):
    """In which order the items of a plan are shown: all of them as they go, or a few that are worth a look."""

    ORDER = "order"
    BIGGEST = "biggest"
    OLDEST = "oldest"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One item of a plan, or one that it leaves; what is protected has no place and no score asked for.

    `characters`: its text's length, None when purged. `excerpt`: the text, None where masked.
    """

    position: int | None
    public_id: str
    tier: Tier
    size_bytes: int
    score: float | None
    created_at: datetime
    outcome: ItemOutcome | None
    state: ItemState
    protected: bool
    characters: int | None
    excerpt: Excerpt | None
    because: tuple[tuple[str, str], ...]
    short: str = ""
    """The parts of the score in one line."""
    helps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """So many items of one tier of a plan, and what would become of them if it were applied now."""

    tier: Tier
    outcome: ItemOutcome
    items: int
    size_bytes: int


def of_plan(
    plan: PrunePlan,
    *,
    listing: Listing = Listing.ORDER,
    outcome: ItemOutcome | None = None,
    reveal: RevealRow | None,
    cursor: str = "",
) -> Page[PlannedRow]:
    """Items of the plan, of this outcome where given; all but those in order are the first few alone."""
    rows = PrunePlanItem.objects.filter(plan_id=plan.pk)
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    if listing is not Listing.ORDER:
        return Page(_told(_few(rows, listing, plan.pk, reveal), plan), None)
    order = Order(f"plan {plan.pk}", "position", descending=False, kind=int)
    after = order.value_of(cursor) if cursor else 0
    found = list(_read(rows.filter(position__gt=after).order_by("position"), reveal)[: SHOWN + 1])
    shown = found[:SHOWN]
    is_more = len(found) > SHOWN
    last = {"position": shown[-1]["position"], "id": shown[-1]["item_id"]} if is_more else {}
    return Page(_told(shown, plan), order.cursor_at(last) if is_more else None)


def standing(plan: PrunePlan) -> list[Standing]:
    """What would become of the plan's items if it were applied now, by tier: as memory/sql/apply_plan.sql goes."""
    outcome = Case(
        When(item__state=ItemState.PURGED, then=Value(ItemOutcome.GONE)),
        When(item__state=ItemState.ARCHIVED, then=Value(ItemOutcome.AWAY)),
        When(item__protected=True, then=Value(ItemOutcome.PROTECTED)),
        When(item__version=F("version"), then=Value(ItemOutcome.ARCHIVED)),
        default=Value(ItemOutcome.CHANGED),
        output_field=TextField(),
    )
    rows = PrunePlanItem.objects.filter(plan_id=plan.pk).annotate(then=outcome).values("tier", "then")
    summed = rows.annotate(items=Count("position"), bytes_of=Sum("size_bytes")).order_by("tier", "then")
    found = summed.values_list("tier", "then", "items", "bytes_of")
    return [Standing(Tier(tier), ItemOutcome(then), items, size_bytes) for tier, then, items, size_bytes in found]


def _few(
    rows: QuerySet[PrunePlanItem], listing: Listing, plan_id: UUID, reveal: RevealRow | None
) -> Sequence[dict[str, Any]]:
    by_chance = Func(
        "item_id", Value(plan_id.int % 2**31), function="uuid_hash_extended", output_field=BigIntegerField()
    )
    orders: dict[Listing, tuple[Any, ...]] = {
        Listing.BIGGEST: ("-size_bytes", "position"),
        Listing.OLDEST: ("item__created_at", "position"),
        Listing.SAMPLE: (by_chance, "position"),
    }
    return list(_read(rows.order_by(*orders[listing]), reveal)[:SHOWN])


def _read(rows: QuerySet[PrunePlanItem], reveal: RevealRow | None) -> Any:
    # Without a reveal the texts do not even leave the database.
    text = Left("item__content", excerpts.MOST_CHARACTERS) if reveal else Value(None, output_field=TextField())
    return rows.annotate(characters=Length("item__content"), text=text).values(
        *COLUMNS, "characters", "text", "item__created_at", "item__state", "item__protected"
    )


def _told(rows: Sequence[dict[str, Any]], plan: PrunePlan) -> list[PlannedRow]:
    profile = scoring.profile(plan.profile_version) if rows else None
    return [_row(row, profile) for row in rows] if profile else []


def _row(row: Mapping[str, Any], profile: Profile) -> PlannedRow:
    why = scorewhys.planned(row["inputs"], score=row["score"], size_bytes=row["size_bytes"], profile=profile)
    return PlannedRow(
        position=row["position"],
        public_id=ids.encode(ids.Prefix.ITEM, row["item_id"]),
        tier=Tier(row["tier"]),
        size_bytes=row["size_bytes"],
        score=row["score"],
        created_at=row["item__created_at"],
        outcome=ItemOutcome(row["outcome"]) if row["outcome"] else None,
        state=ItemState(row["item__state"]),
        protected=row["item__protected"],
        characters=row["characters"],
        excerpt=None if row["text"] is None else excerpts.of(row["text"], characters=row["characters"]),
        because=tuple(why),
        short=scorewhys.in_short(row["inputs"], profile),
    )
