"""What a page predicts for a remedy is what happens when it is carried out: on real servers, from random states."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kimberly.audit.trail import Why
from kimberly.lib import clock
from kimberly.lib.remember import forget_everything
from memory.models import MeditationRun, MemoryItem, Throttle, TierPolicy
from memory.queries import movable, scoring
from memory.rules import forecast, remedies
from memory.rules.forecast import HOUR, Outlook, Pace
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import RunState, Trigger
from memory.rules.tiers import Tier
from memory.services import meditation, plans, refusals, samples
from memory.services.quotas import QuotaExceeded
from memory.services.refusals import Call
from ops.queries import burst
from ops.services import measures
from ops.services.measures import Brake, Limit, Sender
from tests.api.plans import make_plan
from tests.counts import rounds
from tests.personas import TESTER, Person, content_of

pytestmark = [pytest.mark.slow, pytest.mark.promise("P8")]

EVERYBODY = 100_000
INSTANT = timedelta(milliseconds=1)
SIZES = st.integers(10, 2_000)
SIZED = st.lists(SIZES, max_size=4)
WHY = Why("to see whether it is so")


@dataclass(frozen=True)
class State:
    """A user's tier before the remedy: limits in bytes, what was there, what came since, what was refused."""

    tier: Tier
    plan_bytes: int
    raised: tuple[int, int] | None
    before: tuple[int, ...]
    since: tuple[int, ...]
    refused_bytes: int | None


STATES = st.builds(
    State,
    tier=st.sampled_from(Tier),
    plan_bytes=st.integers(2_000, 30_000),
    raised=st.none() | st.tuples(st.integers(1, 20_000), st.integers(1, 72)),
    before=st.lists(SIZES, max_size=6).map(tuple),
    since=st.lists(SIZES, min_size=1, max_size=6).map(tuple),
    refused_bytes=st.none() | st.integers(10, 40_000),
)
property_test = settings(
    max_examples=rounds(50, 2_000), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Scene:
    """The state in the database, and what the page says of it. Nothing of it stays."""

    def __init__(self, state, staff):
        self.state, self.tier, self.now = state, state.tier, clock.utc_now()
        self.staff = staff
        self.person = Person.register("dana", plan=make_plan(hard_bytes=state.plan_bytes), at=self.now - 3 * HOUR)
        self.override = self._raise(*state.raised) if state.raised else None
        self._write(state.before, self.now - 2 * HOUR)
        samples.take(now=self.now - HOUR)
        self._write(state.since, self.now)
        if state.refused_bytes:
            self._is_refused(state.refused_bytes)
        self.filler = self._listed()

    def _raise(self, more_bytes, hours):
        until = self.now + timedelta(hours=hours)
        return self.person.is_raised(self.tier, self.state.plan_bytes + more_bytes, until=until, at=self.now - 3 * HOUR)

    def _write(self, sizes, at):
        for size in sizes:
            if size <= self.person.free_bytes(self.tier, at=at):
                self.person.writes(content_of(size), tier=self.tier, at=at)

    def _is_refused(self, size_bytes):
        if size_bytes > self.person.free_bytes(self.tier, at=self.now):
            with pytest.raises(QuotaExceeded) as refusal:
                self.person.writes(content_of(size_bytes), tier=self.tier, at=self.now)
            refusals.keep_quota(refusal.value, Call(self.person.id, None, ""), now=self.now)

    def _listed(self):
        refused = burst.refused_since(self.now - HOUR, now=self.now)[self.tier]
        found = burst.fastest(now=self.now, size=EVERYBODY, tier=self.tier, refused=refused)
        assert found is not None
        listed = [one for one in found.fillers if one.user_id == self.person.id]
        assume(listed)
        return listed[0]

    def usage(self, at=None):
        return self.person.usage(self.tier, at=at or self.now)

    def movable(self):
        return movable.of_tier(self.person.id, self.tier, now=self.now)

    def sender(self):
        return Sender(self.staff, uuid4(), Why("to see whether it is so"), "")

    def calls(self, times):
        """So many writes over the API, of the size of late, one after the other; their statuses."""
        forget_everything()
        client = Client(headers={"Authorization": f"Bearer {self.person.gets_key()}"})
        body = {"type": str(self.tier), "content": content_of(self.filler.write_bytes)}
        return Counter(
            client.post("/api/v1/memory", body, content_type="application/json").status_code for _ in range(times)
        )


@pytest.fixture
def on_scene(lena, change_embedder):
    """Runs a test on a scene, and takes everything back."""
    change_embedder("none")

    def run(state, test):
        with transaction.atomic():
            test(Scene(state, lena.staff))
            transaction.set_rollback(True)

    return run


@property_test
@given(state=STATES, more_bytes=st.integers(1, 40_000), hours=st.integers(1, 24 * 90))
def test_a_raise_does_what_was_predicted(on_scene, state, more_bytes, hours):
    on_scene(state, lambda scene: raise_and_compare(scene, more_bytes, timedelta(hours=hours)))


def raise_and_compare(scene, more_bytes, length):
    hard_bytes, ends_at = scene.state.plan_bytes + more_bytes, scene.now + length
    predicted = remedies.raised(scene.filler.situation, hard_bytes=hard_bytes, ends_at=ends_at, now=scene.now)

    limit = Limit(scene.tier, hard_bytes, scene.override.pk if scene.override else None)
    measures.raise_quota(scene.sender(), limit, user_id=scene.person.id, ends_at=ends_at, now=scene.now)

    after, then = scene.usage(), scene.usage(at=ends_at)
    assert (predicted.limit_bytes, predicted.room_bytes) == (after.limit_bytes, after.room_bytes)
    assert predicted.share == pytest.approx(after.share)
    assert predicted.then_bytes == then.limit_bytes
    pace, size = Pace(scene.filler.bytes_per_hour), scene.filler.write_bytes
    outlook = forecast.when_full(after.active_bytes, after.limit, pace, write_bytes=size, now=scene.now)
    assert predicted.forecast == outlook
    is_full_when_predicted(scene, predicted)
    assert predicted.fits_refused is (scene.filler.refused and fits(scene, scene.filler.refused.needed_bytes))


def is_full_when_predicted(scene, predicted):
    """Growth that goes on leaves no room for a write by the limit of that very moment, and did by that before."""
    used = scene.filler.used_bytes + scene.filler.write_bytes - 1
    pace, full_at = predicted.bytes_per_hour, predicted.forecast.full_at
    if full_at is None:
        assert predicted.forecast.outlook is not Outlook.FULL or used >= predicted.limit_bytes
        return
    assert used + pace * ((full_at - scene.now) / HOUR) >= scene.usage(at=full_at).limit_bytes - 1
    assert used + pace * ((full_at - scene.now) / HOUR) <= scene.usage(at=full_at - INSTANT).limit_bytes + 1


def fits(scene, size_bytes):
    try:
        scene.person.writes(content_of(size_bytes), tier=scene.tier, at=scene.now)
    except QuotaExceeded:
        return False
    return True


@property_test
@given(state=STATES, per_minute=st.integers(1, 12), hours=st.integers(1, 48))
def test_a_throttle_lets_through_no_more_than_was_predicted(on_scene, state, per_minute, hours):
    on_scene(state, lambda scene: throttle_and_compare(scene, per_minute, timedelta(hours=hours)))


def throttle_and_compare(scene, per_minute, length):
    ends_at = scene.now + length
    predicted = remedies.throttled(scene.filler.situation, per_minute=per_minute, ends_at=ends_at, now=scene.now)
    before = scene.usage()

    brake = Brake(ThrottleScope.WRITE, per_minute)
    measures.throttle(scene.sender(), brake, user_id=scene.person.id, ends_at=ends_at, now=scene.now)
    began = time.monotonic()
    answers = scene.calls(per_minute + 2)
    took = timedelta(seconds=time.monotonic() - began)

    passed = answers[201] + answers[413]
    grown = scene.usage(at=clock.utc_now()).active_bytes - before.active_bytes
    assert set(answers) <= {201, 413, 429}
    assert per_minute <= passed <= predicted.most_writes(took)
    assert grown == answers[201] * scene.filler.write_bytes
    most = per_minute * 60 * scene.filler.write_bytes
    assert predicted.most_per_hour == most
    assert grown <= most * (took / HOUR) + per_minute * scene.filler.write_bytes
    assert predicted.bytes_per_hour == min(most, scene.filler.bytes_per_hour)
    assert (predicted.limit_bytes, predicted.room_bytes) == (before.limit_bytes, before.room_bytes)
    assert not Throttle.objects.filter(user_id=scene.person.id, period__contains=ends_at).exists()
    full_at = predicted.forecast.full_at
    if full_at is not None and full_at < ends_at:
        is_full_when_predicted(scene, predicted)


@property_test
@given(state=STATES, hours=st.integers(1, 48))
def test_a_block_lets_nothing_through_as_predicted(on_scene, state, hours):
    on_scene(state, lambda scene: block_and_compare(scene, timedelta(hours=hours)))


def block_and_compare(scene, length):
    ends_at = scene.now + length
    predicted = remedies.blocked(scene.filler.situation, ends_at=ends_at, now=scene.now)
    before = scene.usage()

    brake = Brake(ThrottleScope.WRITE, None)
    measures.throttle(scene.sender(), brake, user_id=scene.person.id, ends_at=ends_at, now=scene.now)
    answers = scene.calls(3)

    assert (predicted.bytes_per_hour, predicted.per_minute, predicted.most_writes(length)) == (0, 0, 0)
    assert answers == {429: 3}
    assert scene.usage() == before
    full_at = predicted.forecast.full_at
    if full_at is not None and full_at < ends_at:
        assert before.active_bytes + scene.filler.write_bytes > scene.usage(at=full_at).limit_bytes


@property_test
@given(state=STATES, target_bytes=st.integers(1, 20_000))
def test_a_plan_frees_what_was_predicted_or_more(on_scene, state, target_bytes):
    on_scene(state, lambda scene: plan_and_compare(scene, target_bytes))


def plan_and_compare(scene, target_bytes):
    predicted = remedies.planned(scene.filler.situation, scene.movable(), target_bytes=target_bytes, now=scene.now)
    before = scene.usage()

    target = plans.Target(target_bytes)
    plan = plans.make(scene.person.id, target=target, tier=scene.tier, actor=TESTER, why=WHY, now=scene.now)
    plans.apply(plan.pk, actor=TESTER, why=WHY, now=scene.now)

    after = scene.usage()
    frees_at_least(predicted, before, after)
    assert (predicted.frees_bytes == target_bytes) is (plan.shortfall_bytes == 0)
    if predicted.fits_refused:
        assert fits(scene, scene.filler.refused.needed_bytes)


def frees_at_least(predicted, before, after):
    assert before.active_bytes - after.active_bytes >= predicted.frees_bytes
    assert after.room_bytes >= predicted.room_bytes
    assert after.share <= predicted.share
    assert after.limit_bytes == predicted.limit_bytes


@property_test
@given(state=STATES, soft=st.floats(0.1, 0.9), short_lived=SIZED, protects=st.booleans())
def test_a_meditation_frees_what_was_predicted_or_more(on_scene, state, soft, short_lived, protects):
    on_scene(state, lambda scene: meditate_and_compare(scene, soft, short_lived, protects=protects))


def meditate_and_compare(scene, soft, short_lived, *, protects):
    """Some short-term items are past their life, and one item of the tier may be protected."""
    policies = TierPolicy.objects.filter(plan__memoryuser=scene.person.id)
    yesterday = scene.now - 25 * HOUR
    policies.update(soft_bytes=int(scene.state.plan_bytes * soft))
    for size in short_lived:
        if size <= scene.person.free_bytes(Tier.SHORT_TERM, at=yesterday):
            scene.person.writes(content_of(size), tier=Tier.SHORT_TERM, at=yesterday)
    if protects:
        mine = MemoryItem.objects.filter(user_id=scene.person.id).order_by("-size_bytes", "pk")
        mine.filter(pk=mine.values("pk")[:1]).update(protected=True)
    before = scene.usage()
    situation = replace(scene.filler.situation, used_bytes=before.active_bytes)
    predicted = remedies.meditated(situation, scene.movable(), now=scene.now)

    run = MeditationRun.objects.create(
        trigger=Trigger.MANUAL, state=RunState.RUNNING, user_id=scene.person.id, profile_version=1,
        created_at=scene.now, created_by=str(TESTER),
    )  # fmt: skip
    profile = scoring.current_profile()
    meditation.meditate([scene.person.id], run_id=run.pk, profile=profile, now=scene.now)

    frees_at_least(predicted, before, scene.usage())


@property_test
@given(state=STATES)
def test_doing_nothing_is_predicted_as_well(on_scene, state):
    def compare(scene):
        predicted = remedies.nothing(scene.filler.situation, now=scene.now)
        now = scene.usage()
        assert (predicted.limit_bytes, predicted.room_bytes) == (now.limit_bytes, now.room_bytes)
        assert predicted.share == pytest.approx(now.share)
        is_full_when_predicted(scene, predicted)

    on_scene(state, compare)
