"""What a meditation does to a user's memories, and what it never does."""

from datetime import timedelta

import pytest
from django.db import connection

from memory.models import ItemScore, MeditationDecision, MemoryItem, MemoryUser, Notification
from memory.queries import scoring as stored
from memory.rules import scoring
from memory.rules.meditation import Act, Reason
from memory.rules.scoring import Inputs
from memory.rules.tiers import ItemState, Tier
from memory.services import items, reconcile
from ops.services import invariants
from tests.api.plans import make_plan
from tests.personas import NOON, TESTER, Person, content_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHORT, LONG = Tier.SHORT_TERM, Tier.LONG_TERM


def small(*, soft=8_000, hard=10_000):
    return Person.register("dana", plan=make_plan(hard_bytes=hard, soft_bytes=soft))


def decisions(person):
    rows = MeditationDecision.objects.filter(user_id=person.id).order_by("decided_at", "id")
    return [(row.act, row.reason) for row in rows]


def states(person):
    return sorted(MemoryItem.objects.filter(user_id=person.id).values_list("tier", "state"))


def tells(person, number, tier=SHORT, **more):
    """Memories of rising worth: each says one rare word more."""
    return [
        person.writes(" ".join(["tea", *(f"rare{n}x{m}" for m in range(n))]), tier=tier, **more).id
        for n in range(number)
    ]


def test_at_the_end_of_its_life_the_worthy_half_is_promoted_and_the_rest_archived(meditate, alice):
    told = tells(alice, 5)

    outcome = meditate(alice, at=NOON + DAY)

    promoted = [item for item in told if alice.item(item).tier == LONG]
    assert promoted == told[-len(promoted) :]
    assert 0 < len(promoted) < 5
    assert outcome.items(Act.PROMOTED) == len(promoted)
    assert outcome.items(Act.ARCHIVED) == 5 - len(promoted)
    assert {alice.item(item).archive_reason for item in told if item not in promoted} == {"expired"}
    assert all(alice.item(item).expires_at is None for item in promoted)
    assert reconcile.drifts([alice.id]) == []


def test_before_its_life_ends_nothing_is_done_to_an_item(meditate, alice):
    tells(alice, 3)

    meditate(alice, at=NOON + DAY - timedelta(seconds=1))

    assert decisions(alice) == []


def test_without_room_in_long_term_the_worthy_are_archived_for_that_reason(meditate):
    dana = small(soft=10_000)
    dana.fill(LONG, leaving_bytes=10)
    tells(dana, 4)

    meditate(dana, at=NOON + DAY)

    assert (Act.ARCHIVED, Reason.NO_ROOM) in decisions(dana)
    assert dana.usage(LONG).active_bytes == 9_990
    assert reconcile.drifts([dana.id]) == []


def test_a_tier_above_its_soft_limit_is_brought_down_to_it_by_the_smallest_head(meditate):
    dana = small(soft=8_000)
    for _ in range(9):
        dana.writes(content_of(1_000), tier=LONG)

    meditate(dana)

    assert dana.usage(LONG).active_bytes == 8_000
    assert decisions(dana) == [(Act.ARCHIVED, Reason.SOFT_LIMIT)]


def test_the_order_is_score_by_root_of_size_ascending(meditate):
    dana = small(soft=4_000)
    for size in (400, 3_600, 900, 1_600, 2_500):
        dana.writes("tea " * (size // 4 - 1) + "xy", tier=LONG)

    meditate(dana)

    rows = ItemScore.objects.select_related("item").filter(item__user_id=dana.id)
    order = sorted(rows, key=lambda row: (row.score / row.item.size_bytes**0.5, row.item_id))
    gone = {row.item_id for row in rows if row.item.state == ItemState.ARCHIVED}
    assert gone == {row.item_id for row in order[: len(gone)]}


def test_protected_and_permanent_items_stay_whatever_their_score(meditate):
    dana = small(soft=1_000)
    kept = [dana.writes(content_of(2_000), tier=LONG, protected=True).id for _ in range(3)]
    kept += [dana.writes(content_of(2_000), tier=Tier.PERMANENT).id for _ in range(3)]
    kept.append(dana.writes(content_of(500), tier=SHORT, protected=True).id)

    outcome = meditate(dana, at=NOON + 40 * DAY)

    assert all(dana.item(item).state == ItemState.ACTIVE for item in kept)
    assert sum(outcome.protected.values()) == 4


def test_no_more_goes_in_a_day_than_the_cap_and_the_next_day_goes_on(meditate):
    dana = small(soft=1_000)  # the cap is a quarter of 10,000
    for _ in range(9):
        dana.writes(content_of(1_000), tier=LONG)

    outcome = meditate(dana)
    meditate(dana, at=NOON + 5 * HOUR)
    assert dana.usage(LONG).active_bytes == 7_000
    assert outcome.caps_hit == 1

    meditate(dana, at=NOON + DAY)
    assert dana.usage(LONG).active_bytes == 5_000


def test_what_was_archived_as_long_as_promised_is_purged_and_its_user_is_told(meditate, alice):
    gone, stays = (alice.writes(f"A memory of {n}").id for n in range(2))
    items.delete_item(gone, user_id=alice.id, actor=TESTER, now=NOON)

    meditate(alice, at=NOON + 30 * DAY - timedelta(seconds=1))
    assert alice.item(gone).state == ItemState.ARCHIVED
    meditate(alice, at=NOON + 30 * DAY)

    assert (alice.item(gone).state, alice.item(gone).content) == (ItemState.PURGED, None)
    assert alice.item(stays).state == ItemState.ACTIVE
    assert decisions(alice) == [(Act.PURGED, Reason.GRACE)]
    assert Notification.objects.get().facts["items"] == {"long-term": 1}
    assert not ItemScore.objects.filter(pk=gone).exists()
    assert reconcile.drifts([alice.id]) == []


def test_a_protected_item_in_the_archive_is_not_purged(meditate, alice):
    item = alice.writes("Keep this.", protected=True)
    items.delete_item(item.id, user_id=alice.id, actor=TESTER, now=NOON)

    meditate(alice, at=NOON + 90 * DAY)

    assert alice.item(item.id).state == ItemState.ARCHIVED


def test_twice_at_one_time_decides_nothing_more(meditate):
    dana = small(soft=5_000)
    tells(dana, 6)
    for _ in range(6):
        dana.writes(content_of(1_000), tier=LONG)
    meditate(dana, at=NOON + DAY)
    before = (states(dana), decisions(dana))

    meditate(dana, at=NOON + DAY)

    assert (states(dana), decisions(dana)) == before


def test_why_is_told_again_after_everything_around_it_is_gone(meditate):
    dana = small(soft=1_500)
    for n in range(8):
        dana.writes(" ".join(f"word{n}x{m}" for m in range(40)), tier=LONG, created_at=NOON - n * DAY)
    meditate(dana)
    decided = list(MeditationDecision.objects.filter(user_id=dana.id))
    meditate(dana, at=NOON + 40 * DAY)

    assert decided
    for decision in decided:
        profile = stored.profile(decision.profile_version or 0)
        assert scoring.score(scoring.parts(Inputs.kept(decision.inputs), profile), profile) == decision.score


def test_a_decision_keeps_nothing_of_the_content(meditate):
    dana = small(soft=1_000)
    for n in range(4):
        dana.writes(f"secretword{n} " * 30, tier=LONG)

    meditate(dana)

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(d::text, ' ') FROM meditation_decision AS d")
        assert "secretword" not in cursor.fetchone()[0]


def test_the_store_is_well_afterwards(meditate):
    dana = small(soft=3_000)
    tells(dana, 6)
    for _ in range(6):
        dana.writes(content_of(900), tier=LONG)

    meditate(dana, at=NOON + DAY)
    meditate(dana, at=NOON + 33 * DAY)

    assert [one for one in invariants.check(now=NOON + 33 * DAY) if one.invariant != invariants.AUDIT_CHAIN] == []


@pytest.mark.parametrize("state", ["erasing", "erased"])
def test_whose_memories_are_being_erased_is_left_alone(meditate, alice, state):
    alice.writes("A memory")
    MemoryUser.objects.filter(pk=alice.id).update(state=state)

    assert meditate(alice).users == []
