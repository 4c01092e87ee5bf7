"""Prune plans: how long making one takes as the user's items grow, and how fast it is applied and undone."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
from django.conf import settings

from kimberly.audit.trail import Why
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from memory.models import PrunePlan
from memory.services import plans
from memory.services.plans import Target
from tests.api.plans import make_plan
from tests.bench.create import Section
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.personas import Person

SIZES = (1_000, 10_000, 60_000)
ROUNDS = 3
LEAST_PER_SECOND = 40_000
ACTOR, WHY = Actor.command("bench"), Why("How long it takes")
FLOOR = """
    UPDATE memory_item
    SET state = 'archived', archived_at = now(), archive_reason = 'plan', purge_after = now() + interval '30 days',
        version = version + 1
    WHERE user_id = %s AND state = 'active'
"""


def measure() -> Section:
    """Make a plan of half, and make, apply and undo one of everything, as often as there are rounds."""
    making = {items: statistics.median(_make_seconds(person) for _ in range(ROUNDS)) for items, person in _people()}
    person = _person(max(SIZES))
    floor = statistics.median(_floor_seconds(person) for _ in range(ROUNDS))
    acts = [_act_seconds(person) for _ in range(ROUNDS)]
    applying, undoing = (statistics.median(one) for one in zip(*acts, strict=True))
    return _section(making, *(max(SIZES) / seconds for seconds in (floor, applying, undoing)))


def _people() -> list[tuple[int, Person]]:
    return [(items, _person(items)) for items in SIZES]


def _person(items: int) -> Person:
    plan = make_plan(hard_bytes=items * 200)
    person = Person.register("pruned", plan=plan, at=clock.utc_now())
    fill(person, items)
    settle()
    return person


def _plan(person: Person, share: float) -> PrunePlan:
    return plans.make(person.id, target=Target(share=share), actor=ACTOR, why=WHY, now=clock.utc_now())


def _make_seconds(person: Person) -> float:
    return _seconds(lambda: _plan(person, 0.5))


def _act_seconds(person: Person) -> tuple[float, float]:
    """Of applying a plan of everything, and of undoing it."""
    plan, now = _plan(person, 1.0), clock.utc_now()
    applying = _seconds(lambda: plans.apply(plan.pk, actor=ACTOR, why=WHY, now=now))
    undoing = _seconds(lambda: plans.undo(plan.pk, actor=ACTOR, why=WHY, now=now + timedelta(seconds=1)))
    settle()
    return applying, undoing


def _floor_seconds(person: Person) -> float:
    """The items alone, without a list, outcomes, counters and fingerprints; taken back."""
    with psycopg.connect(settings.KIMBERLY.database_url) as raw:
        took = _seconds(lambda: raw.execute(FLOOR, [person.id]))
        raw.rollback()
    settle()
    return took


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _section(making: dict[int, float], floor: float, applying: float, undoing: float) -> Section:
    passed = applying >= LEAST_PER_SECOND
    lines = "\n".join(f"| {items:,} | {seconds * 1_000:,.0f} ms |" for items, seconds in making.items())
    text = f"""## Prune plans

Median of {ROUNDS}. A plan of half of the bytes, by the number of the user's items:

| items | making it |
| --- | --- |
{lines}

A plan of all {max(SIZES):,} items of a user:

| | items per second |
| --- | --- |
| floor: one UPDATE of the items alone | {floor:,.0f} |
| applied (target >= {LEAST_PER_SECOND:,}) | {applying:,.0f} |
| undone | {undoing:,.0f} |

{"Reached." if passed else "Not reached."}"""
    return Section(text, passed)
