"""Why an item is where it is: told from what was kept then, also when all around it has changed; never content."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from memory.models import MeditationDecision, ScoringProfile
from memory.queries import why
from memory.rules.meditation import Act, Reason
from memory.rules.tiers import Tier
from memory.services import items
from tests.api.plans import make_plan
from tests.personas import NOON, TESTER, Person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRET = "Prefers the window seat on flights to Lisbon."


def told_of(item_id):
    found = why.of_item(item_id)
    assert found is not None
    return found


def explained(item_id):
    output = StringIO()
    call_command("explain_score", str(item_id), stdout=output)
    return output.getvalue()


def another_profile():
    """Version 2 is current from now on, and weighs everything otherwise."""
    first = ScoringProfile.objects.get(version=1)
    first.pk, first.version = None, 2
    first.relevance, first.emotional, first.predictive, first.recency, first.threshold = 0.1, 0.1, 0.1, 0.7, 0.9
    first.save(force_insert=True)


def test_an_item_that_was_never_scored_says_so(alice):
    item = alice.writes(SECRET).id

    found = told_of(item)

    assert (found.score, found.decisions) == (None, ())
    assert "has no score" in explained(item)


def test_a_score_is_told_with_its_components_weights_and_place_in_the_order(meditate, alice):
    item = alice.writes(SECRET).id
    meditate(alice)

    now = told_of(item).score

    assert now is not None
    assert now.score == pytest.approx((0.2 * now.parts.predictive + 0.1 * now.parts.recency) / 0.3, abs=1e-6)
    assert (now.parts.relevance, now.parts.emotional) == (None, None)
    assert now.order_key == now.score / alice.item(item).size_bytes ** 0.5
    assert "Nothing to go by for relevance to the user's goals and emotional weight" in now.in_words


def test_a_decision_gives_its_score_when_the_item_is_purged_and_the_profile_replaced_and_others_came_and_went(
    meditate, alice
):
    item = alice.writes(SECRET, tier=Tier.SHORT_TERM).id
    kept = [alice.writes(f"Has told rare{n} and common things.").id for n in range(20)]
    meditate(alice, at=NOON + DAY)
    decided = MeditationDecision.objects.get(item_id=item)
    another_profile()
    for n in range(50):
        alice.writes(f"Came later: window number{n}.", at=NOON + DAY)
    for gone in kept:
        items.purge_item(gone, user_id=alice.id, actor=TESTER, now=NOON + DAY)
    items.purge_item(item, user_id=alice.id, actor=TESTER, now=NOON + DAY)
    meditate(alice, at=NOON + 2 * DAY)

    found = told_of(item)

    [only] = found.decisions
    assert found.state == "purged"
    assert only.retold is not None
    assert only.retold.score == pytest.approx(decided.score, abs=1e-6)
    assert only.retold.profile.version == 1
    assert only.run_id == decided.run_id


def test_decisions_are_told_newest_first_each_with_its_reason(meditate):
    dana = Person.register("dana", plan=make_plan(hard_bytes=10_000, soft_bytes=5_000))
    told = [dana.writes(f"Paper {n}. {'word ' * 300}").id for n in range(5)]
    meditate(dana)
    first = MeditationDecision.objects.filter(item_id__in=told).earliest("decided_at", "id").item_id

    meditate(dana, at=NOON + 40 * DAY)

    acts = [(one.act, one.reason) for one in told_of(first).decisions]
    assert acts == [(Act.PURGED, Reason.GRACE), (Act.ARCHIVED, Reason.SOFT_LIMIT)]


def test_each_sentence_has_the_figures_and_no_content(meditate, alice):
    dull, telling = (
        alice.writes(text, tier=Tier.SHORT_TERM).id
        for text in ("And so on?", "Ines bakes bread in Utrecht in 1984, and I love her hazelnuts.")
    )
    meditate(alice, at=NOON + DAY)

    [ended], [promoted] = told_of(dull).decisions, told_of(telling).decisions

    assert ended.in_words == (
        f"Archived on 2026-11-18 12:00 UTC: its life was over, and its score {ended.score:.6f} was below the "
        "threshold 0.6."
    )
    assert promoted.in_words.startswith("Moved to long-term on 2026-11-18 12:00 UTC: ")
    assert "hazelnuts" not in explained(telling)
    assert "so on" not in explained(dull)


def test_what_was_undone_says_when(meditate, alice):
    item = alice.writes(SECRET, tier=Tier.SHORT_TERM).id
    meditate(alice, at=NOON + DAY)
    MeditationDecision.objects.filter(item_id=item).update(undone_at=NOON + DAY + HOUR)

    assert told_of(item).decisions[0].in_words.endswith(" It was undone on 2026-11-18 13:00 UTC.")


def test_another_users_item_is_nobodys(alice, bob):
    item = alice.writes(SECRET).id

    assert why.of_users_item(item, user_id=bob.id) is None
    assert why.of_users_item(item, user_id=alice.id) == told_of(item)


def test_the_command_says_the_same_in_words(meditate, alice):
    item = alice.writes(SECRET, tier=Tier.SHORT_TERM).id
    meditate(alice, at=NOON + DAY)

    said, found = explained(item), told_of(item)

    assert found.score is None or found.score.in_words in said
    assert found.decisions[0].in_words in said
    assert "told again from the inputs kept then" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("item_id", "says"),
    [
        ("mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8", "never was such an item"),
        ("nonsense", "no item's id"),
        ("usr_1", "no item's id"),
    ],
)
def test_the_command_knows_no_other_items(db, item_id, says):
    with pytest.raises(CommandError, match=says):
        call_command("explain_score", item_id)
