"""What ends next: the measures in force, of everybody."""

from datetime import timedelta

import pytest

from kimberly.clients.models import ApiClient
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits
from memory.services.limits import Target
from ops.queries import expiring
from tests.ops.portal import end_page, lift_page
from tests.personas import NOON, Person, an_order, issue_key

pytestmark = pytest.mark.usefixtures("clock_at_noon")

HOUR = timedelta(hours=1)
EXPIRING = "/ops/expiring/"


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


def test_the_one_that_ends_first_stands_first_with_who_and_why(sam, dana, bob):
    bob.is_raised(Tier.PERMANENT, 20 << 20, until=NOON + 5 * HOUR)
    dana.is_throttled(per_minute=10, until=NOON + HOUR)

    text = sam.reads(EXPIRING)

    assert text.index("Dana Whitfield Throttle: 10 writes a minute") < text.index("Raise: permanent at 20 MiB")
    assert "a reason long enough to be read The tests" in text


def test_what_has_ended_or_not_begun_is_not_listed(sam, dana):
    dana.is_throttled(at=NOON - 3 * HOUR, until=NOON - 2 * HOUR)
    dana.is_raised(Tier.PERMANENT, 20 << 20, until=NOON + 5 * HOUR, at=NOON + HOUR)

    assert "No throttle and no raise holds" in sam.reads(EXPIRING)


def test_each_is_ended_from_there(sam, dana):
    throttle = dana.is_throttled(until=NOON + HOUR)
    override = dana.is_raised(Tier.PERMANENT, 20 << 20, until=NOON + HOUR)

    body = sam.opens(EXPIRING).content.decode()

    assert f'href="{lift_page(throttle)}"' in body
    assert f'href="{end_page(override)}"' in body


def test_brakes_on_clients_and_tiers_are_told_as_well(sam, dana):
    issue_key()
    for target in (Target(client_id=ApiClient.objects.get().pk), Target(tier=Tier.SHORT_TERM)):
        order = an_order(ends_at=NOON + HOUR)
        limits.throttle(target=target, scope=ThrottleScope.ALL, per_minute=None, order=order, now=NOON)

    text = sam.reads(EXPIRING)

    assert f"{ApiClient.objects.get().name} Throttle: all calls blocked" in text
    assert "everybody’s short-term Throttle: all calls blocked" in text


def test_no_more_are_given_than_are_asked_for(dana, bob):
    for person, hours in ((dana, 3), (bob, 1)):
        person.is_throttled(until=NOON + hours * HOUR)
        person.is_raised(Tier.PERMANENT, 20 << 20, until=NOON + (hours + 1) * HOUR)

    assert [ending.ends_at for ending in expiring.soonest(now=NOON, size=3)] == [NOON + n * HOUR for n in (1, 2, 3)]
