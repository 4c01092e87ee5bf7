"""Burst overflow: who fills a tier, how fast, and what each remedy would do."""

from datetime import timedelta

import pytest

from memory.rules.tiers import Tier
from memory.services import refusals, samples
from memory.services.quotas import QuotaExceeded
from memory.services.refusals import Call
from tests.personas import NOON, Person, content_of

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB = 1 << 10
HOUR = timedelta(hours=1)
BURST = "/ops/burst/"


@pytest.fixture
def dana(db):
    """Has grown by 100 KiB since eleven, when 100 KiB were there."""
    dana = Person.register("dana", display_name="Dana Whitfield", at=NOON - 9 * HOUR)
    dana.writes(content_of(100 * KIB), tier=Tier.SHORT_TERM, at=NOON - 2 * HOUR)
    samples.take(now=NOON - HOUR)
    for _ in range(10):
        dana.writes(content_of(10 * KIB), tier=Tier.SHORT_TERM, at=NOON)
    return dana


def is_refused(person, size_bytes, tier=Tier.SHORT_TERM):
    with pytest.raises(QuotaExceeded) as refusal:
        person.writes(content_of(size_bytes), tier=tier, at=NOON)
    refusals.keep_quota(refusal.value, Call(person.id, None, "req_1"), now=NOON)


def test_says_who_grows_fastest_how_fast_and_when_it_is_full(sam, dana):
    text = sam.reads(BURST)

    assert "Nobody was refused in short-term, and nobody will be full within the hour" in text
    assert "Dana Whitfield grows fastest: +100 KiB/h, 100 % of all growth, full in 3 h." in text


def test_growth_is_what_came_since_the_sampled_hour_that_is_nearest(sam, dana):
    samples.take(now=NOON)
    dana.writes(content_of(20 * KIB), tier=Tier.SHORT_TERM, at=NOON)

    text = sam.reads(BURST)

    assert "+120 KiB/h" in text
