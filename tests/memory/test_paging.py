"""R4: each row that is there throughout stands on exactly one page, while others come and go."""

import random
from datetime import timedelta
from uuid import UUID

import pytest

from kimberly.web.pagination import Order
from memory.queries import items as item_queries
from memory.queries.items import ORDERS, Filters
from memory.rules.tiers import Tier
from memory.services import items
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, content_of

PAGE_SIZE = 7
ROUNDS_OF_EACH_ORDER = rounds(50, 1_250)


def write_somewhere(person: Person, chance: random.Random) -> UUID:
    """An item at a random time and size, with many equal ones among them."""
    said_at = NOON - timedelta(minutes=chance.randrange(5))
    return person.writes(content_of(chance.choice([50, 60, 70])), tier=Tier.PERMANENT, created_at=said_at).id


def walk(person: Person, order: Order, chance: random.Random, passing: list[UUID]) -> list[UUID]:
    """Every id on the pages, in order; before each page something comes and something goes."""
    seen, cursor = [], None
    while True:
        page = item_queries.page(person.id, Filters(), order=order, size=PAGE_SIZE, cursor=cursor)
        seen += [row["id"] for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return seen
        passing.append(write_somewhere(person, chance))
        gone = passing.pop(chance.randrange(len(passing)))
        items.purge_item(gone, user_id=person.id, actor=TESTER, now=NOON)


@pytest.mark.promise("R4")
@pytest.mark.parametrize("name", sorted(ORDERS))
def test_each_row_that_stays_is_given_exactly_once(db, name):
    alice = Person.register("alice")
    chance = random.Random(f"{name} {ROUNDS_OF_EACH_ORDER}")  # the same rounds again on each run
    stay = [write_somewhere(alice, chance) for _ in range(30)]
    passing = [write_somewhere(alice, chance) for _ in range(10)]

    for _ in range(ROUNDS_OF_EACH_ORDER):
        seen = walk(alice, ORDERS[name], chance, passing)

        assert sorted(item_id for item_id in seen if item_id in stay) == sorted(stay)
        assert len(seen) == len(set(seen))
