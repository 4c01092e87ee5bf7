"""Customers by what is unusual about them, and by what they are called: page by page.

Each filter is a statement that gives the ids of its candidates; a page is another that puts them in order. So every
filter goes with every order and with every other, and PostgreSQL is told to look for the candidates first: it cannot
know how many stand above a limit that each plan and each raise sets anew.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from kimberly.web.pagination import Order
from memory.models import MemoryUser
from memory.rules.tiers import Tier

NEWEST = Order("newest", "created_at", descending=True, kind=datetime)
FULLEST = {tier: Order(f"fullest-{tier}", "millionths", descending=True, kind=int) for tier in Tier}
LAST_ID = UUID(int=2**128 - 1)


class Show(StrEnum):
    """Whom a list shows."""

    ATTENTION = "attention"
    OVER_HARD = "over-hard"
    OVER_SOFT = "over-soft"
    REFUSED = "refused-today"
    THROTTLED = "throttled"
    RAISED = "raised"
    SUSPENDED = "suspended"


STATEMENTS = {
    Show.ATTENTION: ("users_over_hard", "users_refused", "users_throttled", "users_suspended"),
    Show.OVER_HARD: ("users_over_hard",),
    Show.OVER_SOFT: ("users_over_soft",),
    Show.REFUSED: ("users_refused",),
    Show.THROTTLED: ("users_throttled",),
    Show.RAISED: ("users_raised",),
    Show.SUSPENDED: ("users_suspended",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which customers, and in which order: the newest first, or the fullest of the tier `sort`."""

    show: Show | None = None
    tier: Tier | None = None
    """Narrows what is over a limit, or raised, to this tier."""
    beginning: str = ""
    sort: Tier | None = None

    @property
    def is_filtered(self) -> bool:
        return bool(self.show or self.beginning)

    @property
    def order(self) -> Order:
        return FULLEST[self.sort] if self.sort else NEWEST


EVERYBODY = Asked()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many customers there are in all, and with what is quickly counted."""

    customers: int
    suspended: int
    throttled: int
    raised: int


def page(asked: Asked, *, cursor: str, size: int, now: datetime) -> tuple[list[MemoryUser], str | None]:
    """The customers of one page, and the cursor behind them; None on the last. Raises Invalid for a foreign cursor."""
    value, key = asked.order.place(cursor) if cursor else _before_the_first(asked)
    text = _text(asked)
    parameters = {**_parameters(asked, text, now=now), "id": key, "most": size + 1, asked.order.column: value}
    found = list(MemoryUser.objects.raw(text, parameters))
    more = len(found) > size
    chosen = found[:size]
    return chosen, asked.order.cursor_at(chosen[-1]) if more else None


def ids(asked: Asked, *, now: datetime) -> list[UUID]:
    """Every customer of the list, sorted."""
    text = _with_candidates(statement(__file__, "listed_ids"), asked)
    return [row[0] for row in statements.fetch_all(text, _parameters(asked, text, now=now))]


def counts(*, stopping_behind: int, now: datetime) -> Counts:
    """One statement; counting all customers stops behind so many."""
    parameters = {"most": stopping_behind + 1, "now": now}
    (row,) = statements.fetch_all(statement(__file__, "users_counted"), parameters)
    return Counts(*row)


def _before_the_first(asked: Asked) -> tuple[Any, UUID]:
    return (2**62, LAST_ID) if asked.sort else (datetime.max.replace(tzinfo=UTC), LAST_ID)


def _text(asked: Asked) -> str:
    return _with_candidates(statement(__file__, "listed_fullest" if asked.sort else "listed_newest"), asked)


def _with_candidates(text: str, asked: Asked) -> str:
    found = _candidates(asked)
    candidates = f"MATERIALIZED (\n{found}\n)" if asked.is_filtered else f"({found})"
    return text.replace("WITH ", f"WITH candidates AS {candidates},\n", 1)


def _candidates(asked: Asked) -> str:
    """The statement that gives the ids of those who pass every filter."""
    filters = []
    if asked.show:
        filters.append("\nUNION\n".join(f"({statement(__file__, name)})" for name in STATEMENTS[asked.show]))
    if asked.beginning:
        filters.append(statement(__file__, "users_begin_so"))
    return "\nINTERSECT\n".join(f"({text})" for text in filters) or statement(__file__, "users_all")


def _parameters(asked: Asked, text: str, *, now: datetime) -> dict[str, Any]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    facts = {"now": now, "midnight": midnight, "tier": asked.tier, "beginning": asked.beginning, "sort": asked.sort}
    return {name: value for name, value in facts.items() if f"%({name})s" in text}
