"""What the database itself refuses of a temporary measure, whoever writes it: no end, an empty time, two at once."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from kimberly.clients import keys
from kimberly.clients.models import ApiKey
from memory.models import QuotaOverride, Throttle
from tests.personas import NOON, issue_key

pytestmark = pytest.mark.promise("F12")

OVERRIDE = """
INSERT INTO quota_override (
    user_id, tier, hard_bytes, period, planned_end_at, reason, ticket, created_by, created_by_label, created_at,
    ended_by
)
VALUES (
    %(user)s, %(tier)s, 100, %(period)s::tstzrange, '2026-11-18', 'a reason for it', '', 'command:tests', '',
    '2026-11-17', ''
)
"""
THROTTLE = """
INSERT INTO throttle (
    user_id, client_id, tier, scope, mode, per_minute, period, planned_end_at, reason, ticket, created_by,
    created_by_label, created_at, ended_by
)
VALUES (
    %(user)s, %(client)s, %(tier)s, %(scope)s, 'block', NULL, %(period)s::tstzrange, '2026-11-18', 'a reason for it',
    '', 'command:tests', '', '2026-11-17', ''
)
"""
A_DAY = "[2026-11-17 12:00+00, 2026-11-18 12:00+00)"
WITHOUT_END = {
    "open end": "[2026-11-17 12:00+00,)",
    "open beginning": "(,2026-11-18 12:00+00)",
    "open on both sides": "(,)",
    "infinite end": "[2026-11-17 12:00+00, infinity)",
    "infinite end, included": "[2026-11-17 12:00+00, infinity]",
    "infinite beginning": "[-infinity, 2026-11-18 12:00+00)",
    "empty": "empty",
    "empty, as an instant": "[2026-11-17 12:00+00, 2026-11-17 12:00+00)",
    "empty over a change of the clock": "[2026-10-25 01:30+01, 2026-10-25 00:30+00)",
}
# Periods that meet the one of A_DAY.
OVERLAPPING = {
    "the same": A_DAY,
    "inside": "[2026-11-17 13:00+00, 2026-11-17 14:00+00)",
    "around": "[2026-11-16 12:00+00, 2026-11-19 12:00+00)",
    "over its end": "[2026-11-18 11:59:59.999999+00, 2026-11-19 12:00+00)",
    "over its beginning": "[2026-11-17 00:00+00, 2026-11-17 12:00:00.000001+00)",
    "in another zone": "[2026-11-18 14:59+03, 2026-11-18 15:30+03)",
}
BESIDE = {
    "right after": "[2026-11-18 12:00+00, 2026-11-19 12:00+00)",
    "right before": "[2026-11-17 00:00+00, 2026-11-17 12:00+00)",
    "right after, in another zone": "[2026-11-18 15:00+03, 2026-11-18 16:00+03)",
}


@pytest.fixture
def client_id(db):
    return ApiKey.objects.get(sha256=keys.sha256_of(issue_key())).client_id


def run(statement: str, **values: Any) -> None:
    parameters: dict[str, Any] = {"user": None, "client": None, "tier": "", "scope": "write", "period": A_DAY, **values}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def refused(statement: str, **values: object) -> tuple[str | None, str | None]:
    """The constraint and the column that refused the row."""
    with pytest.raises(IntegrityError) as refusal:
        run(statement, **values)
    facts = refusal.value.__cause__.diag  # type: ignore[union-attr] # psycopg's error
    return facts.constraint_name, facts.column_name


@pytest.mark.parametrize("period", WITHOUT_END.values(), ids=WITHOUT_END)
def test_an_override_without_a_real_end_is_refused(alice, period):
    assert refused(OVERRIDE, user=alice.id, tier="permanent", period=period)[0] == "quota_override_period_ends_ck"


@pytest.mark.parametrize("period", WITHOUT_END.values(), ids=WITHOUT_END)
def test_a_throttle_without_a_real_end_is_refused(alice, period):
    assert refused(THROTTLE, user=alice.id, period=period)[0] == "throttle_period_ends_ck"


def test_a_measure_without_any_time_is_refused(alice):
    assert refused(OVERRIDE, user=alice.id, tier="permanent", period=None)[1] == "period"
    assert refused(THROTTLE, user=alice.id, period=None)[1] == "period"


def test_a_planned_end_that_never_comes_is_refused(alice):
    raised = alice.is_raised("permanent", 100, until=NOON.replace(hour=13))
    throttle = alice.is_throttled(at=NOON, until=NOON.replace(hour=13))

    for table, measure in {"quota_override": raised, "throttle": throttle}.items():
        with pytest.raises(IntegrityError, match="planned_end_ck"):
            run(f"UPDATE {table} SET planned_end_at = 'infinity' WHERE id = %(measure)s", measure=measure.pk)


def test_a_measure_cannot_be_made_endless_afterwards(alice):
    raised = alice.is_raised("permanent", 100, until=NOON.replace(hour=13))

    with pytest.raises(IntegrityError, match="quota_override_period_ends_ck"), transaction.atomic():
        QuotaOverride.objects.filter(pk=raised.pk).update(period=(NOON, None))


@pytest.mark.parametrize("period", OVERLAPPING.values(), ids=OVERLAPPING)
def test_two_overrides_of_a_tier_at_once_are_refused(alice, period):
    run(OVERRIDE, user=alice.id, tier="permanent")

    assert refused(OVERRIDE, user=alice.id, tier="permanent", period=period)[0] == "quota_override_no_overlap_ex"


@pytest.mark.parametrize("period", OVERLAPPING.values(), ids=OVERLAPPING)
@pytest.mark.parametrize("target", ["user", "client", "tier"])
def test_two_throttles_of_a_target_and_scope_at_once_are_refused(alice, client_id, target, period):
    values = {"user": alice.id, "client": client_id, "tier": "permanent"}
    run(THROTTLE, **{target: values[target]})

    assert refused(THROTTLE, **{target: values[target]}, period=period)[0] == f"throttle_{target}_no_overlap_ex"


@pytest.mark.parametrize("period", BESIDE.values(), ids=BESIDE)
def test_one_measure_may_follow_another_at_once(alice, period):
    for beside in (A_DAY, period):
        run(OVERRIDE, user=alice.id, tier="permanent", period=beside)
        run(THROTTLE, user=alice.id, period=beside)

    assert QuotaOverride.objects.filter(user_id=alice.id).count() == 2
    assert Throttle.objects.filter(user_id=alice.id).count() == 2


def test_measures_of_other_targets_do_not_meet(alice, bob, client_id):
    for tier in ("short-term", "long-term", "permanent"):
        run(OVERRIDE, user=alice.id, tier=tier)
        run(THROTTLE, tier=tier)
    run(OVERRIDE, user=bob.id, tier="permanent")
    for scope in ("write", "query", "all"):
        run(THROTTLE, user=alice.id, scope=scope)
        run(THROTTLE, client=client_id, scope=scope)
    run(THROTTLE, user=bob.id)

    assert QuotaOverride.objects.filter(user_id__in=[alice.id, bob.id]).count() == 4


@pytest.mark.parametrize("targets", [[], ["user", "client"], ["user", "tier"], ["client", "tier"]])
def test_a_throttle_brakes_exactly_one_target(alice, client_id, targets):
    values = {"user": alice.id, "client": client_id, "tier": "permanent"}

    assert refused(THROTTLE, **{target: values[target] for target in targets})[0] == "throttle_one_target_ck"
