"""Many items at once."""

import pytest

from memory.rules.tiers import Tier
from memory.services import bulk, drafts
from memory.services.quotas import QuotaExceeded
from tests.personas import NOON, TESTER, content_of


def drafts_of(*sizes, tier=Tier.SHORT_TERM):
    return [drafts.prepare(tier=tier, content=content_of(size), now=NOON) for size in sizes]


def test_all_or_nothing_stores_nothing_when_the_sum_does_not_fit(alice):
    alice.fill(Tier.SHORT_TERM, leaving_bytes=1_000)

    with pytest.raises(QuotaExceeded) as refusal:
        bulk.write_all(drafts_of(600, 500), user_id=alice.id, created_by=TESTER, now=NOON)

    assert refusal.value.needed_bytes == 1_100
    assert alice.free_bytes(Tier.SHORT_TERM) == 1_000


def test_what_fits_is_stored_and_the_rest_told_with_the_room_that_was_left(alice):
    alice.fill(Tier.SHORT_TERM, leaving_bytes=1_000)

    outcome = bulk.write_what_fits(drafts_of(800, 300, 200), user_id=alice.id, created_by=TESTER, now=NOON)

    (place, refusal), *others = outcome.refused
    assert (place, refusal.facts()["room_bytes"], others) == (1, 200, [])
    assert alice.free_bytes(Tier.SHORT_TERM) == 0
