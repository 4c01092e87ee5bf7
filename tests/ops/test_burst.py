"""Burst overflow: who fills a tier, how fast, when it is full, and the way to each remedy."""

import html
import re
from datetime import timedelta

import pytest

from memory.models import MemoryUser, QuotaOverride, Throttle
from memory.queries import samples as history
from memory.rules.tiers import Purpose, Tier
from memory.services import items, refusals, samples
from memory.services.quotas import QuotaExceeded
from memory.services.refusals import Call
from ops.queries import burst
from ops.queries.burst import Window
from tests.ops.portal import text_of
from tests.personas import NOON, TESTER, Person, content_of

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB = 1 << 10
HOUR = timedelta(hours=1)
BURST = "/ops/burst/"
LARGEST = 100  # KiB that one item holds
SHORT = Tier.SHORT_TERM


@pytest.fixture
def dana(db):
    """Has grown by 100 KiB since eleven, when 100 KiB were there."""
    dana = Person.register("dana", display_name="Dana Whitfield", at=NOON - 9 * HOUR)
    dana.writes(content_of(100 * KIB), tier=SHORT, at=NOON - 2 * HOUR)
    samples.take(now=NOON - HOUR)
    for _ in range(10):
        dana.writes(content_of(10 * KIB), tier=SHORT, at=NOON)
    return dana


def grows(name, *, kib, **profile):
    person = Person.register(name, display_name=name.title(), at=NOON - HOUR, **profile)
    for _ in range(kib // LARGEST):
        person.writes(content_of(LARGEST * KIB), tier=SHORT, at=NOON)
    if kib % LARGEST:
        person.writes(content_of(kib % LARGEST * KIB), tier=SHORT, at=NOON)
    return person


def is_refused(person, size_bytes, tier=SHORT, at=NOON):
    with pytest.raises(QuotaExceeded) as refusal:
        person.writes(content_of(size_bytes), tier=tier, at=at)
    refusals.keep_quota(refusal.value, Call(person.id, None, "req_1"), now=at)


def fastest(*, now=NOON, **asked):
    found = burst.fastest(now=now, size=20, **asked)
    assert found is not None
    return found


def listed(**asked):
    found = fastest(**asked)
    return [(filler.name, filler.growth_bytes // KIB) for filler in found.fillers]


def row_of(text, name):
    """What the page's table says of the person."""
    return text[text.index(f"{name} ", text.index("In force")) :]


def test_says_who_grows_fastest_how_fast_and_when_it_is_full(sam, dana):
    text = sam.reads(BURST)

    assert "Nobody was refused in short-term, and nobody will be full within the hour" in text
    assert "Dana Whitfield grows fastest: +100 KiB/h, 100 % of all growth, full in 3 h." in text
    assert "Growth of the tier +100 KiB by 1 user in 60 min" in text


def test_the_fastest_stand_first_with_their_share_of_all_growth(sam, dana):
    grows("tom", kib=300)
    grows("aiko", kib=100)

    text = sam.reads(BURST)

    assert [name for name, _ in listed()] == ["Tom", "Dana Whitfield", "Aiko"]
    assert "60.0 %" in row_of(text, "Tom")
    assert row_of(text, "Tom").index("60.0 %") < row_of(text, "Tom").index("20.0 %")


def test_growth_reaches_up_to_this_moment_whenever_the_last_sample_was_taken(dana):
    samples.take(now=NOON)
    dana.writes(content_of(20 * KIB), tier=SHORT, at=NOON)

    assert listed() == [("Dana Whitfield", 120)]


def test_what_grew_before_the_window_does_not_count_and_in_a_longer_one_it_does(dana):
    tom = grows("tom", kib=50)
    samples.take(now=NOON)

    assert listed(window=Window.HOUR) == [("Dana Whitfield", 100), ("Tom", 50)]
    later = fastest(now=NOON + HOUR, window=Window.HOUR)
    assert later.fillers == []
    tom.writes(content_of(KIB), tier=SHORT, at=NOON + HOUR)
    assert [one.growth_bytes for one in fastest(now=NOON + HOUR).fillers] == [KIB]
    whole = fastest(now=NOON + HOUR, window=Window.DAY)
    assert [(one.name, one.growth_bytes // KIB) for one in whole.fillers] == [("Dana Whitfield", 100), ("Tom", 51)]


def test_hours_in_which_nobody_looked_slow_the_pace_down_instead_of_lying(dana):
    later = NOON + 9 * HOUR

    [filler] = fastest(now=later).fillers

    assert filler.bytes_per_hour == pytest.approx(10 * KIB)
    assert filler.over == 10 * HOUR


def test_what_was_deleted_meanwhile_is_taken_off(dana):
    kept = dana.writes(content_of(90 * KIB), tier=SHORT, at=NOON)
    items.delete_item(kept.id, user_id=dana.id, actor=TESTER, now=NOON)

    assert listed() == [("Dana Whitfield", 100)]


def test_only_the_tier_that_is_asked_for_and_only_customers_are_listed(dana):
    grows("canary", kib=300)
    MemoryUser.objects.filter(display_name="Canary").update(purpose=Purpose.CANARY)
    dana.writes(content_of(5 * KIB), tier=Tier.PERMANENT, at=NOON)

    assert listed() == [("Dana Whitfield", 100)]
    assert listed(tier=Tier.PERMANENT) == [("Dana Whitfield", 5)]
    assert listed(tier=Tier.LONG_TERM) == []


def test_who_is_refused_leads_the_verdict_and_is_listed_without_growing(sam, dana):
    aiko = Person.register("aiko", display_name="Aiko Murata", at=NOON - 5 * HOUR)
    aiko.fill(SHORT, leaving_bytes=100, at=NOON - 3 * HOUR)
    samples.take(now=NOON - HOUR + HOUR / 2)
    samples.take(now=NOON)
    for _ in range(3):
        is_refused(aiko, 604)

    text = sam.reads(BURST)

    assert "3 writes of 1 user found no room in short-term" in text
    assert "Short-term 1 user refused Long-term 0 users refused Permanent 0 users refused" in text
    assert "full now 3 nothing" in row_of(text, "Aiko Murata")


def test_refusals_before_the_window_are_not_told(sam, dana):
    dana.fill(SHORT, leaving_bytes=100, at=NOON)
    is_refused(dana, 604, at=NOON - 2 * HOUR)

    assert "found no room" not in sam.reads(BURST)
    assert "1 write of 1 user found no room" in sam.reads(f"{BURST}?over=24h")


@pytest.mark.parametrize("is_raised", [False, True])
def test_warns_of_who_is_full_within_the_hour_as_the_rows_tell_it(sam, dana, is_raised):
    """By growth; and by a raise that ends beneath what is used."""
    tom = grows("tom", kib=300)
    if is_raised:
        dana.is_raised(SHORT, 2 << 20, until=NOON + HOUR / 2)
        dana.fill(SHORT, leaving_bytes=(2 << 20) - 513 * KIB, at=NOON)
    tom.writes(content_of(KIB), tier=SHORT, at=NOON)

    text = sam.reads(BURST)

    found = fastest()
    soon = [one for one in found.fillers if one.forecast.full_at and one.forecast.full_at <= NOON + HOUR]
    assert found.full_within_an_hour == len(soon) == (2 if is_raised else 1)
    assert f"{len(soon)} user{'s' if is_raised else ''} will be full in short-term within the hour" in text


def test_a_throttle_in_force_stands_in_the_row_and_is_lifted_first(sam, dana):
    dana.is_throttled(per_minute=10, until=NOON + HOUR)

    text = sam.reads(BURST)

    assert "10 writes a minute, 60 min left" in row_of(text, "Dana Whitfield")
    assert "10 writes a minute hold: lift it first" in text
    assert "/throttle/?" not in sam.opens(BURST).content.decode()


def test_a_raise_in_force_stands_in_the_row_with_its_end(sam, dana):
    dana.is_raised(SHORT, 2 << 20, until=NOON + 24 * HOUR)

    text = sam.reads(BURST)

    assert "raised, 24 h left" in row_of(text, "Dana Whitfield")
    assert "Nothing more the raise ends in 24 h, then 512 KiB" in text


def test_the_hours_of_the_picture_are_those_of_the_reader(sam, dana):
    sam.client.post("/ops/zone/", {"zone": "Asia/Kolkata"})

    assert "now 19:00 20:30 22:00 23:30" in sam.reads(BURST)


def test_each_remedy_says_what_it_would_do(sam, dana):
    dana.fill(SHORT, leaving_bytes=100, at=NOON)
    is_refused(dana, 604)

    text = sam.reads(BURST)

    told = text[text.index("Remedies for Dana Whitfield") :]
    assert "Nothing more no throttle and no raise holds 100 % of 512 KiB 100 B free" in told
    assert "Raise to 768 KiB for 24 h, then 512 KiB 67 % of 768 KiB 256.1 KiB free" in told
    assert "full in 33 min would fit Raise" in told
    assert "Throttle to 1 write a minute for 4 h; holds nothing back at this pace" in told
    assert "Prune 25 % once a lead has applied the plan at most 75 % of 512 KiB at least 128.1 KiB free" in told
    assert "would fit Plan" in told
    assert "Meditate now archives down to 409.6 KiB, 128 KiB today at most" in told
    assert "no growth full now blocked Block" in told


def test_the_next_hours_are_drawn_with_what_they_say_in_words(sam, dana):
    body = sam.opens(BURST).content.decode()

    told = "Nothing more: full in 3 h. Raise to 768 KiB: full in 6 h. Block writes: full in 4 h."
    assert told in " ".join(body.split())
    assert "Nothing more: full in 3 h Raise to 768 KiB: full in 6 h Block writes: full in 4 h" in sam.reads(BURST)


def test_a_throttle_that_slows_is_told_as_a_bound(sam, dana):
    for _ in range(80):
        dana.writes(content_of(KIB), tier=Tier.PERMANENT, at=NOON)

    text = sam.reads(f"{BURST}?tier=permanent")

    assert "Throttle to 1 write a minute for 4 h 1 % of 10 MiB 9.92 MiB free at most +60 KiB/h" in text
    assert "Throttle to 10 writes a minute for 4 h; holds nothing back at this pace" in text


@pytest.mark.parametrize(
    ("button", "fields"),
    [
        ("Raise to 768 KiB", {"tier": "short-term", "to": "150", "end": "24h"}),
        ("Throttle to 10 writes a minute", {"scope": "write", "rate": "10", "end": "4h"}),
        ("Prune 25 %", {"tier": "short-term", "free": "25"}),
        ("Block writes", {"scope": "write", "rate": "block", "end": "1h"}),
    ],
)
def test_each_remedy_leads_to_its_form_filled_in(sam, dana, button, fields):
    body = sam.opens(BURST).content.decode()
    [address] = re.findall(rf'href="([^"]+)">[^<]+<span class="k-hidden">: {button}<', body)

    form = sam.opens(html.unescape(address)).content.decode()

    checked = dict(re.findall(r'<input type="radio" name="(\w+)" value="([^"]+)"[^>]* checked', form))
    assert checked == fields
    assert Throttle.objects.count() + QuotaOverride.objects.count() == 0


def test_a_link_to_a_form_chooses_nothing_that_is_no_choice(sam, dana):
    body = sam.opens(f"/ops/users/usr_{dana.id.hex}/throttle/?rate=7&scope=nobody&end=never&reason=x").content.decode()

    checked = dict(re.findall(r'<input type="radio" name="(\w+)" value="([^"]+)"[^>]* checked', body))
    assert checked == {"scope": "write", "rate": "10", "end": "1h"}


def test_remedies_are_shown_for_the_person_who_is_asked_for(sam, dana):
    tom = grows("tom", kib=300)

    assert "Remedies for Tom" in sam.reads(BURST)
    assert "Remedies for Dana Whitfield" in sam.reads(f"{BURST}?user=usr_{dana.id.hex}")
    assert "Remedies for Tom" in sam.reads(f"{BURST}?user=usr_{tom.id.hex}&tier=short-term")


def test_twenty_are_listed_and_the_others_are_summed_up(sam, dana):
    for number in range(22):
        grows(f"person {number}", kib=1)

    text = sam.reads(BURST)

    assert "3 others +3 KiB" in text
    assert "Growth of the tier +122 KiB by 23 users" in text


def test_where_nothing_grew_and_before_the_first_sample_the_page_says_so(sam, alice):
    assert "Nobody knows yet how fast the tiers fill" in sam.reads(BURST)

    samples.take(now=NOON - HOUR)

    assert "Nothing grew in this tier" in sam.reads(BURST)


@pytest.mark.parametrize("query", ["?tier=eternal", "?over=7d"])
def test_an_address_that_asks_for_what_there_is_not_is_refused(sam, query):
    assert sam.opens(BURST + query).status_code == 422


def test_a_sample_of_the_future_is_no_beginning(dana):
    samples.take(now=NOON + 3 * HOUR)

    nearest = history.nearest(NOON, now=NOON)
    assert nearest is not None
    assert nearest.taken_at == NOON - HOUR


def test_a_viewer_reads_it_all(vera, dana):
    answer = vera.opens(BURST)

    assert answer.status_code == 200
    assert "Dana Whitfield" in text_of(answer)
