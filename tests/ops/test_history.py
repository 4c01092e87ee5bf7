"""A user's history: what was done, and which measures ended by themselves."""

from datetime import timedelta

import pytest

from memory.rules.tiers import Tier
from ops.queries import history
from ops.queries import measures as measure_queries
from ops.queries.names import Names
from tests.ops.portal import WHY, user_page
from tests.personas import NOON, Person

pytestmark = pytest.mark.usefixtures("clock_at_noon")

MIB = 1 << 20
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


def test_the_history_tells_it_in_words(sam, dana):
    sam.throttles(dana, ticket="HD-2214")
    sam.raises(dana, to="200")

    text = sam.reads(user_page(dana, "?tab=history"))

    assert f"Throttled to 10 writes a minute until 13:00 {WHY} {sam.staff.username}, HD-2214" in text
    assert "Raised short-term from 512 KiB to 1 MiB until tomorrow 12:00" in text


def test_the_history_tells_the_time_of_older_acts_and_which_measures_ended_by_themselves(sam, dana):
    dana.is_throttled(at=NOON - 2 * DAY, until=NOON - 2 * DAY + HOUR)
    dana.is_raised(Tier.SHORT_TERM, MIB, at=NOON - 2 * DAY + HOUR / 2, until=NOON - HOUR)
    lifted = dana.is_throttled(at=NOON - HOUR / 2, until=NOON + HOUR)
    sam.lifts(lifted)

    text = sam.reads(user_page(dana, "?tab=history"))

    told = [
        "12:00 Lifted the throttle",
        "11:30 Throttled to 10 writes a minute until 13:00",
        "11:00 The raise ended by itself: short-term at 1 MiB",
        "15\N{NO-BREAK SPACE}Nov 13:00 The throttle ended by itself: 10 writes a minute",
        "15\N{NO-BREAK SPACE}Nov 12:30 Raised short-term from 512 KiB to 1 MiB until 11:00",
        "15\N{NO-BREAK SPACE}Nov 12:00 Throttled to 10 writes a minute until 15 Nov 13:00",
    ]
    places = [text.find(one.replace("\N{NO-BREAK SPACE}", " ")) for one in told]
    assert -1 not in places
    assert places == sorted(places)
    assert text.count("ended by itself") == 2


def test_each_end_is_told_once_page_by_page(dana):
    for day in range(30):
        begin = NOON - (day + 2) * DAY
        dana.is_throttled(at=begin, until=begin + HOUR)
    measures_of_dana = measure_queries.of_user(dana.id, names=Names(), now=NOON)

    pages = [history.of_user(dana.id, measures=measures_of_dana, names=Names(), now=NOON, size=7)]
    while cursor := pages[-1].next_cursor:
        pages.append(
            history.of_user(dana.id, measures=measures_of_dana, names=Names(), now=NOON, cursor=cursor, size=7)
        )
    told = [row for page in pages for row in page.rows]

    assert [row.at for row in told] == sorted((row.at for row in told), reverse=True)
    ends = [row.at for row in told if "ended by itself" in row.what]
    assert ends == [measure.ends_at for measure in measures_of_dana]
