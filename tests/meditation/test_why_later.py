"""A decision tells its score again from what it kept, whatever became of the item, the weights and all around it."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.models import Goal, ItemFeedback, MeditationDecision, MemoryItem
from memory.queries import why
from memory.rules.meditation import Act
from memory.rules.tiers import ItemState, Tier
from memory.services import bulk, drafts
from tests.counts import rounds, thrown_away
from tests.meditation.test_why import another_profile
from tests.personas import NOON, TESTER, Person

DAY = timedelta(days=1)
LATER_ITEMS = 50
SAID = ["tea", "rye", "fig", "oak", "elm", "ash", "yew", "bay", "Lisbon", "Oslo"]
WORDS = st.lists(st.sampled_from(SAID), min_size=1, max_size=9)
ITEM = st.tuples(WORDS, st.booleans(), st.none() | st.floats(0, 1), st.integers(0, 5))


def told_to(person, memories):
    for words, asks, weight, accesses in memories:
        item = person.writes(f"{' '.join(words)}{'?' if asks else '.'}", tier=Tier.SHORT_TERM)
        MemoryItem.objects.filter(pk=item.id).update(access_count=accesses)
        if weight is not None:
            ItemFeedback.objects.create(
                item_id=item.id, emotional_weight=weight, created_at=NOON, created_by=str(TESTER)
            )


def others_come(person):
    sent = [
        drafts.prepare(tier=Tier.SHORT_TERM, content=f"tea {n} fig {n % 7}", now=NOON + 2 * DAY)
        for n in range(LATER_ITEMS)
    ]
    bulk.write_what_fits(sent, user_id=person.id, created_by=TESTER, now=NOON + 2 * DAY)


@pytest.mark.promise("M5")
@settings(max_examples=rounds(20, 2_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(memories=st.lists(ITEM, min_size=2, max_size=8))
def test_the_score_is_told_again_when_all_around_it_has_changed(meditate, memories):
    with thrown_away():
        dana = Person.register("dana")
        told_to(dana, memories)
        meditate(dana, at=NOON + DAY)
        decided = list(MeditationDecision.objects.filter(user_id=dana.id).order_by("pk"))
        assert decided

        another_profile()
        others_come(dana)
        for days in (4, 40):  # they go into the archive, and then all that is there is purged
            meditate(dana, at=NOON + days * DAY)

        assert Goal.objects.filter(user_id=dana.id).count() == 0
        for decision in decided:
            item = MemoryItem.objects.get(pk=decision.item_id)
            assert decision.act == Act.PROMOTED or (item.state, item.content) == (ItemState.PURGED, None)
            found = why.of_item(item.pk)
            assert found is not None
            then = next(one for one in found.decisions if one.decided_at == decision.decided_at)
            assert then.retold is not None
            assert then.retold.profile.version == 1
            assert then.retold.score == pytest.approx(decision.score, abs=1e-6)
