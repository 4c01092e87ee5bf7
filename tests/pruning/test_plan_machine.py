"""Whatever is done to items around plans, step by step: counters, limits and protection hold, plans do as they say."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from memory.models import PrunePlan, PrunePlanItem
from memory.rules.tiers import Tier
from memory.services import items, limits
from memory.services.archive import ArchiveFull
from memory.services.items import Change
from memory.services.limits import AlreadyLimited
from memory.services.plans import NotAllOfPlan, PlanNotApplied, PlanOver, PlanStale
from memory.services.quotas import QuotaExceeded
from memory.services.selections import NoRoomToRestore
from ops.services import invariants
from tests.api.plans import make_plan
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, an_order, content_of
from tests.pruning.model import ARCHIVE_BYTES, HARD_BYTES, Kept, Plan, Planned, World
from tests.pruning.planning import applied, plan_of, undone

TIERS = st.sampled_from([Tier.SHORT_TERM, Tier.LONG_TERM, Tier.LONG_TERM, Tier.PERMANENT])
SIZES = st.integers(10, 400)
WHICH = st.integers(0, 20)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
COUNTERS = """
    SELECT tier, active_bytes, active_items, archived_bytes, archived_items FROM usage_counter WHERE user_id = %s
"""
ITEMS = "SELECT id, tier, state, size_bytes, version, protected FROM memory_item WHERE user_id = %s"


def knows(*states: str) -> Any:
    """Only once there is an item in one of these states."""
    return precondition(lambda machine: machine.those(*states))


planned = precondition(lambda machine: machine.world.plans)


class PlanMachine(RuleBasedStateMachine):
    """One user, whose memories a `World` keeps beside the services. `which` chooses among those that there are."""

    def __init__(self) -> None:
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.dana = Person.register("dana", plan=make_plan(hard_bytes=HARD_BYTES, archived_bytes=ARCHIVE_BYTES))
        self.world = World(NOON)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)

    @initialize(first=st.lists(st.tuples(TIERS, SIZES), min_size=3, max_size=8))
    def begin(self, first: list[tuple[Tier, int]]) -> None:
        for tier, size in first:
            self.write(tier, size, protected=False)

    @rule(tier=TIERS, size=SIZES, protected=st.sampled_from([False, False, True]))
    def write(self, tier: Tier, size: int, protected: bool) -> None:
        fits = self.world.fits(tier, size)
        try:
            stored = self.dana.writes(content_of(size), tier=tier, protected=protected, at=self.world.now)
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        self.world.items[stored.id] = Kept(stored.id, tier, size, protected)
        self.world.changes()

    @knows("active")
    @rule(which=WHICH, size=SIZES)
    def edit(self, which: int, size: int) -> None:
        item = self.one(which, "active")
        fits = self.world.fits(item.tier, size - item.size)
        try:
            self.changes(item, Change(content=content_of(size)))
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.size, item.version = size, item.version + 1
        self.world.changes()

    @knows("active")
    @rule(which=WHICH, protected=st.booleans())
    def protect(self, which: int, protected: bool) -> None:
        item = self.one(which, "active")
        self.changes(item, Change(protected=protected))
        item.protected, item.version = protected, item.version + 1
        self.world.changes()

    @knows("active")
    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        item = self.one(which, "active")
        self.world.now += timedelta(seconds=1)
        out = self.world.would_push_out(item)
        try:
            deleted = items.delete_item(item.id, user_id=self.dana.id, actor=TESTER, now=self.world.now)
        except ArchiveFull:
            assert out is None
            return
        assert out is not None
        assert deleted.purged_items == len(out)
        self.world.delete(item, out)
        self.world.changes()

    @knows("archived")
    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        item = self.one(which, "archived")
        fits = self.world.fits(item.tier, item.size)
        try:
            items.restore_item(item.id, user_id=self.dana.id, actor=TESTER, now=self.world.now)
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.is_back()
        self.world.changes()

    @knows("active", "archived")
    @rule(which=WHICH)
    def purge(self, which: int) -> None:
        item = self.one(which, "active", "archived")
        items.purge_item(item.id, user_id=self.dana.id, actor=TESTER, now=self.world.now)
        item.state = "purged"
        self.world.changes()

    @rule(tier=TIERS, hard_bytes=st.integers(100, 3_000), hours=st.integers(1, 40))
    def raise_quota(self, tier: Tier, hard_bytes: int, hours: int) -> None:
        ends_at = self.world.now + hours * HOUR
        holds = tier in self.world.overrides and self.world.overrides[tier][1] > self.world.now
        order = an_order(ends_at=ends_at)
        try:
            limits.raise_quota(
                user_id=self.dana.id, tier=tier, hard_bytes=hard_bytes, order=order, now=self.world.now
            )  # fmt: skip
        except AlreadyLimited:
            assert holds
            return
        assert not holds
        self.world.overrides[tier] = (hard_bytes, ends_at)

    @rule(time=st.sampled_from([MINUTE, 5 * HOUR, DAY, 30 * DAY]))
    def time_passes(self, time: timedelta) -> None:
        self.world.now += time

    @knows("active")
    @rule(tier=st.none() | TIERS, wanted=st.integers(1, 1_500) | st.sampled_from([0.2, 0.5, 0.8, 1.0, 1.0]))
    def make(self, tier: Tier | None, wanted: float) -> None:
        asked = {"size_bytes": wanted} if isinstance(wanted, int) else {"share": wanted}
        plan = plan_of(self.dana, **asked, tier=tier, now=self.world.now)
        rows = PrunePlanItem.objects.filter(plan=plan).order_by("position")
        listed = rows.values_list("item_id", "version", "size_bytes")
        frozen = [Planned(self.world.items[item], version, size) for item, version, size in listed]
        self.is_a_smallest_head(plan, frozen, self.world.candidates(tier))
        after = {Tier(name): facts["used_bytes"] - facts["goes_bytes"] for name, facts in plan.facts.items()}
        self.world.plans.append(Plan(plan.id, self.world.now, frozen, after))

    def is_a_smallest_head(self, plan: PrunePlan, frozen: list[Planned], candidates: list[Kept]) -> None:
        """As small as it can be: tests of the order itself compare with a reference (test_lists)."""
        total = sum(row.size for row in frozen)
        assert {row.item.id for row in frozen} <= {item.id for item in candidates}
        assert [row.version for row in frozen] == [row.item.version for row in frozen]
        assert not frozen or total - frozen[-1].size < plan.target_bytes
        assert total >= plan.target_bytes or len(frozen) == len(candidates)
        assert (plan.bytes_total, plan.shortfall_bytes) == (total, max(0, plan.target_bytes - total))

    @planned
    @rule()
    def apply_the_last(self) -> None:
        self.applies(self.plan(1))

    @planned
    @rule(back=st.integers(2, 3))
    def apply_an_earlier_one(self, back: int) -> None:
        self.applies(self.plan(back))

    @planned
    @rule()
    def undo_the_last(self) -> None:
        self.undoes(self.plan(1))

    @planned
    @rule(back=st.integers(2, 3))
    def undo_an_earlier_one(self, back: int) -> None:
        self.undoes(self.plan(back))

    def applies(self, plan: Plan) -> None:
        if plan.state == "undone" or (plan.state == "frozen" and plan.is_stale(self.world.now)):
            with pytest.raises(PlanOver if plan.state == "undone" else PlanStale):
                applied(PrunePlan(pk=plan.id), now=self.world.now)
            return
        done = applied(PrunePlan(pk=plan.id), now=self.world.now)
        assert done.again == (plan.state == "applied")
        if done.again:
            return
        self.world.apply(plan)
        told = PrunePlanItem.objects.filter(plan_id=plan.id).order_by("position").values_list("outcome", flat=True)
        assert list(told) == [row.outcome for row in plan.rows]
        assert done.plan.archived_bytes == sum(row.size for row in plan.took())
        if plan.untouched:
            assert {tier: self.world.sum_of(tier, "active") for tier in plan.used_after} == plan.used_after
        self.world.changes()
        self.are_exact()

    def undoes(self, plan: Plan) -> None:
        expected: type[Exception] | None = None
        if plan.state == "frozen":
            expected = PlanNotApplied
        elif plan.state == "applied" and self.world.obstacles(plan):
            expected = NotAllOfPlan
        elif plan.state == "applied" and self.world.shortages(plan):
            expected = NoRoomToRestore
        if expected:
            with pytest.raises(expected) as refused:
                undone(PrunePlan(pk=plan.id), now=self.world.now)
            self.says_why(refused.value, plan)
            return
        done = undone(PrunePlan(pk=plan.id), now=self.world.now)
        assert done.again == (plan.state == "undone")
        if not done.again:
            assert done.plan.restored_items == self.world.undo(plan)
            self.world.changes()
            self.are_exact()

    def says_why(self, refusal: Exception, plan: Plan) -> None:
        if isinstance(refusal, NotAllOfPlan):
            assert refusal.skipped == self.world.obstacles(plan)
        if isinstance(refusal, NoRoomToRestore):
            assert {tier.tier: needed for tier, needed in refusal.shortages} == self.world.shortages(plan)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(COUNTERS, [self.dana.id])
            counters = {Tier(tier): tuple(figures) for tier, *figures in cursor.fetchall()}
            cursor.execute(ITEMS, [self.dana.id])
            rows = set(cursor.fetchall())
        assert counters == {tier: self.world.figures(tier) for tier in Tier}
        assert rows == {
            (one.id, one.tier, one.state, one.size, one.version, one.protected) for one in self.world.items.values()
        }

    def those(self, *states: str) -> list[Kept]:
        return [item for item in self.world.items.values() if item.state in states]

    def one(self, which: int, *states: str) -> Kept:
        found = self.those(*states)
        return found[which % len(found)]

    def plan(self, back: int) -> Plan:
        """The last one, or one before it."""
        return self.world.plans[-min(back, len(self.world.plans))]

    def changes(self, item: Kept, change: Change) -> None:
        items.change_item(item.id, change, user_id=self.dana.id, expected=None, now=self.world.now)

    def are_exact(self) -> None:
        """Nothing protected was taken, and what came back is what went."""
        assert [text for name in ("I4", "I5") for text in invariants.CHECKS[name](self.world.now)] == []


@pytest.mark.slow
@pytest.mark.promise("L2")
def test_plans_agree_with_a_small_model_after_every_step(db):
    PlanMachine.TestCase.settings = settings(
        max_examples=rounds(100, 2_000),
        stateful_step_count=rounds(30, 50),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    machine = PlanMachine.TestCase()

    machine.runTest()
