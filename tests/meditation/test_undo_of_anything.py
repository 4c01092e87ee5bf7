"""Whatever a night decided and whatever happened since: its undo gives back equal rows, all or none."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.models import MeditationDecision, MemoryItem
from memory.rules.meditation import UndoOutcome
from memory.rules.tiers import ItemState, Tier
from memory.services import items, reconcile
from memory.services.meditationundo import NothingToUndo
from memory.services.selections import NoRoomToRestore
from tests.counts import rounds, thrown_away
from tests.meditation.undoing import HOUR, LONG, MORNING, SHORT, hashes, rows, small, undo_run, undo_user
from tests.personas import TESTER

TIERS = st.sampled_from([SHORT, SHORT, LONG, Tier.PERMANENT])
MEMORIES = st.lists(st.tuples(TIERS, st.integers(20, 900), st.booleans(), st.integers(0, 9)), min_size=2, max_size=14)
PEOPLE = st.lists(st.tuples(st.integers(400, 3_000), MEMORIES), min_size=1, max_size=3)
SINCE = st.lists(st.sampled_from(["restore", "purge", "write", SHORT, LONG]), max_size=4)


def told_to(soft, memories):
    """A person with what fits of these memories; words of their own, so that some are worth more."""
    person = small(soft=soft, hard=4_000)
    for number, (tier, size, protected, rare) in enumerate(memories):
        text = " ".join(["tea", *(f"w{number}x{n}" for n in range(rare))]).ljust(size, ".")
        if person.free_bytes(tier) >= len(text) + 2:
            person.writes(text, tier=tier, protected=protected)
    return person


def goes_on(person, since):
    """What people do between a night and its undo."""
    for deed in since:
        archived = MemoryItem.objects.filter(user_id=person.id, state=ItemState.ARCHIVED).order_by("pk").first()
        if deed == "purge" and archived:
            items.purge_item(archived.pk, user_id=person.id, actor=TESTER, now=MORNING)
        elif deed == "restore" and archived and person.free_bytes(archived.tier, at=MORNING) >= archived.size_bytes:
            items.restore_item(archived.pk, user_id=person.id, actor=TESTER, now=MORNING)
        elif deed == "write" and person.free_bytes(SHORT, at=MORNING) > 50:
            person.writes("Coffee from now on.", tier=SHORT, at=MORNING)
        elif deed in (SHORT, LONG) and person.free_bytes(deed, at=MORNING) > 3:
            person.fill(deed, leaving_bytes=0, at=MORNING)


def amiss(*persons):
    """Of these people alone: the store grows with each example. Counters that are no sums, and tiers above a limit."""
    above = [person for person in persons for tier in Tier if person.usage(tier, at=MORNING).is_over_limit]
    return [*reconcile.drifts([person.id for person in persons]), *above]


RANDOM = settings(
    max_examples=rounds(20, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.promise("L3")
@RANDOM
@given(people=PEOPLE)
def test_whatever_a_night_decided_its_undo_gives_back_equal_rows(night, people):
    with thrown_away():
        persons = [told_to(*one) for one in people]
        before = hashes(*persons)
        run = night(*persons)

        if MeditationDecision.objects.filter(run=run).exists():
            assert {row.outcome for row in undo_run(run)} == {UndoOutcome.UNDONE}

        assert hashes(*persons) == before
        assert amiss(*persons) == []


@pytest.mark.promise("L3")
@RANDOM
@given(person=st.tuples(st.integers(400, 3_000), MEMORIES), since=SINCE)
def test_whatever_happened_since_all_of_the_rest_comes_back_or_nothing(night, person, since):
    with thrown_away():
        dana = told_to(*person)
        before = hashes(dana)
        run = night(dana)
        goes_on(dana, since)
        then = rows(dana)

        try:
            undone = undo_user(run, dana)
        except NoRoomToRestore as refusal:
            assert rows(dana) == then
            for tier, needed in refusal.shortages:
                limit = max(tier.limit_bytes + 1, dana.usage(tier.tier, at=MORNING).active_bytes + needed)
                dana.is_raised(tier.tier, limit, until=MORNING + HOUR, at=MORNING)
            undone = undo_user(run, dana)
        except NothingToUndo:
            assert rows(dana) == then
            return

        after = hashes(dana)
        back = set(MeditationDecision.objects.filter(run=run, undone_at=MORNING).values_list("item_id", flat=True))
        assert len(back) == undone.items
        assert {item: after[item] for item in back} == {item: before[item] for item in back}
        assert amiss(dana) == []
