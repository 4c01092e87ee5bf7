"""The history of what a user used, as it is drawn and as it is told."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.rules.forecast import Level
from memory.rules.tiers import Tier
from memory.services import samples
from ops import charts, words
from ops.charts import MOST_POINTS
from tests.ops.portal import text_of, user_page
from tests.personas import NOON, Person, content_of

KIB = 1 << 10
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMIT = 512 * KIB


@pytest.fixture
def dana(db):
    """Ten kibibytes an hour in short-term for eight hours, each sampled; one more came since."""
    dana = Person.register("dana", at=NOON - 100 * DAY)
    for hours in range(8, -1, -1):
        samples.take(now=NOON - hours * HOUR)
        dana.writes(content_of(10 * KIB), tier=Tier.SHORT_TERM, at=NOON - hours * HOUR)
    return dana


def drawn(levels, *, days=7):
    begins_at = NOON - days * DAY
    return chart_of(levels, begins_at)


def chart_of(levels, begins_at):
    chart = charts.history(levels, begins_at=begins_at, limit_bytes=LIMIT, soft_bytes=LIMIT * 4 // 5)
    assert chart is not None
    return chart


def hourly(*used_bytes):
    begin = NOON - HOUR * (len(used_bytes) - 1)
    return [Level(begin + HOUR * place, used) for place, used in enumerate(used_bytes)]


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


@pytest.mark.usefixtures("clock_at_noon")
def test_slope_and_time_to_full_stand_beside_each_bar(sam, dana):
    text = sam.reads(user_page(dana))

    assert "+11.2 KiB/h over 8 h: full in 37 h" in text
    assert "No growth over 8 h: not full at this pace" in text


@pytest.mark.usefixtures("clock_at_noon")
@pytest.mark.parametrize("part", ["", "raise-quota/"])
def test_the_form_of_a_raise_says_when_the_tier_would_be_full_for_each_limit_and_end(sam, dana, part):
    text = sam.reads(user_page(dana) + part)

    # The plan's limit comes back after 1, 4 and 24 hours, before the tier is full; a raise of 72 h carries it further.
    back = "full in 37 h full in 37 h full in 37 h"
    to_768, to_1024 = f"{back} full in 2 days by the end you enter", f"{back} full in 3 days by the end you enter"
    assert f"Outlook full in 37 h {to_768} {to_1024} by what you enter" in text


@pytest.mark.usefixtures("clock_at_noon")
@pytest.mark.parametrize(("query", "says"), [
    ("", "Short-term usage, 7 days"),
    ("?range=24h", "Short-term usage, 24 h"),
    ("?range=90d&tier=permanent", "Permanent usage, 90 days"),
])  # fmt: skip
def test_the_range_and_the_tier_are_in_the_address(sam, dana, query, says):
    assert says in sam.reads(user_page(dana, query))


@pytest.mark.usefixtures("clock_at_noon")
def test_the_picture_has_a_title_and_the_same_figures_as_a_table(sam, dana):
    body = sam.opens(user_page(dana, "?range=24h")).content.decode()

    assert re.search(
        r"<title id=\"history-title\">Short-term usage over 24 h: between 0 B and 90 KiB, now 90 KiB", body
    )
    assert "17 Nov 12:00 90 KiB 17 Nov 11:00 70 KiB" in text_of(sam.opens(user_page(dana, "?range=24h")))
    assert "style=" not in body


@pytest.mark.usefixtures("clock_at_noon")
def test_before_the_first_sample_there_is_no_history_but_a_word_about_it(sam, alice):
    text = sam.reads(user_page(alice))

    assert "No history yet" in text
    assert "How fast it grows is known from the second hourly sample on." in text


@pytest.mark.usefixtures("clock_at_noon")
def test_missed_hours_are_told_and_dashed(sam, dana):
    with_gap = drawn([*hourly(10, 20, 30)[:2], Level(NOON + 5 * HOUR, 60)])

    assert with_gap.missed == 6 * HOUR
    assert len(points(with_gap.gaps)) == 2
    assert "Nobody looked for" not in sam.reads(user_page(dana))


@given(st.lists(st.integers(0, 2 * LIMIT), min_size=2, max_size=24 * 90))
def test_whatever_was_used_is_inside_of_the_picture_in_order_and_not_too_much(used):
    chart = drawn(hourly(*used), days=91)

    places = points(chart.line)
    assert len(places) <= MOST_POINTS + 2
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert chart.highest_bytes == max(used)
    assert min(y for _, y in places) == pytest.approx(chart.frame.y(max(used)), abs=0.01)


@given(st.lists(st.integers(1, 72), min_size=1, max_size=40), st.integers(1, LIMIT))
def test_line_and_gaps_together_cover_the_whole_time(hours, used):
    at, levels = NOON - sum(hours) * HOUR, []
    for length in [*hours, 0]:
        levels.append(Level(at, used))
        at += length * HOUR

    chart = chart_of(levels, levels[0].at)

    gaps = [after.at - before.at for before, after in pairwise(levels) if after.at - before.at > charts.GAP]
    assert chart.missed == sum(gaps, timedelta())
    assert chart.gaps.count("M") == len(gaps)
    assert chart.line.count("M") == len(gaps) + 1


def test_of_a_single_level_nothing_is_drawn():
    frame = {"limit_bytes": LIMIT, "soft_bytes": LIMIT}

    assert charts.history(hourly(10), begins_at=NOON - DAY, **frame) is None
    assert charts.history(hourly(10, 20), begins_at=NOON, **frame) is None


def test_the_curve_in_a_row_holds_each_level_until_the_next():
    path = charts.spark(hourly(0, 100), begins_at=NOON - HOUR, ends_at=NOON, top_bytes=100)

    assert path == f"M0.00 100.00H100.0V{100 - 100 / charts.HEADROOM:.1f}"


@pytest.mark.parametrize(
    ("per_hour", "said"),
    [(0, "no growth"), (0.01, "no growth"), (3, "+72 B a day"), (-3, "-72 B a day"), (154 * KIB, "+154 KiB/h"),
     (-2048, "-2 KiB/h")],
)  # fmt: skip
def test_a_pace_is_said_by_the_hour_and_a_slow_one_by_the_day(per_hour, said):
    assert words.pace(per_hour) == said
