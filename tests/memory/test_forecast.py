"""Slope and time to full: what a person would say who looks at the curve."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.rules import forecast
from memory.rules.forecast import DAY, HORIZON, HOUR, Level, Limit, Outlook, Pace
from tests.personas import NOON

KIB = 1 << 10
STEP = timedelta(minutes=10)


def hourly(*used_bytes):
    """Levels an hour apart, the last one at noon."""
    begin = NOON - HOUR * (len(used_bytes) - 1)
    return [Level(begin + HOUR * place, used) for place, used in enumerate(used_bytes)]


def slope_of(levels, within):
    found = forecast.slope(levels, within=within)
    assert found is not None
    return found


@given(start=st.integers(0, 1 << 40), per_hour=st.integers(0, 1 << 30), hours=st.integers(1, 200))
def test_even_growth_is_its_own_slope(start, per_hour, hours):
    levels = hourly(*(start + per_hour * hour for hour in range(hours + 1)))

    found = slope_of(levels, DAY * 30)

    assert found.bytes_per_hour == pytest.approx(per_hour)
    assert found.over == HOUR * hours


@given(per_hour=st.integers(1, 1 << 20), hours=st.integers(2, 24), at=st.integers(1, 23), gone=st.integers(1, 1 << 30))
def test_one_archive_a_day_does_not_hide_what_goes_on_around_it(per_hour, hours, at, gone):
    begun = at % (hours - 1) + 1
    used = [(1 << 40) + per_hour * hour - (gone + per_hour if hour >= begun else 0) for hour in range(hours + 1)]

    found = slope_of(hourly(*used), DAY)

    assert found.bytes_per_hour == pytest.approx(per_hour)


def test_a_meditation_each_night_does_not_hide_a_week_of_growth():
    used = [1_000_000 + 10 * hour - 200 * (hour // 24) for hour in range(24 * 7)]

    found = slope_of(hourly(*used), 7 * DAY)

    assert found.bytes_per_hour == pytest.approx(10)


def test_what_is_written_and_deleted_all_day_long_is_hardly_growth():
    found = slope_of(hourly(*[100, 110] * 12), DAY)

    assert 0 <= found.bytes_per_hour < 1


def test_what_shrinks_steadily_has_a_slope_below_zero():
    found = slope_of(hourly(*range(1000, 900, -10)), DAY)

    assert found.bytes_per_hour == pytest.approx(-10)


@pytest.mark.parametrize("used", [(), (5,), (9, 4)])
def test_of_too_little_nothing_is_said(used):
    assert forecast.slope(hourly(*used), within=DAY) is None


def test_only_the_window_counts_with_the_level_that_held_when_it_began():
    levels = hourly(*[500] * 30, 900, 1000)

    found = slope_of(levels, 2 * HOUR)

    assert (found.bytes_per_hour, found.over) == (250, 2 * HOUR)


def test_hours_in_which_nobody_looked_make_the_window_longer_not_the_slope_steeper():
    levels = [Level(NOON - 30 * HOUR, 0), Level(NOON, 300)]

    found = slope_of(levels, DAY)

    assert (found.bytes_per_hour, found.over) == (10, 30 * HOUR)


@given(levels=st.lists(st.integers(0, 1 << 40), min_size=2, max_size=60))
def test_no_slope_is_steeper_than_the_steepest_hour(levels):
    found = forecast.slope(hourly(*levels), within=3 * DAY)

    steepest = max(after - before for before, after in pairwise(levels))
    assert found is None or found.bytes_per_hour <= steepest + 1e-6 * abs(steepest)


def test_room_over_slope_is_the_time_to_full():
    found = forecast.when_full(100 * KIB, Limit(512 * KIB), Pace(103 * KIB), now=NOON)

    assert (found.outlook, found.full_at) == (Outlook.FILLS, NOON + 4 * HOUR)


def test_after_a_raise_the_plans_limit_holds_again():
    raised = Limit(768 * KIB, NOON + HOUR, 512 * KIB)

    slow = forecast.when_full(500 * KIB, raised, Pace(6 * KIB), now=NOON)
    fast = forecast.when_full(500 * KIB, raised, Pace(100 * KIB), now=NOON)
    still = forecast.when_full(600 * KIB, raised, Pace(0), now=NOON)

    assert slow.full_at == NOON + 2 * HOUR
    assert fast.full_at == still.full_at == NOON + HOUR


@pytest.mark.parametrize(
    ("used", "per_hour", "outlook"),
    [(512, 1, Outlook.FULL), (600, -5, Outlook.FULL), (100, 0, Outlook.STEADY), (100, -1, Outlook.STEADY),
     (100, 1e-9, Outlook.FAR)],
)  # fmt: skip
def test_what_is_full_or_does_not_fill_is_told_as_such(used, per_hour, outlook):
    found = forecast.when_full(used, Limit(512), Pace(per_hour), now=NOON)

    assert (found.outlook, found.full_at) == (outlook, None)


def test_full_is_a_tier_in_which_no_write_of_the_usual_size_fits():
    nearly = forecast.when_full(412, Limit(512), Pace(10), write_bytes=101, now=NOON)
    soon = forecast.when_full(312, Limit(512), Pace(10), write_bytes=101, now=NOON)

    assert nearly.outlook is Outlook.FULL
    assert soon.full_at == NOON + 10 * HOUR


MINUTES = st.none() | st.integers(1, 600)
SIZES = st.integers(0, 1_000)


@given(used=SIZES, hard=SIZES, then=SIZES, ends=MINUTES, pace=st.integers(-500, 500), later=st.integers(-500, 500),
       slows=MINUTES)  # fmt: skip
def test_walking_along_the_curve_step_by_step_finds_the_same_moment(used, hard, then, ends, pace, later, slows):
    limit = Limit(hard, ends and NOON + timedelta(minutes=ends), then)
    growth = Pace(pace, slows and NOON + timedelta(minutes=slows), later)

    found = forecast.when_full(used, limit, growth, now=NOON)

    walked = walk(used, limit, growth)
    if found.outlook is Outlook.FULL:
        assert walked == NOON
    elif found.full_at is None or found.full_at > NOON + DAY:
        assert walked is None
    else:
        assert walked is not None
        assert timedelta() <= walked - found.full_at <= STEP


def walk(used, limit, growth):
    """The first moment, ten minutes exact, at which the level meets the limit within a day."""
    level, now = float(used), NOON
    while now <= NOON + DAY + STEP:
        if level >= limit.at(now) - 1e-6:
            return now
        # Within a step pace may change: go minute by minute.
        for _ in range(10):
            level = max(0.0, level + growth.at(now) / 60)
            now += STEP / 10
            if level >= limit.at(now) - 1e-6:
                return now
    return None


def test_the_horizon_is_finite_for_any_pace():
    assert forecast.when_full(0, Limit(1 << 40), Pace(5e-324), now=NOON).outlook is Outlook.FAR
    assert HORIZON > 500 * DAY


@given(used=SIZES, hard=SIZES, then=SIZES, ends=MINUTES, pace=st.integers(0, 500), later=st.integers(0, 500),
       slows=MINUTES)  # fmt: skip
def test_the_curve_ahead_meets_the_limit_when_the_forecast_says_so(used, hard, then, ends, pace, later, slows):
    limit = Limit(hard, ends and NOON + timedelta(minutes=ends), min(then, hard))
    growth = Pace(pace, slows and NOON + timedelta(minutes=slows), later)

    levels = forecast.curve(used, limit, growth, now=NOON, until=NOON + 6 * HOUR)

    found = forecast.when_full(used, limit, growth, now=NOON)
    assert [level.at for level in levels] == sorted(level.at for level in levels)
    assert (levels[0], levels[-1].at) == (Level(NOON, used), NOON + 6 * HOUR)
    assert all(before.used_bytes <= after.used_bytes for before, after in pairwise(levels))
    assert all(level.used_bytes <= max(used, hard) for level in levels)
    if found.full_at and found.full_at < NOON + 6 * HOUR:
        assert levels[-1].used_bytes >= min(hard, limit.at(NOON + 6 * HOUR)) - 1
