"""Whatever a plan took and whatever happened since, undone it gives back equal rows, all or none; obeyed, it works."""

import re

import pytest
from django.db.models import F
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from memory.models import MemoryItem, PrunePlanItem
from memory.rules.plans import ItemOutcome
from memory.rules.tiers import ItemState
from memory.services import items
from memory.services.items import Change
from memory.services.plans import NotAllOfPlan
from memory.services.selections import NoRoomToRestore
from tests.counts import rounds, thrown_away
from tests.meditation.test_undo_of_anything import MEMORIES, TIERS, amiss, told_to
from tests.meditation.undoing import hashes, rows
from tests.personas import TESTER
from tests.pruning.planning import DAY, LATER, LONG, SHORT, applied, listed, plan_of, undone

AT = LATER + DAY / 2
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["restore", "purge", "write", "edit", "delete", SHORT, LONG, SHORT, LONG]), st.integers(0, 99)
    ),
    max_size=4,
)
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


def does(person, deed, which, *, at):
    """What people do before a plan is applied, and after it."""
    state = ItemState.ARCHIVED if deed in ("restore", "purge") else ItemState.ACTIVE
    those = list(MemoryItem.objects.filter(user_id=person.id, state=state).order_by("pk"))
    one = those[which % len(those)] if those else None
    about = {"user_id": person.id, "now": at}
    if deed == "restore" and one and person.free_bytes(one.tier, at=at) >= one.size_bytes:
        items.restore_item(one.pk, actor=TESTER, **about)
    elif deed == "purge" and one:
        items.purge_item(one.pk, actor=TESTER, **about)
    elif deed == "edit" and one:
        items.change_item(one.pk, Change(content="w"), expected=None, **about)
    elif deed == "delete" and one:
        items.delete_item(one.pk, actor=TESTER, **about)
    elif deed == "write" and person.free_bytes(SHORT, at=at) > 50:
        person.writes("Coffee from now on.", tier=SHORT, at=at)
    elif deed in (SHORT, LONG) and person.free_bytes(deed, at=at) > 3:
        person.fill(deed, leaving_bytes=0, at=at)


def spelled(size):
    """The bytes that a sentence names."""
    number, unit = size.split(" ")
    return round(float(number.replace(",", "")) * UNITS[unit])


def obeys(person, refusal, plan, *, by_deleting):
    """Do for each tier what the refusal says: raise it so far, or delete so much of what the plan has not taken."""
    for raised, deleted in zip(refusal.remedies()[:-1:2], refusal.remedies()[1:-1:2], strict=True):
        limit = re.fullmatch(r"Raise (\S+) to (\S+ \S+) or more for a time\.", raised)
        room = re.fullmatch(r"Delete (\S+ \S+) of (\S+) that are needed less\.", deleted)
        assert limit
        assert room
        tier, missing = limit[1], spelled(room[1])
        if by_deleting:
            others = MemoryItem.objects.filter(user_id=person.id, tier=tier, state=ItemState.ACTIVE)
            for item in others.exclude(pk__in=listed(plan)).order_by("pk"):
                if missing > 0:
                    items.purge_item(item.pk, user_id=person.id, actor=TESTER, now=AT)
                    missing -= item.size_bytes
        if not by_deleting or missing > 0:
            person.is_raised(tier, spelled(limit[2]), until=AT + DAY, at=AT)


@pytest.mark.promise("L3")
@settings(max_examples=rounds(20, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    person=st.tuples(st.integers(400, 3_000), MEMORIES),
    asked=st.tuples(st.sampled_from([0.3, 0.7, 1.0]), st.none() | TIERS),
    before=DEEDS,
    since=DEEDS,
    by_deleting=st.booleans(),
)
def test_whatever_a_plan_took_all_of_it_comes_back_equal_or_nothing(db, person, asked, before, since, by_deleting):
    with thrown_away():
        dana = told_to(*person)
        plan = plan_of(dana, share=asked[0], tier=asked[1])
        for deed in before:
            does(dana, *deed, at=LATER)
        as_it_was = hashes(dana)
        applied(plan)
        for deed in since:
            does(dana, *deed, at=AT)
        then, now_lying = rows(dana), hashes(dana)

        try:
            done = undone(plan, now=AT)
        except NoRoomToRestore as refusal:
            event("without room")
            assert rows(dana) == then
            obeys(dana, refusal, plan, by_deleting=by_deleting)
            now_lying = hashes(dana)
            done = undone(plan, now=AT)
        except NotAllOfPlan:
            event("something stands against it")
            assert rows(dana) == then
            return

        took = PrunePlanItem.objects.filter(plan=plan, outcome=ItemOutcome.ARCHIVED)
        back = set(took.exclude(fingerprint_back=None).values_list("item_id", flat=True))
        after = hashes(dana)
        assert len(back) == done.plan.restored_items
        assert {item: after[item] for item in back} == {item: as_it_was[item] for item in back}
        assert {item: after[item] for item in after if item not in back} == {
            item: now_lying[item] for item in now_lying if item not in back
        }
        assert not took.filter(fingerprint_back=None).exclude(item__state=ItemState.ACTIVE).exists()
        assert not took.exclude(fingerprint_back=None).exclude(fingerprint_back=F("fingerprint")).exists()
        assert amiss(dana) == []
