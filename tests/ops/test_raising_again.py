"""A raise in place of one that holds: in one step, by whoever has seen the first."""

from datetime import timedelta

import pytest

from kimberly.audit.models import AuditEntry
from memory.models import QuotaOverride
from memory.rules.tiers import Tier
from tests.ops.portal import raise_page, text_of, user_page
from tests.personas import NOON, Person

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB, MIB = 1 << 10, 1 << 20
HOUR = timedelta(hours=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


def seen_raises(portal, person):
    """The raises that the form shows, which a new one would replace."""
    return portal.opens(raise_page(person)).content.decode().partition('name="replaces" value="')[2].partition('"')[0]


def test_a_raise_is_replaced_in_one_step_and_the_trail_says_both(sam, dana):
    first = dana.is_raised(Tier.SHORT_TERM, 768 * KIB, at=NOON - HOUR, until=NOON + HOUR)
    assert "short-term at 768 KiB 60 min left : replaced by this one" in sam.reads(raise_page(dana))

    answer = sam.raises(dana, to="200", replaces=seen_raises(sam, dana))

    second = QuotaOverride.objects.get(user_id=dana.id, period__contains=NOON)
    first.refresh_from_db()
    entry = AuditEntry.objects.get(action="quota.raised", actor_kind="staff")
    assert "Dana Whitfield has 1 MiB in short-term until tomorrow 12:00" in sam.reads(answer.url)
    assert (first.period.upper, second.period.lower, second.hard_bytes) == (NOON, NOON, MIB)
    assert (entry.before["limit_bytes"], entry.after["hard_bytes"]) == (768 * KIB, MIB)
    assert entry.after["replaces"] == str(first.pk)
    said = "Replaced the raise of short-term to 768 KiB by one to 1 MiB until tomorrow 12:00"
    assert said in sam.reads(user_page(dana, "?tab=history"))


def test_a_raise_that_the_sender_has_not_seen_is_not_replaced(sam, lena, dana):
    seen = seen_raises(sam, dana)
    lena.raises(dana, to="200")

    answer = sam.raises(dana, replaces=seen)

    assert answer.status_code == 409
    assert f"A raise of short-term to 1 MiB, set by {lena.staff.username}, holds until tomorrow 12:00." in text_of(
        answer
    )
    assert dana.usage(Tier.SHORT_TERM).limit_bytes == MIB
    assert sam.raises(dana, replaces=seen_raises(sam, dana)).status_code == 302


def test_a_replacement_that_is_refused_leaves_what_holds(sam, dana):
    dana.is_raised(Tier.SHORT_TERM, 768 * KIB, at=NOON - HOUR, until=NOON + HOUR)

    answer = sam.raises(dana, to="other", size="5", unit="MiB", replaces=seen_raises(sam, dana))

    assert answer.status_code == 403
    assert dana.usage(Tier.SHORT_TERM).limit_bytes == 768 * KIB
