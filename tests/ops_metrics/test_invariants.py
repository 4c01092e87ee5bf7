"""`check_invariants` finds each kind of violation, and none in a store that is well."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit import trail
from kimberly.lib import clock
from memory.models import MeditationDecision, MeditationRun, MeditationShard, MemoryItem, TierPolicy
from memory.rules.meditation import Act, Reason, RunState, ShardState, Trigger
from memory.rules.tiers import Tier
from memory.services import items, limits
from memory.services.items import Change
from memory.services.quotas import QuotaExceeded
from ops.services import invariants
from tests import sql
from tests.audit.acts import act, seal_all
from tests.personas import TESTER, Person, content_of

HOUR = timedelta(hours=1)


def without(constraint: str, *, of: str) -> None:
    """Take away what would refuse the violation that the test makes."""
    sql.run("SET CONSTRAINTS ALL IMMEDIATE")
    sql.run(f"ALTER TABLE {of} DROP CONSTRAINT {constraint}")


def violations(person: Person | None = None) -> list[tuple[str, str]]:
    """What is found now of this person; of everybody when none is named."""
    found = invariants.check(now=clock.utc_now())
    return [(one.invariant, one.text) for one in found if person is None or str(person.id) in one.text]


@pytest.fixture
def now():
    return clock.utc_now()


@pytest.fixture
def dora(as_owner, now):
    """A user in a store that its owner can break."""
    return Person.register("dora", at=now - 2 * HOUR)


def test_a_store_in_which_all_sorts_of_things_went_on_is_well(dora, now):
    dora.is_raised(Tier.SHORT_TERM, 1 << 20, until=now - HOUR, at=now - 2 * HOUR)
    dora.fill(Tier.SHORT_TERM, leaving_bytes=0, at=now - HOUR - timedelta(seconds=1))
    kept = dora.writes(content_of(500), at=now)
    gone = dora.writes(content_of(500), at=now)
    items.delete_item(gone.id, user_id=dora.id, actor=TESTER, now=now)
    items.restore_item(gone.id, user_id=dora.id, actor=TESTER, now=now)
    items.purge_item(gone.id, user_id=dora.id, actor=TESTER, now=now)
    items.change_item(kept.id, Change(content="shorter"), user_id=dora.id, expected=None, now=now)
    limits.lift_throttle(dora.is_throttled(at=now - HOUR / 2).pk, actor=TESTER, why=trail.Why("enough of it"), now=now)

    assert violations(dora) == []
    assert [violation for violation in violations() if violation[0] == "I6"] == []


def test_a_drifted_counter_is_found(dora):
    sql.run("UPDATE usage_counter SET active_bytes = 5 WHERE user_id = %s AND tier = 'permanent'", dora.id)

    assert violations(dora) == [("I1", f"user {dora.id} permanent: active_bytes 5 instead of 0")]


PURGED = "state = 'purged', purged_at = now()"
BROKEN_ITEMS = {
    "purged with content": ("memory_item_tombstone_is_empty_ck", f"{PURGED}, purge_reason = 'user'"),
    "purged without reason": ("memory_item_state_dates_ck", f"{PURGED}, content = NULL, metadata = NULL"),
    "active without content": ("memory_item_state_dates_ck", "content = NULL"),
    "active and archived": ("memory_item_state_dates_ck", "archived_at = now()"),
    "archived without a time": ("memory_item_state_dates_ck", "state = 'archived'"),
    "nothing that there is": ("memory_item_state_ck", "state = 'lost'"),
}


@pytest.mark.parametrize(("constraint", "change"), BROKEN_ITEMS.values(), ids=BROKEN_ITEMS)
def test_an_item_that_is_not_exactly_one_thing_is_found(dora, now, constraint, change):
    item = dora.writes(content_of(100), at=now)
    for name in {constraint, "memory_item_state_dates_ck"}:
        without(name, of="memory_item")

    sql.run(f"UPDATE memory_item SET {change} WHERE id = %s", item.id)

    assert [text.split(" but ")[0] for name, text in violations() if name == "I2" and str(item.id) in text]


def lower(tier: Tier, hard_bytes: int, **columns: object) -> None:
    TierPolicy.objects.filter(plan_id="free", tier=tier).update(soft_bytes=1, hard_bytes=hard_bytes, **columns)


def test_a_write_above_the_limit_of_its_time_is_found(dora, now):
    dora.writes(content_of(1000), at=now)
    lower(Tier.LONG_TERM, 900)

    assert violations(dora) == [
        ("I3", f"user {dora.id} long-term holds 1000 bytes, but the limit was 900 when the newest of them was written")
    ]


def test_a_policy_that_was_lowered_later_is_no_violation(dora, now):
    dora.writes(content_of(1000), at=now)
    lower(Tier.LONG_TERM, 900, changed_at=now + timedelta(seconds=1))

    assert violations(dora) == []


def test_an_override_that_ended_is_no_violation_nor_is_shrinking_or_protecting_afterwards(dora, now):
    dora.is_raised(Tier.SHORT_TERM, 1 << 20, until=now - HOUR, at=now - 2 * HOUR)
    dora.fill(Tier.SHORT_TERM, leaving_bytes=5000, at=now - HOUR * 3 / 2)
    last = dora.writes(content_of(2000), tier=Tier.SHORT_TERM, at=now - HOUR - timedelta(seconds=1))

    change = Change(content="much shorter", protected=True)
    items.change_item(last.id, change, user_id=dora.id, expected=None, now=now)

    with pytest.raises(QuotaExceeded):
        dora.writes(content_of(10), tier=Tier.SHORT_TERM, at=now)
    assert violations(dora) == []


def test_a_write_after_the_end_of_an_override_is_found(dora, now):
    dora.is_raised(Tier.SHORT_TERM, 1 << 20, until=now - HOUR, at=now - 2 * HOUR)
    dora.fill(Tier.SHORT_TERM, leaving_bytes=0, at=now - HOUR * 3 / 2)

    sql.run("UPDATE memory_item SET changed_at = %s WHERE user_id = %s", now, dora.id)

    assert [name for name, _ in violations(dora)] == ["I3"]


def test_an_entry_that_nobody_will_seal_is_found(dora):
    entry = act()
    sql.run("DELETE FROM audit_pending WHERE entry_id = %s", entry.pk)

    assert ("I6", f"entry {entry.pk} is in no seal and waits for none") in violations()


@pytest.mark.parametrize("period", ["empty", "[2026-01-01,)", "[2026-01-01,infinity)"])
def test_a_measure_without_an_end_is_found(dora, now, period):
    raised = dora.is_raised(Tier.PERMANENT, 100, until=now + HOUR, at=now)
    braked = dora.is_throttled(at=now)
    without("quota_override_period_ends_ck", of="quota_override")
    without("throttle_period_ends_ck", of="throttle")

    for table, measure in (("quota_override", raised), ("throttle", braked)):
        sql.run(f"UPDATE {table} SET period = %s::tstzrange WHERE id = %s", period, measure.pk)

    expected = [("I9", f"override {raised.pk} has no end"), ("I9", f"throttle {braked.pk} has no end")]
    assert [violation for violation in violations() if violation in expected] == expected


def test_two_overrides_at_once_are_found(dora, now):
    without("quota_override_no_overlap_ex", of="quota_override")
    for hard_bytes in (100, 200):
        dora.is_raised(Tier.PERMANENT, hard_bytes, until=now + HOUR, at=now)

    assert violations(dora) == [("I9", f"user {dora.id} permanent has 2 overrides in force at once")]


def test_the_command_lists_what_it_finds_and_fails(dora, capsys):
    sql.run("UPDATE usage_counter SET active_bytes = 5 WHERE user_id = %s AND tier = 'permanent'", dora.id)

    with pytest.raises(CommandError, match="violations"):
        call_command("check_invariants")

    assert f"I1: user {dora.id} permanent: active_bytes 5 instead of 0\n" in capsys.readouterr().out
    seal_all()


@pytest.fixture
def run(dora, now):
    """A run of the meditation that says that it runs."""
    return MeditationRun.objects.create(
        trigger=Trigger.MANUAL, state=RunState.RUNNING, user_id=dora.id, profile_version=1, created_at=now,
        started_at=now, created_by="tests",
    )  # fmt: skip


def decided(run, person, *, tier, size_bytes, at, reason=Reason.SOFT_LIMIT):
    """A decision as only a mistake in the code could leave it."""
    item = person.writes(content_of(100), at=at)
    MeditationDecision.objects.create(
        run=run, user_id=person.id, item_id=item.id, act=Act.ARCHIVED, reason=reason, tier=tier, size_bytes=size_bytes,
        inputs={}, decided_at=at,
    )  # fmt: skip


def test_a_permanent_item_that_a_job_archived_is_found(dora, run, now):
    decided(run, dora, tier=Tier.PERMANENT, size_bytes=100, at=now, reason=Reason.EXPIRED)

    assert [name for name, text in violations() if "is permanent" in text and str(run.pk) in text] == ["I4"]


def test_a_protected_item_that_a_job_took_is_found(dora, run, now):
    decided(run, dora, tier=Tier.LONG_TERM, size_bytes=100, at=now)
    decision = MeditationDecision.objects.get(run=run)
    MeditationDecision.objects.update(item_version=1)
    MemoryItem.objects.filter(pk=decision.item_id).update(protected=True)

    assert [name for name, text in violations() if "is protected" in text and str(run.pk) in text] == ["I4"]


def test_an_item_that_was_protected_after_a_job_took_it_is_none(dora, run, now):
    decided(run, dora, tier=Tier.LONG_TERM, size_bytes=100, at=now)
    decision = MeditationDecision.objects.get(run=run)
    MeditationDecision.objects.update(item_version=1)
    MemoryItem.objects.filter(pk=decision.item_id).update(protected=True, version=2)

    assert [text for _, text in violations() if str(run.pk) in text] == []


@pytest.mark.parametrize(("size_bytes", "expected"), [(512 << 10, []), ((512 << 10) + 1, ["I7"])])
def test_more_than_the_daily_cap_is_found(dora, run, now, size_bytes, expected):
    tomorrow = now + timedelta(days=1)
    decided(run, dora, tier=Tier.LONG_TERM, size_bytes=size_bytes, at=tomorrow)

    assert [name for name, text in violations(dora) if "allowed are" in text] == expected


def test_a_day_that_began_before_the_policy_was_changed_is_no_measure_for_it(dora, run, now):
    decided(run, dora, tier=Tier.LONG_TERM, size_bytes=1 << 20, at=now - timedelta(days=400))

    assert violations(dora) == []


def test_a_shard_that_says_nothing_and_a_run_of_which_nothing_is_left_are_found(dora, run, now):
    long_ago = now - invariants.SILENT_AFTER - timedelta(seconds=1)
    shard = MeditationShard.objects.create(
        run=run, number=1, user_ids=[dora.id], state=ShardState.RUNNING, heartbeat_at=long_ago
    )
    assert [name for name, text in violations() if str(run.pk) in text] == ["I8"]

    MeditationShard.objects.filter(pk=shard.pk).update(state=ShardState.SUCCEEDED, ended_at=long_ago)
    MeditationRun.objects.filter(pk=run.pk).update(started_at=long_ago)
    assert [text for name, text in violations() if name == "I8"] == [f"run {run.pk} runs, and no shard of it is left"]
