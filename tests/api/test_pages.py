"""Pages by cursor: each item that was there throughout comes exactly once, while others come and go."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.queries import items as item_queries
from memory.queries.items import Filters
from memory.rules.tiers import Tier
from memory.services import bulk, drafts, items
from tests.api.callers import Caller
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person

pytestmark = pytest.mark.promise("R4")

RUNS = rounds(200, 5_000)
MORE_THAN_THERE_ARE = 200
FEW_MOMENTS = st.integers(0, 3)  # so that many items share one, and only the id tells them apart
FEW_SIZES = st.integers(1, 3)
ITEM = st.tuples(FEW_MOMENTS, FEW_SIZES)


@dataclass
class Shelf:
    """One user's items while somebody turns the pages."""

    person: Person
    untouched: set[UUID]

    @classmethod
    def begin(cls, kept: list[tuple[int, int]]) -> "Shelf":
        shelf = cls(Person.register("reader"), set())
        shelf.untouched = set(shelf.add(kept))
        return shelf

    def add(self, new: list[tuple[int, int]]) -> list[UUID]:
        made = [
            drafts.prepare(
                tier=Tier.LONG_TERM, content="x" * size, created_at=NOON - timedelta(minutes=moment), now=NOON
            )
            for moment, size in new
        ]
        stored = bulk.write_all(made, user_id=self.person.id, created_by=TESTER, now=NOON) if made else []
        return [item.id for item in stored]

    def remove(self, which: int) -> None:
        """Archive or purge one of those that are left."""
        left = sorted(self.untouched)
        if left:
            gone = left[which % len(left)]
            remove = items.delete_item if which % 2 else items.purge_item
            remove(gone, user_id=self.person.id, actor=TESTER, now=NOON)
            self.untouched.discard(gone)


@settings(max_examples=RUNS, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kept=st.lists(ITEM, max_size=12),
    sort=st.sampled_from(sorted(item_queries.ORDERS)),
    size=st.integers(1, 4),
    between=st.lists(st.tuples(st.lists(ITEM, max_size=2), st.none() | st.integers(0, 99)), max_size=8),
)
def test_each_item_that_was_there_throughout_comes_exactly_once(db, kept, sort, size, between):
    shelf, order, events = Shelf.begin(kept), item_queries.ORDERS[sort], iter(between)
    page = item_queries.page(shelf.person.id, Filters(), order=order, size=size)
    seen = [*page.rows]

    while page.next_cursor is not None and len(seen) < MORE_THAN_THERE_ARE:
        page = item_queries.page(shelf.person.id, Filters(), order=order, size=size, cursor=page.next_cursor)
        seen += page.rows
        new, removed = next(events, ([], None))
        shelf.add(new)
        if removed is not None:
            shelf.remove(removed)

    ids = [row["id"] for row in seen]
    keys = [(row[order.column], row["id"]) for row in seen]
    assert len(ids) == len(set(ids)) < MORE_THAN_THERE_ARE
    assert shelf.untouched <= set(ids)
    assert keys == sorted(keys, reverse=order.descending)


@pytest.mark.parametrize("sort", sorted(item_queries.ORDERS))
def test_pages_over_http_give_each_item_exactly_once_while_others_come_and_go(alice: Caller, sort):
    kept = {alice.keeps("x" * (number % 5 + 1), type="permanent")["id"] for number in range(30)}
    passing = [alice.keeps("yy")["id"] for _ in range(15)]
    seen: list[str] = []
    query: dict[str, Any] = {"sort": sort, "per_page": 4}

    while query.get("cursor", "begin") is not None:
        page = alice.lists(**query)
        seen += [item["id"] for item in page["items"]]
        query["cursor"] = page["next_cursor"]
        alice.keeps("new")
        if passing:
            alice.deletes(passing.pop(), purge="true")
        if len(seen) > 200:
            break

    assert len(seen) == len(set(seen)) <= 200
    assert kept <= set(seen)


def test_the_total_is_exact_up_to_10000_and_says_when_it_is_not(db, monkeypatch):
    person = Person.register("collector")
    made = [drafts.prepare(tier=Tier.PERMANENT, content="x", now=NOON)] * 5_000
    for _ in range(2):
        bulk.write_all(made, user_id=person.id, created_by=TESTER, now=NOON)
    order = item_queries.ORDERS["-created_at"]

    exact = item_queries.page(person.id, Filters(), order=order, size=1)
    person.writes("one more", tier=Tier.PERMANENT)
    estimate = item_queries.page(person.id, Filters(), order=order, size=1)

    assert (exact.total, exact.total_is_estimate) == (10_000, False)
    assert (estimate.total, estimate.total_is_estimate) == (10_000, True)
