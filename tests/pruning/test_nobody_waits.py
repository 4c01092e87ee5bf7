"""While a plan is made nobody who writes waits for it, however long its list is."""

import pytest
from django.db import connection, transaction

from memory.models import PrunePlan
from memory.rules.selections import Deed
from memory.services import items, reconcile, selections, users
from memory.services.items import Change
from memory.services.selections import Chosen
from memory.services.users import Profile
from tests import sql
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.counts import rounds
from tests.memory.test_selections_at_once import at_once
from tests.personas import NOON, TESTER, Person
from tests.pruning.planning import WHY, listed, plan_of

pytestmark = [pytest.mark.slow, pytest.mark.promise("L6")]

ITEMS = 10_000


@pytest.fixture
def dana(committed_db):
    """Somebody with ten thousand memories."""
    person = Person.register("dana")
    fill(person, ITEMS)
    settle()
    yield person
    for table in ("prune_plan_item WHERE plan_id IN (SELECT id FROM prune_plan WHERE user_id = %s)",
                  "prune_plan WHERE user_id = %s", "memory_item WHERE user_id = %s"):  # fmt: skip
        sql.run(f"DELETE FROM {table}", person.id)
    sql.change("UPDATE usage_counter SET active_items = 0, active_bytes = 0, archived_items = 0, archived_bytes = 0 "
               "WHERE user_id = %s", person.id)  # fmt: skip


def writes_of_all_kinds(person, chosen):
    """Create, edit, delete, restore, purge and protect, each in a transaction that waits for no lock for long."""
    edited, deleted, purged, *marked = chosen
    about = {"user_id": person.id, "now": NOON}

    def acts():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        person.writes("Coffee from now on.")
        items.change_item(edited, Change(content="Something else."), expected=None, **about)
        items.delete_item(deleted, actor=TESTER, **about)
        items.restore_item(deleted, actor=TESTER, **about)
        items.purge_item(purged, actor=TESTER, **about)
        users.put(person.external_id, Profile(display_name="Dana"), actor=TESTER, now=NOON)
        selections.change(Deed.PROTECT, [Chosen(one, 1) for one in marked], actor=TESTER, why=WHY, **about)
        return "did not wait"

    return acts


@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_whoever_writes_does_not_wait_for_a_plan_that_is_being_made(dana, nth):
    with transaction.atomic():
        plan = plan_of(dana, share=1.0)
        # What is looked at when it commits is looked at now, and held: so it is longest in the way of others.
        sql.run("SET CONSTRAINTS ALL IMMEDIATE")
        chosen = listed(plan)[nth * 10 : nth * 10 + 5]
        [told] = at_once(writes_of_all_kinds(dana, chosen))

    assert told == "did not wait"
    assert PrunePlan.objects.get(pk=plan.pk).items_total == ITEMS
    assert reconcile.drifts([dana.id]) == []
