"""A burst at night, without scripts: see who it is, understand it, brake it, and see that it holds."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import MemoryUser, Throttle, UsageSample, UsageSampling
from memory.rules.tiers import Tier
from memory.services import refusals, samples
from memory.services.quotas import QuotaExceeded
from memory.services.refusals import Call
from tests.counts import rounds
from tests.journeys.window import DESKTOP, PHONE
from tests.personas import Person, content_of, unique

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = [(DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light")][: rounds(2, 4)]
BURST = "/ops/burst/?tier=permanent"


@pytest.fixture
def burst(web):
    """Somebody who has filled the permanent tier since an hour ago, and is refused."""
    now = clock.utc_now()
    samples.take(now=now - timedelta(hours=1))
    dana = Person.register("dana", display_name=unique("Dana Whitfield"), at=now - timedelta(hours=1))
    dana.fill(Tier.PERMANENT, leaving_bytes=176, at=now)
    with pytest.raises(QuotaExceeded) as refusal:
        dana.writes(content_of(604), tier=Tier.PERMANENT, at=now)
    refusals.keep_quota(refusal.value, Call(dana.id, None, "req_1"), now=now)
    yield dana
    UsageSample.objects.all().delete()
    UsageSampling.objects.all().delete()


def name_of(person):
    return str(MemoryUser.objects.get(pk=person.id))


@pytest.mark.promise("P9")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_see_who_fills_the_tier_and_brake_them(open_window, sam, burst, size):
    window = open_window(scripts=False, size=size).signs_in(sam)

    window.opens(BURST)
    expect(window.page.locator("#verdict")).to_contain_text("found no room in permanent")
    window.page.get_by_role("row", name=burst.external_id).get_by_role("link", name="Remedies").click()
    expect(window.page.locator("#remedies")).to_contain_text(f"Remedies for {name_of(burst)}")
    window.page.get_by_role("link", name=re.compile("Throttle to 10 writes a minute")).click()
    window.page.get_by_label("Reason").fill("Fills the tier in a loop, HD-2214")
    window.page.get_by_role("button", name="Throttle this user").click()

    made = Throttle.objects.get(user_id=burst.id)
    assert (made.per_minute, round((made.period.upper - made.period.lower) / timedelta(hours=1))) == (10, 4)
    window.opens(f"{BURST}&user=usr_{burst.id.hex}")
    assert "10 writes a minute hold: lift it first" in window.text()
    window.opens("/ops/expiring/")
    assert name_of(burst) in window.text()


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{size['width']}-{scheme}" for size, scheme in LOOKS])
def test_the_pages_of_a_burst_shut_nobody_out(open_window, sam, burst, size, scheme):
    burst.is_throttled(at=clock.utc_now(), until=clock.utc_now() + timedelta(hours=1))
    window = open_window(size=size, scheme=scheme).signs_in(sam)

    for path in (BURST, f"{BURST}&over=24h", "/ops/expiring/", f"/ops/users/usr_{burst.id.hex}/?range=24h"):
        window.said.clear()
        window.opens(path)
        window.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert [*window.reports(), *window.accessibility(), *window.overflow(), *window.strays] == [], path
