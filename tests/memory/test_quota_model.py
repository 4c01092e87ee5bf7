"""Random writes, changes, deletes, restores and overrides, compared after each step with a small model."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from memory.models import MemoryItem, TierPolicy
from memory.rules.tiers import ItemState, Tier
from memory.services import items, limits, reconcile
from memory.services.items import Change
from memory.services.limits import AlreadyLimited
from memory.services.quotas import QuotaExceeded
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, an_order, content_of

PLAN_BYTES = 1_000
ARCHIVE_BYTES = 1_200
SIZES = st.integers(3, 600)
ANY_VERSION = frozenset({"*"})


@dataclass
class Kept:
    """What the model knows of one item."""

    size: int
    state: str
    archived_order: int = 0


class QuotaMachine(RuleBasedStateMachine):
    """One user's long-term tier. `limit` is the model's effective limit, `now` its clock."""

    kept = Bundle("kept")

    def __init__(self) -> None:
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        TierPolicy.objects.filter(plan_id="free", tier=Tier.LONG_TERM).update(
            hard_bytes=PLAN_BYTES, soft_bytes=PLAN_BYTES // 2, archived_bytes=ARCHIVE_BYTES
        )
        self.now = NOON
        self.alice = Person.register("alice")
        self.model: dict[UUID, Kept] = {}
        self.override: tuple[int, datetime] | None = None
        self.deletes = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)

    @property
    def limit(self) -> int:
        return self.override[0] if self.override and self.override[1] > self.now else PLAN_BYTES

    def sum_of(self, state: str) -> int:
        return sum(item.size for item in self.model.values() if item.state == state)

    def fits(self, more: int) -> bool:
        return more <= 0 or self.sum_of("active") + more <= self.limit

    @rule(target=kept, size=SIZES)
    def write(self, size: int) -> UUID | None:
        fits = self.fits(size)
        try:
            stored = self.alice.writes(content_of(size), at=self.now)
        except QuotaExceeded:
            assert not fits
            return None
        assert fits
        self.model[stored.id] = Kept(size, "active")
        return stored.id

    @rule(item_id=kept, size=SIZES)
    def change(self, item_id: UUID | None, size: int) -> None:
        item = self.model.get(item_id) if item_id else None
        if item_id is None or item is None or item.state != "active":
            return
        fits = self.fits(size - item.size)
        try:
            items.change_item(
                item_id, Change(content=content_of(size)), user_id=self.alice.id, expected=ANY_VERSION, now=self.now
            )
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.size = size

    @rule(item_id=kept)
    def delete(self, item_id: UUID | None) -> None:
        item = self.model.get(item_id) if item_id else None
        if item_id is None or item is None or item.state == "purged":
            return
        self.now += timedelta(seconds=1)
        deleted = items.delete_item(item_id, user_id=self.alice.id, actor=TESTER, now=self.now)
        if item.state == "archived":
            return
        self.deletes += 1
        item.state, item.archived_order = "archived", self.deletes
        pushed_out = 0
        while self.sum_of("archived") > ARCHIVE_BYTES:
            oldest = min(
                (kept for kept in self.model.values() if kept.state == "archived"), key=lambda kept: kept.archived_order
            )
            oldest.state = "purged"
            pushed_out += 1
        assert deleted.purged_items == pushed_out

    @rule(item_id=kept)
    def restore(self, item_id: UUID | None) -> None:
        item = self.model.get(item_id) if item_id else None
        if item_id is None or item is None or item.state != "archived":
            return
        fits = self.fits(item.size)
        try:
            items.restore_item(item_id, user_id=self.alice.id, actor=TESTER, now=self.now)
        except QuotaExceeded:
            assert not fits
            return
        assert fits
        item.state = "active"

    @rule(item_id=consumes(kept))
    def purge(self, item_id: UUID | None) -> None:
        item = self.model.get(item_id) if item_id else None
        if item_id is None or item is None or item.state == "purged":
            return
        items.purge_item(item_id, user_id=self.alice.id, actor=TESTER, now=self.now)
        item.state = "purged"

    @rule(hard_bytes=st.integers(100, 3_000), minutes=st.integers(1, 5))
    def raise_quota(self, hard_bytes: int, minutes: int) -> None:
        ends_at = self.now + timedelta(minutes=minutes)
        holds = self.override is not None and self.override[1] > self.now
        try:
            limits.raise_quota(
                user_id=self.alice.id,
                tier=Tier.LONG_TERM,
                hard_bytes=hard_bytes,
                order=an_order(ends_at=ends_at),
                now=self.now,
            )
        except AlreadyLimited:
            assert holds
            return
        assert not holds
        self.override = (hard_bytes, ends_at)

    @rule(minutes=st.integers(1, 6))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def the_counter_is_the_sum_over_the_items(self) -> None:
        usage = self.alice.usage(Tier.LONG_TERM, at=self.now)
        assert (usage.active_bytes, usage.archived_bytes) == (self.sum_of("active"), self.sum_of("archived"))
        assert usage.limit_bytes == self.limit
        assert reconcile.drifts([self.alice.id]) == []

    @invariant()
    def purged_items_are_empty_tombstones(self) -> None:
        purged = [item_id for item_id, item in self.model.items() if item.state == "purged"]
        rows = MemoryItem.objects.filter(pk__in=purged)
        assert rows.filter(state=ItemState.PURGED, content=None, metadata__isnull=True).count() == len(purged)


def test_quotas_agree_with_a_small_model_after_every_step(db):
    QuotaMachine.TestCase.settings = settings(
        max_examples=rounds(25, 500),
        stateful_step_count=rounds(25, 40),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    machine = QuotaMachine.TestCase()

    machine.runTest()
