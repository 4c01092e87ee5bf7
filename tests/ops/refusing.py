"""Calls that found no room."""

from memory.queries import usage
from memory.rules.tiers import Tier
from memory.services import quotas, refusals
from memory.services.refusals import Call
from tests.personas import NOON


def refuse(person, *, needed_bytes=604, at=NOON):
    """A write that found no room in short-term, kept as the API keeps it."""
    tiers = usage.of_user(person.id, now=at)
    refusal = quotas.QuotaExceeded(tiers[Tier.SHORT_TERM], needed_bytes=needed_bytes, others=tiers)
    return refusals.keep_quota(refusal, Call(person.id, None, "req_0c9f2a"), now=at)
