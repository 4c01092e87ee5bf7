"""Whatever is done to items around plans, step by step: counters, limits and protection hold, plans do as they say."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

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
SIZES = st.integers(10, 500)
TIMES = st.sampled_from([timedelta(minutes=5), timedelta(hours=11), timedelta(hours=24), timedelta(days=30)])
COUNTERS = """
    SELECT tier, active_bytes, active_items, archived_bytes, archived_items FROM usage_counter WHERE user_id = %s
"""
ITEMS = "SELECT id, tier, state, size_bytes, version, protected FROM memory_item WHERE user_id = %s"


class PlanMachine(RuleBasedStateMachine):
    """One user, whose memories a `World` keeps beside the services."""

    kept = Bundle("kept")
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.dana = Person.register("dana", plan=make_plan(hard_bytes=HARD_BYTES, archived_bytes=ARCHIVE_BYTES))
        self.world = World(NOON)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)

    @rule(target=kept, tier=TIERS, size=SIZES, protected=st.booleans())
    def write(self, tier: Tier, size: int, protected: bool) -> UUID | None:
        fits = self.world.fits(tier, size)
        try:
            stored = self.dana.writes(content_of(size), tier=tier, protected=protected, at=self.world.now)
        except QuotaExceeded:
            assert not fits
            return None
        assert fits
        self.world.items[stored.id] = Kept(stored.id, tier, size, protected)
        self.world.changes()
        return stored.id

    @rule(one=kept, size=SIZES)
    def edit(self, one: UUID | None, size: int) -> None:
        item = self.active(one)
        if item is None:
            return
        fits = self.world.fits(item.tier, size - item.size)
        try:
            self.changes(item, Change(content=content_of(size)))
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.size, item.version = size, item.version + 1
        self.world.changes()

    @rule(one=kept, protected=st.booleans())
    def protect(self, one: UUID | None, protected: bool) -> None:
        if item := self.active(one):
            self.changes(item, Change(protected=protected))
            item.protected, item.version = protected, item.version + 1
            self.world.changes()

    @rule(one=kept)
    def delete(self, one: UUID | None) -> None:
        item = self.active(one)
        if item is None:
            return
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

    @rule(one=kept)
    def restore(self, one: UUID | None) -> None:
        item = self.world.items.get(one) if one else None
        if item is None or item.state != "archived":
            return
        fits = self.world.fits(item.tier, item.size)
        try:
            items.restore_item(item.id, user_id=self.dana.id, actor=TESTER, now=self.world.now)
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.is_back()
        self.world.changes()

    @rule(one=kept)
    def purge(self, one: UUID | None) -> None:
        item = self.world.items.get(one) if one else None
        if item is None or item.state == "purged":
            return
        items.purge_item(item.id, user_id=self.dana.id, actor=TESTER, now=self.world.now)
        item.state = "purged"
        self.world.changes()

    @rule(tier=TIERS, hard_bytes=st.integers(100, 3_000), hours=st.integers(1, 40))
    def raise_quota(self, tier: Tier, hard_bytes: int, hours: int) -> None:
        ends_at = self.world.now + timedelta(hours=hours)
        holds = tier in self.world.overrides and self.world.overrides[tier][1] > self.world.now
        try:
            limits.raise_quota(
                user_id=self.dana.id, tier=tier, hard_bytes=hard_bytes, order=an_order(ends_at=ends_at),
                now=self.world.now,
            )  # fmt: skip
        except AlreadyLimited:
            assert holds
            return
        assert not holds
        self.world.overrides[tier] = (hard_bytes, ends_at)

    @rule(time=TIMES)
    def time_passes(self, time: timedelta) -> None:
        self.world.now += time

    @rule(target=made, tier=st.none() | TIERS, target_of=st.integers(1, 3_000) | st.sampled_from([0.2, 0.5, 1.0]))
    def make(self, tier: Tier | None, target_of: float) -> UUID:
        asked = {"size_bytes": target_of} if isinstance(target_of, int) else {"share": target_of}
        plan = plan_of(self.dana, **asked, tier=tier, now=self.world.now)
        rows = (
            PrunePlanItem.objects.filter(plan=plan).order_by("position").values_list("item_id", "version", "size_bytes")
        )
        frozen = [Planned(self.world.items[item], version, size) for item, version, size in rows]
        self.is_a_smallest_head(plan, frozen, self.world.candidates(tier))
        after = {Tier(name): facts["used_bytes"] - facts["goes_bytes"] for name, facts in plan.facts.items()}
        self.world.plans[plan.id] = Plan(plan.id, self.world.now, frozen, after)
        made: UUID = plan.id
        return made

    def is_a_smallest_head(self, plan, frozen, candidates) -> None:
        """As small as it can be: tests of the order itself compare with a reference (test_lists)."""
        total = sum(row.size for row in frozen)
        assert {row.item.id for row in frozen} <= {item.id for item in candidates}
        assert [row.version for row in frozen] == [row.item.version for row in frozen]
        assert not frozen or total - frozen[-1].size < plan.target_bytes
        assert total >= plan.target_bytes or len(frozen) == len(candidates)
        assert (plan.bytes_total, plan.shortfall_bytes) == (total, max(0, plan.target_bytes - total))

    @rule(one=made)
    def apply(self, one: UUID) -> None:
        plan = self.world.plans[one]
        if plan.state == "undone" or (plan.state == "frozen" and plan.is_stale(self.world.now)):
            with pytest.raises(PlanOver if plan.state == "undone" else PlanStale):
                applied(self.row(plan), now=self.world.now)
            return
        done = applied(self.row(plan), now=self.world.now)
        assert done.again == (plan.state == "applied")
        if done.again:
            return
        self.world.apply(plan)
        assert self.outcomes(plan) == [row.outcome for row in plan.rows]
        assert done.plan.archived_bytes == sum(row.size for row in plan.took())
        if plan.untouched:
            assert {tier: self.world.sum_of(tier, "active") for tier in plan.used_after} == plan.used_after
        self.world.changes()
        self.are_exact()

    @rule(one=made)
    def undo(self, one: UUID) -> None:
        plan = self.world.plans[one]
        if plan.state == "frozen":
            with pytest.raises(PlanNotApplied):
                undone(self.row(plan), now=self.world.now)
            return
        obstacles = self.world.obstacles(plan) if plan.state == "applied" else None
        shortages = self.world.shortages(plan) if plan.state == "applied" else None
        if obstacles:
            with pytest.raises(NotAllOfPlan) as not_all:
                undone(self.row(plan), now=self.world.now)
            assert not_all.value.skipped == obstacles
            return
        if shortages:
            with pytest.raises(NoRoomToRestore) as no_room:
                undone(self.row(plan), now=self.world.now)
            assert {tier.tier: needed for tier, needed in no_room.value.shortages} == shortages
            return
        done = undone(self.row(plan), now=self.world.now)
        assert done.again == (plan.state == "undone")
        if not done.again:
            assert done.plan.restored_items == self.world.undo(plan)
            self.world.changes()
            self.are_exact()

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

    def active(self, one: UUID | None) -> Kept | None:
        item = self.world.items.get(one) if one else None
        return item if item and item.state == "active" else None

    def changes(self, item: Kept, change: Change) -> None:
        items.change_item(item.id, change, user_id=self.dana.id, expected=None, now=self.world.now)

    def row(self, plan: Plan) -> PrunePlan:
        return PrunePlan(pk=plan.id)

    def are_exact(self) -> None:
        """Nothing protected was taken, and what came back is what went."""
        assert [text for name in ("I4", "I5") for text in invariants.CHECKS[name](self.world.now)] == []

    def outcomes(self, plan: Plan) -> list[str]:
        found = PrunePlanItem.objects.filter(plan_id=plan.id).order_by("position")
        return list(found.values_list("outcome", flat=True))


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
