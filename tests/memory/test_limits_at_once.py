"""People who limit the same target at the same moment: one wins, the others are told who it was."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.clients.models import ApiKey
from kimberly.lib.actors import Actor
from memory.models import QuotaOverride, Throttle
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits
from memory.services.limits import AlreadyLimited, Order, Target
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, issue_key

pytestmark = [pytest.mark.promise("F12"), pytest.mark.slow]

PEOPLE = 6


def order_of(number):
    ends_at = NOON + timedelta(hours=number + 1)
    return Order(Actor.command(f"person-{number}"), f"Person {number}", Why("all of us at once"), ends_at)


def at_once(act):
    """What each of the people gets, on connections of their own, all starting together."""
    start = Barrier(PEOPLE)

    def person(number):
        with closing(connection):
            connection.ensure_connection()
            start.wait()
            try:
                return act(order_of(number))
            except AlreadyLimited as refusal:
                return refusal

    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(person, range(PEOPLE)))


def the_one_winner(outcomes):
    """Exactly one measure was made, and everybody else was told about it."""
    (made,) = [outcome for outcome in outcomes if not isinstance(outcome, AlreadyLimited)]
    refusals = [outcome for outcome in outcomes if outcome is not made]
    assert {refusal.existing.pk for refusal in refusals} == {made.pk}
    assert all(made.created_by_label in refusal.detail for refusal in refusals)
    return made


@pytest.mark.parametrize("nth", range(rounds(5, 30)))
def test_of_people_who_raise_a_quota_at_once_one_wins(committed_db, nth):
    raised: dict[str, Any] = {"user_id": Person.register("alice").id, "tier": Tier.PERMANENT}

    made = the_one_winner(at_once(lambda order: limits.raise_quota(**raised, hard_bytes=100, order=order, now=NOON)))

    assert QuotaOverride.objects.get(**raised).pk == made.pk
    assert AuditEntry.objects.filter(action="quota.raised", subject_id=str(raised["user_id"])).count() == 1


@pytest.mark.parametrize("nth", range(rounds(2, 10)))
@pytest.mark.parametrize("sort", ["user", "client", "tier"])
def test_of_people_who_throttle_a_target_at_once_one_wins(committed_db, sort, nth):
    braked = {"target": targets()[sort], "scope": ThrottleScope.QUERY, "per_minute": 10}

    made = the_one_winner(at_once(lambda order: limits.throttle(**braked, order=order, now=NOON)))

    assert Throttle.objects.filter(created_by__startswith="command:person-", period__contains=NOON).count() == 1
    limits.lift_throttle(made.pk, actor=TESTER, why=Why("the next round begins"), now=NOON)


def targets():
    key = ApiKey.objects.get(sha256=keys.sha256_of(issue_key()))
    return {
        "user": Target(user_id=Person.register("bob").id),
        "client": Target(client_id=key.client_id),
        "tier": Target(tier=Tier.SHORT_TERM),
    }
