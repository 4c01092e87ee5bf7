"""Quotas: not a byte over, and every refusal says why."""

import pytest

from memory.rules.tiers import Tier
from memory.services.quotas import QuotaExceeded
from tests.personas import content_of


def test_refuses_what_does_not_fit_and_changes_nothing(alice, noon):
    alice.fill(Tier.SHORT_TERM, leaving_bytes=100)

    with pytest.raises(QuotaExceeded) as refusal:
        alice.writes(content_of(101), tier=Tier.SHORT_TERM, at=noon)

    assert refusal.value.needed_bytes == 101
    assert alice.free_bytes(Tier.SHORT_TERM) == 100


def test_the_last_byte_of_a_tier_can_be_used(alice):
    alice.fill(Tier.SHORT_TERM, leaving_bytes=100)

    alice.writes(content_of(100), tier=Tier.SHORT_TERM)

    assert alice.free_bytes(Tier.SHORT_TERM) == 0
