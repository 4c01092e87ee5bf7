"""The hourly samples: once an hour, only what has changed, and hours in which nobody looked are known as such."""

from contextlib import closing
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from memory.models import UsageSample, UsageSampling
from memory.queries import samples as history
from memory.rules.tiers import Tier
from memory.services import items, samples
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, content_of
from tests.races.together import at_once

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def levels(person, *, since=NOON - DAY, at=NOON + 100 * DAY, tier=Tier.LONG_TERM):
    found = history.of_user(person.id, since=since, now=at)[tier]
    return [(level.at, level.used_bytes) for level in found]


def rows_of(person):
    rows = UsageSample.objects.filter(user_id=person.id, tier=Tier.LONG_TERM).order_by("hour")
    return [(row.hour, row.next_hour, row.active_bytes) for row in rows]


def test_a_sample_says_what_the_counter_said(alice):
    alice.writes(content_of(100))
    gone = alice.writes(content_of(50))
    items.delete_item(gone.id, user_id=alice.id, actor=TESTER, now=NOON)

    assert samples.take(now=NOON + 7 * HOUR / 60) == 1

    [row] = UsageSample.objects.filter(user_id=alice.id)
    assert (row.tier, row.hour, row.next_hour) == (Tier.LONG_TERM, NOON, None)
    assert (row.active_bytes, row.active_items, row.archived_bytes, row.archived_items) == (100, 1, 50, 1)


def test_done_twice_in_an_hour_it_changes_nothing(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    alice.writes(content_of(100))

    assert samples.take(now=NOON + 59 * HOUR / 60) is None

    assert rows_of(alice) == [(NOON, None, 100)]
    assert UsageSampling.objects.get(hour=NOON).taken_at == NOON


def test_what_has_not_changed_has_no_further_row_and_yet_a_level_each_hour(alice):
    alice.writes(content_of(100))
    for hours in range(3):
        samples.take(now=NOON + hours * HOUR)
    alice.writes(content_of(20))
    samples.take(now=NOON + 3 * HOUR)

    assert rows_of(alice) == [(NOON, NOON + 3 * HOUR, 100), (NOON + 3 * HOUR, None, 120)]
    assert levels(alice) == [(NOON + hours * HOUR, used) for hours, used in enumerate([100, 100, 100, 120])]


def test_a_missed_hour_is_not_told_as_unchanged(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    alice.writes(content_of(100), at=NOON + HOUR)

    samples.take(now=NOON + 5 * HOUR)

    assert levels(alice) == [(NOON, 100), (NOON + 5 * HOUR, 200)]


def test_before_the_first_sample_and_for_who_came_later_the_level_is_nothing(alice):
    samples.take(now=NOON)
    bob = Person.register("bob")
    bob.writes(content_of(30))
    samples.take(now=NOON + HOUR)

    assert levels(bob) == [(NOON, 0), (NOON + HOUR, 30)]
    assert levels(alice) == [(NOON, 0), (NOON + HOUR, 0)]


def test_what_became_empty_again_is_sampled_as_empty(alice):
    kept = alice.writes(content_of(100))
    samples.take(now=NOON)
    items.purge_item(kept.id, user_id=alice.id, actor=TESTER, now=NOON)

    samples.take(now=NOON + HOUR)

    assert rows_of(alice)[-1] == (NOON + HOUR, None, 0)


def test_history_begins_with_the_level_that_held_then(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    samples.take(now=NOON + 9 * HOUR)

    assert levels(alice, since=NOON + HOUR) == [(NOON + 9 * HOUR, 100)]


def test_a_clock_that_goes_back_an_hour_neither_doubles_nor_loses_a_level(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    alice.writes(content_of(100))
    samples.take(now=NOON + HOUR)

    assert samples.take(now=NOON) is None
    alice.writes(content_of(100))
    samples.take(now=NOON + HOUR)

    assert rows_of(alice) == [(NOON, NOON + HOUR, 100), (NOON + HOUR, None, 300)]


def test_what_a_clock_a_day_ahead_has_sampled_is_forgotten_once_it_is_right(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    alice.writes(content_of(100))
    samples.take(now=NOON + 25 * HOUR)

    samples.take(now=NOON + HOUR)

    assert levels(alice) == [(NOON, 100), (NOON + HOUR, 200)]
    assert rows_of(alice) == [(NOON, NOON + HOUR, 100), (NOON + HOUR, None, 200)]


def test_a_day_with_an_hour_twice_has_twenty_four_hours_all_the_same(alice):
    """Hours are those of UTC: no clock of any zone moves them."""
    alice.writes(content_of(100))
    night = NOON.replace(month=10, day=25, hour=0)

    for hours in range(24):
        assert samples.take(now=night + hours * HOUR) is not None

    assert len(levels(alice, since=night)) == 24


def test_the_sweep_keeps_what_history_begins_with(alice, bob):
    for hours in range(10):
        alice.writes(content_of(10))
        samples.take(now=NOON + hours * HOUR)
    bob.writes(content_of(5))
    samples.take(now=NOON + 10 * HOUR)

    gone = samples.sweep(keep=2 * HOUR, now=NOON + 9 * HOUR)

    assert gone == 7
    assert levels(alice) == [(NOON + hours * HOUR, used) for hours, used in ((7, 80), (8, 90), (9, 100), (10, 100))]
    assert samples.sweep(keep=2 * HOUR, now=NOON + 9 * HOUR) == 0


def test_the_sweep_keeps_what_has_not_changed_for_ever_so_long(alice):
    alice.writes(content_of(100))
    samples.take(now=NOON)
    samples.take(now=NOON + 400 * DAY)

    samples.sweep(keep=90 * DAY, now=NOON + 400 * DAY)

    assert levels(alice, since=NOON + 310 * DAY, at=NOON + 401 * DAY) == [(NOON + 400 * DAY, 100)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"hour": NOON + HOUR / 2},
        {"next_hour": NOON},
        {"active_bytes": -1},
        {"tier": "eternal"},
        {"hour": NOON + HOUR},  # a second newest one
    ],
)
def test_the_database_takes_no_sample_that_cannot_be(alice, wrong):
    fields = {"user_id": alice.id, "tier": "long-term", "hour": NOON, "active_bytes": 1, "active_items": 1,
              "archived_bytes": 0, "archived_items": 0}  # fmt: skip
    UsageSample.objects.create(**fields)

    with pytest.raises(IntegrityError), transaction.atomic():
        UsageSample.objects.create(**{**fields, "tier": "permanent", **wrong, **second(wrong)})


def second(wrong):
    return {"tier": "long-term"} if wrong == {"hour": NOON + HOUR} else {}


@pytest.mark.slow
@pytest.mark.parametrize("nth", range(rounds(3, 30)))
def test_of_two_workers_that_sample_at_once_one_does(committed_db, nth):
    now = NOON.replace(year=2031) + nth * HOUR
    alice = Person.register("alice")
    alice.writes(content_of(100))

    def sample():
        with closing(connection):
            return samples.take(now=now)

    taken = at_once([sample] * 2)

    assert sorted(taken, key=str)[1] is None
    assert UsageSample.objects.filter(user_id=alice.id, tier=Tier.LONG_TERM).count() == 1
    UsageSample.objects.filter(hour__gte=now).delete()
    UsageSample.objects.filter(next_hour__gte=now).update(next_hour=None)
    UsageSampling.objects.filter(hour__gte=now).delete()
