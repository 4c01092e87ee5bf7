"""Whom a night finds something to decide of."""

from memory.rules.tiers import Tier
from tests.api.plans import make_plan
from tests.personas import Person, content_of


def above_soft() -> Person:
    """Dana, whose long-term tier stands above its soft limit."""
    plan = make_plan(hard_bytes=10_000, soft_bytes=8_000)
    person = Person.register("dana", display_name="Dana Whitfield", plan=plan)
    for _ in range(9):
        person.writes(content_of(1_000), tier=Tier.LONG_TERM)
    return person
