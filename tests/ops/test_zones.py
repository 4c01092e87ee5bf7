"""Times in the zone of the person who reads, on either side of a change of clocks."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from kimberly.lib import clock
from ops import words, zones
from tests.ops.portal import text_of, user_page
from tests.personas import NOON, Person

BEFORE, AFTER = datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def choose(portal, name, **fields):
    return portal.client.post("/ops/zone/", {"zone": name, **fields})


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Lisbon", "2026-03-28 23:30:00 UTC", "2026-03-29 02:30:00 UTC+01:00"),
        ("Asia/Kolkata", "2026-03-29 05:00:00 UTC+05:30", "2026-03-29 07:00:00 UTC+05:30"),
        ("America/St_Johns", "2026-03-28 21:00:00 UTC-02:30", "2026-03-28 23:00:00 UTC-02:30"),
    ],
)
def test_on_the_day_the_clocks_change_each_time_has_its_own_offset(zone, before, after):
    with clock.reading_in(zones.zone(zone)):
        assert [words.exact(BEFORE), words.exact(AFTER)] == [before, after]
    assert words.exact(AFTER) == "2026-03-29 01:30:00 UTC"


def test_the_day_is_that_of_the_person_who_reads():
    late = datetime(2026, 11, 17, 22, 30, tzinfo=UTC)

    assert clock.time_of_day(late, NOON) == "22:30"
    with clock.reading_in(zones.zone("Europe/Helsinki")):
        assert clock.time_of_day(late, NOON) == "tomorrow 00:30"
        assert clock.time_of_day(late, late + timedelta(hours=1)) == "00:30"


def test_a_chosen_zone_is_that_of_every_page_and_of_nobody_else(sam, vera, clock_at_noon):
    dana = Person.register("dana", at=NOON - timedelta(hours=1))
    answer = choose(sam, "Europe/Helsinki", next=user_page(dana))

    mine, hers = (portal.opens(user_page(dana)).content.decode() for portal in (sam, vera))

    assert answer.url == user_page(dana)
    assert 'datetime="2026-11-17T11:00:00Z" title="2026-11-17 13:00:00 UTC+02:00">60 min ago' in mine
    assert "Times in Helsinki" in mine
    assert "Shown as of" in mine
    assert "14:00:00 UTC+02:00</time>" in mine
    assert 'title="2026-11-17 11:00:00 UTC"' in hers
    assert "Times in UTC" in hers


def test_a_refusal_tells_its_time_in_the_zone_as_well(lena, clock_at_noon):
    dana = Person.register("dana")
    lena.reveals(dana)
    choose(lena, "Europe/Helsinki")

    assert "It shows to you until 14:15 UTC+02:00" in text_of(lena.reveals(dana))


def test_utc_is_one_press_away_again(sam, clock_at_noon):
    choose(sam, "Europe/Helsinki")

    assert 'name="zone" value="UTC"' in sam.opens("/ops/").content.decode()
    choose(sam, "UTC")

    assert "Times in UTC" in sam.reads("/ops/")


def test_without_a_script_the_button_leads_to_the_list(sam):
    page = choose(sam, "ask", next="/ops/users/").content.decode()

    assert "<option>Europe/Lisbon</option>" in page
    assert '<input type="hidden" name="next" value="/ops/users/">' in page


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe/Lisbon\x00", "UTC+1"])
def test_a_zone_that_is_none_is_refused(sam, name):
    answer = choose(sam, name)

    assert answer.status_code == 422
    assert zones.COOKIE not in answer.cookies


@pytest.mark.parametrize("kept", ["Mars/Olympus", "../../etc/passwd", "x" * 3000])
def test_a_cookie_that_means_nothing_is_utc(sam, kept):
    sam.client.cookies[zones.COOKIE] = kept

    assert "Times in UTC" in sam.reads("/ops/")


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", ""]
)
def test_the_way_back_leads_nowhere_else(sam, elsewhere):
    assert choose(sam, "UTC", next=elsewhere).url == "/ops/"


def test_a_look_changes_no_zone(sam):
    answer = sam.opens("/ops/zone/?zone=Europe/Lisbon")

    assert zones.COOKIE not in answer.cookies


def test_times_of_pages_are_right_across_the_night_of_the_change(sam):
    with time_machine.travel(AFTER, tick=False):
        dana = Person.register("dana", at=BEFORE)
        sam.client.force_login(sam.staff)
        sam.client.cookies[zones.COOKIE] = "Europe/Lisbon"
        body = sam.opens(user_page(dana)).content.decode()

    assert 'datetime="2026-03-28T23:30:00Z" title="2026-03-28 23:30:00 UTC">2 h ago' in body
    assert '<time datetime="2026-03-29T01:30:00Z">02:30:00 UTC+01:00</time>' in body
