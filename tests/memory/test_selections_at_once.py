"""Two of the staff who change the same items at the same moment: one effect each, and counters that are right."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from django.db import connection

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory.models import MemoryItem
from memory.rules.selections import Deed
from memory.rules.tiers import ItemState, Tier
from memory.services import reconcile, selections
from memory.services.selections import Chosen, NothingToDo
from tests.counts import rounds
from tests.personas import Person, content_of

pytestmark = pytest.mark.slow

WHY = Why("both of us at once")


def at_once(*acts):
    """What each of them gets, on connections of their own, all starting together."""
    start = Barrier(len(acts))

    def person(act):
        with closing(connection):
            connection.ensure_connection()
            start.wait()
            try:
                return act()
            except Refusal as refusal:
                return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(person, acts))


def changes(person, deed, chosen, number):
    actor = Actor.command(f"person-{number}")
    return lambda: selections.change(deed, chosen, user_id=person.id, actor=actor, why=WHY, now=clock.utc_now())


def seen(person):
    return [Chosen(item.pk, item.version) for item in MemoryItem.objects.filter(user_id=person.id).order_by("pk")]


@pytest.fixture
def dana(committed_db):
    person = Person.register("dana")
    for tier in (Tier.LONG_TERM, Tier.PERMANENT, Tier.SHORT_TERM) * 3:
        person.writes(content_of(500), tier=tier, at=clock.utc_now())
    return person


@pytest.mark.parametrize("nth", range(rounds(5, 30)))
@pytest.mark.parametrize("deed", [Deed.DELETE, Deed.RESTORE, Deed.PROTECT])
def test_the_same_items_are_changed_once(dana, deed, nth):
    if deed is Deed.RESTORE:
        changes(dana, Deed.DELETE, seen(dana), 0)()
    chosen = seen(dana)

    outcomes = at_once(*(changes(dana, deed, chosen, number) for number in range(4)))

    done = [outcome for outcome in outcomes if isinstance(outcome, AuditEntry)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, NothingToDo)]
    assert (len(done), len(refused)) == (1, 3)
    assert done[0].after["number"] == 9
    assert reconcile.drifts([dana.id]) == []


@pytest.mark.parametrize("nth", range(rounds(5, 30)))
def test_overlapping_choices_change_each_item_once(dana, nth):
    chosen = seen(dana)

    first, second = at_once(changes(dana, Deed.DELETE, chosen[:6], 1), changes(dana, Deed.DELETE, chosen[3:], 2))

    assert first.after["number"] + second.after["number"] == 9
    assert sorted([*first.after["skipped"].values(), *second.after["skipped"].values()]) == [3]
    assert MemoryItem.objects.filter(user_id=dana.id, state=ItemState.ARCHIVED, version=2).count() == 9
    assert reconcile.drifts([dana.id]) == []
