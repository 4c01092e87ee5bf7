"""Overrides and throttles: each has an end, a reason and an owner, and stops by itself at that very instant."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why, sha256_of
from kimberly.lib.errors import Invalid
from kimberly.lib.remember import forget_everything
from memory.models import MemoryUser, QuotaOverride, Throttle
from memory.queries import throttles
from memory.rules.limits import LimitSource, ThrottleScope
from memory.rules.tiers import Tier, UserState
from memory.services import limits
from memory.services.limits import AlreadyEnded, AlreadyLimited, NoSuchMeasure, Order, Target
from memory.services.quotas import QuotaExceeded, UserGone
from tests.counts import rounds
from tests.personas import NOON, TESTER, Person, an_order, content_of

pytestmark = pytest.mark.promise("F12")

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
PLAN_BYTES = 2 << 20
WHY = Why("no longer needed at all", "T-7")


def limit_of(person: Person, at: datetime) -> int:
    return person.usage(Tier.LONG_TERM, at=at).limit_bytes


def refused_at(error: Invalid) -> set[str]:
    return {pointer for pointer, _ in error.errors}


def test_the_plans_limit_holds_again_at_the_instant_of_the_end(alice):
    alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)

    assert limit_of(alice, NOON) == limit_of(alice, NOON + HOUR - INSTANT) == 3 << 20
    assert limit_of(alice, NOON - INSTANT) == limit_of(alice, NOON + HOUR) == PLAN_BYTES


def test_what_an_ended_override_let_in_stays_and_the_next_write_is_refused(alice):
    alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)
    alice.fill(Tier.LONG_TERM, leaving_bytes=100, at=NOON)
    alice.writes(content_of(50), at=NOON + HOUR - INSTANT)

    with pytest.raises(QuotaExceeded) as refusal:
        alice.writes(content_of(50), at=NOON + HOUR)

    assert refusal.value.tier.limit_source is LimitSource.PLAN
    assert alice.usage(Tier.LONG_TERM, at=NOON + HOUR).active_bytes == (3 << 20) - 50


def test_a_throttle_is_in_force_until_the_instant_of_its_end(alice):
    alice.is_throttled(until=NOON + HOUR)

    for now, holds in ((NOON - INSTANT, 0), (NOON, 1), (NOON + HOUR - INSTANT, 1), (NOON + HOUR, 0)):
        forget_everything()
        brakes = throttles.in_force(now=now)
        assert len(brakes.of_user.get(alice.id, [])) == holds


def test_a_throttle_that_is_remembered_ends_on_time_all_the_same(alice):
    alice.is_throttled(until=NOON + HOUR)
    brakes = throttles.in_force(now=NOON)

    call = {"user_id": alice.id, "client_id": uuid4(), "tiers": frozenset(Tier), "scope": ThrottleScope.WRITE}
    assert brakes.on(**call, now=NOON + HOUR - INSTANT)
    assert not brakes.on(**call, now=NOON + HOUR)


# Local times around changes of the clock; with the fold where an hour comes twice.
LOCAL_ENDS = [
    ("Europe/Lisbon", "2026-10-25T01:30", 0),
    ("Europe/Lisbon", "2026-10-25T01:30", 1),
    ("Europe/Lisbon", "2026-03-29T02:00", 0),
    ("America/New_York", "2026-11-01T01:59:59", 0),
    ("America/New_York", "2026-11-01T01:59:59", 1),
    ("America/New_York", "2026-03-08T03:00", 0),
    ("Australia/Lord_Howe", "2026-04-05T01:45", 0),
    ("Australia/Lord_Howe", "2026-04-05T01:45", 1),
    ("Pacific/Apia", "2026-12-31T23:59:59", 0),
    ("Asia/Kathmandu", "2028-02-29T23:59", 0),
    ("Africa/Casablanca", "2026-02-15T02:30", 1),
    ("UTC", "2026-12-31T23:59:59.999999", 0),
]


@pytest.mark.parametrize(("zone", "local", "fold"), LOCAL_ENDS)
def test_an_end_in_local_time_is_that_instant_whatever_the_clocks_there_do(alice, zone, local, fold):
    ends_at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)
    instant = ends_at.astimezone(UTC)
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=ends_at, at=instant - 3 * HOUR)

    raised.refresh_from_db()
    assert raised.period.upper == raised.planned_end_at == instant
    assert limit_of(alice, instant - INSTANT) == 3 << 20
    assert limit_of(alice, instant) == PLAN_BYTES


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(hours=25), timedelta(days=366), -timedelta(days=366)])
def test_a_clock_that_jumps_neither_lengthens_nor_ends_a_measure(alice, jump):
    alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR / 2)

    assert limit_of(alice, NOON) == 3 << 20
    assert limit_of(alice, NOON + jump) == PLAN_BYTES
    assert limit_of(alice, NOON + INSTANT) == 3 << 20


def test_ending_early_takes_effect_at_once_and_keeps_what_was_planned(alice):
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + 2 * HOUR)

    limits.end_override(raised.pk, actor=TESTER, why=WHY, now=NOON + HOUR)

    raised.refresh_from_db()
    assert limit_of(alice, NOON + HOUR - INSTANT) == 3 << 20
    assert limit_of(alice, NOON + HOUR) == PLAN_BYTES
    assert (raised.planned_end_at, raised.ended_by) == (NOON + 2 * HOUR, "command:tests")


def test_a_throttle_that_is_lifted_early_makes_room_for_another(alice):
    braked = alice.is_throttled(until=NOON + 2 * HOUR)
    limits.lift_throttle(braked.pk, actor=TESTER, why=WHY, now=NOON + HOUR)

    again = alice.is_throttled(until=NOON + 2 * HOUR, at=NOON + HOUR)

    assert [row.pk for row in Throttle.objects.filter(user_id=alice.id).order_by("period")] == [braked.pk, again.pk]


def test_a_measure_that_has_not_begun_is_deleted_and_the_trail_says_so(alice):
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + 2 * HOUR, at=NOON + HOUR)
    braked = alice.is_throttled(until=NOON + 2 * HOUR, at=NOON + HOUR)

    limits.end_override(raised.pk, actor=TESTER, why=WHY, now=NOON)
    limits.lift_throttle(braked.pk, actor=TESTER, why=WHY, now=NOON)

    assert not QuotaOverride.objects.filter(pk=raised.pk).exists()
    assert not Throttle.objects.filter(pk=braked.pk).exists()
    assert actions_on(alice)[-2:] == ["quota.override_ended", "throttle.lifted"]


def test_a_measure_ends_once(alice):
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)
    braked = alice.is_throttled(until=NOON + HOUR)

    for now in (NOON + HOUR, NOON + 2 * HOUR):
        with pytest.raises(AlreadyEnded):
            limits.end_override(raised.pk, actor=TESTER, why=WHY, now=now)
        with pytest.raises(AlreadyEnded):
            limits.lift_throttle(braked.pk, actor=TESTER, why=WHY, now=now)


def test_a_raise_that_replaces_another_leaves_no_instant_between_them(alice):
    first = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)
    then = NOON + HOUR / 2

    raising = {"user_id": alice.id, "tier": Tier.LONG_TERM, "hard_bytes": 4 << 20, "now": then}
    second = limits.raise_quota(**raising, order=an_order(ends_at=NOON + 2 * HOUR), replacing=first.pk)

    first.refresh_from_db()
    assert first.period.upper == second.period.lower == then
    assert (limit_of(alice, then - INSTANT), limit_of(alice, then)) == (3 << 20, 4 << 20)
    assert actions_on(alice) == ["quota.raised", "quota.raised"]


def test_only_what_holds_for_that_user_and_tier_is_replaced(alice):
    over = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)
    other = alice.is_raised(Tier.PERMANENT, 20 << 20, until=NOON + 3 * HOUR)

    raising = {"user_id": alice.id, "tier": Tier.LONG_TERM, "hard_bytes": 4 << 20, "now": NOON + HOUR}
    for replacing, refusal in ((over.pk, AlreadyEnded), (other.pk, NoSuchMeasure), (uuid4(), NoSuchMeasure)):
        with pytest.raises(refusal):
            limits.raise_quota(**raising, order=an_order(ends_at=NOON + 2 * HOUR), replacing=replacing)

    assert limit_of(alice, NOON + HOUR) == PLAN_BYTES
    assert alice.usage(Tier.PERMANENT, at=NOON + HOUR).limit_bytes == 20 << 20


def test_there_is_nothing_to_end_where_there_is_nothing(db):
    with pytest.raises(NoSuchMeasure):
        limits.end_override(uuid4(), actor=TESTER, why=WHY, now=NOON)
    with pytest.raises(NoSuchMeasure):
        limits.lift_throttle(uuid4(), actor=TESTER, why=WHY, now=NOON)


@pytest.mark.parametrize(
    ("order", "pointers"),
    [
        (an_order(ends_at=NOON), {"/ends_at"}),
        (an_order(ends_at=NOON - INSTANT), {"/ends_at"}),
        (an_order(ends_at=NOON + limits.LONGEST + INSTANT), {"/ends_at"}),
        (Order(TESTER, "", Why("  too short  "), NOON + HOUR), {"/reason"}),
        (Order(TESTER, "", Why("long enough to be read", "T" * 65), NOON + HOUR), {"/ticket"}),
        (Order(TESTER, "", Why(""), NOON - HOUR), {"/reason", "/ends_at"}),
    ],
)
def test_an_order_without_a_reason_or_a_sensible_end_is_refused(alice, order, pointers):
    with pytest.raises(Invalid) as raising:
        limits.raise_quota(user_id=alice.id, tier=Tier.LONG_TERM, hard_bytes=100, order=order, now=NOON)
    with pytest.raises(Invalid) as braking:
        limits.throttle(target=Target(user_id=alice.id), scope=ThrottleScope.ALL, per_minute=1, order=order, now=NOON)

    assert refused_at(raising.value) == refused_at(braking.value) == pointers


@pytest.mark.parametrize("hard_bytes", [0, -1, limits.MOST_BYTES + 1, 1 << 63])
def test_a_limit_that_is_no_limit_is_refused(alice, hard_bytes):
    with pytest.raises(Invalid) as refusal:
        alice.is_raised(Tier.LONG_TERM, hard_bytes, until=NOON + HOUR)

    assert refused_at(refusal.value) == {"/hard_bytes"}


@pytest.mark.parametrize("per_minute", [0, -1, limits.MOST_PER_MINUTE + 1, 1 << 31])
def test_a_rate_that_is_no_rate_is_refused(alice, per_minute):
    with pytest.raises(Invalid) as refusal:
        alice.is_throttled(per_minute=per_minute)

    assert refused_at(refusal.value) == {"/per_minute"}


@pytest.mark.parametrize(
    ("scope", "most"), [(ThrottleScope.WRITE, 1200), (ThrottleScope.QUERY, 1200), (ThrottleScope.ALL, 2400)]
)
def test_a_throttle_that_the_plans_own_rate_makes_idle_is_refused(alice, scope, most):
    with pytest.raises(Invalid) as refusal:
        alice.is_throttled(scope, per_minute=most)

    assert refused_at(refusal.value) == {"/per_minute"}
    assert alice.is_throttled(scope, per_minute=most - 1).per_minute == most - 1


def test_nobody_who_is_gone_is_raised_or_throttled(alice):
    MemoryUser.objects.filter(pk=alice.id).update(state=UserState.ERASED)

    for somebody in (alice, Person(uuid4(), "eve")):
        with pytest.raises(UserGone):
            somebody.is_raised(Tier.LONG_TERM, 100, until=NOON + HOUR)
        with pytest.raises(UserGone):
            somebody.is_throttled()


def test_whoever_comes_second_is_told_who_was_first_and_until_when(alice):
    first = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)

    with pytest.raises(AlreadyLimited) as refusal:
        alice.is_raised(Tier.LONG_TERM, 4 << 20, until=NOON + 2 * HOUR)

    assert refusal.value.facts() == {"existing_id": first.public_id}
    assert refusal.value.detail == "A raise of long-term to 3 MiB, set by The tests, holds until 13:00. End it first."
    assert limit_of(alice, NOON) == 3 << 20


def actions_on(person: Person) -> list[str]:
    entries = AuditEntry.objects.filter(subject_kind="user", subject_id=str(person.id)).order_by("id")
    return [entry.action for entry in entries if not entry.action.startswith("user.")]


def test_each_change_is_one_entry_with_the_words_apart(alice):
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)
    limits.end_override(raised.pk, actor=TESTER, why=WHY, now=NOON + HOUR / 2)
    braked = alice.is_throttled(per_minute=None)
    limits.lift_throttle(braked.pk, actor=TESTER, why=WHY, now=NOON + HOUR / 2)

    assert actions_on(alice) == ["quota.raised", "quota.override_ended", "throttle.set", "throttle.lifted"]
    entry = AuditEntry.objects.select_related("text").get(action="throttle.lifted", subject_id=str(alice.id))
    assert (entry.reason_sha256, entry.ticket_sha256) == (sha256_of(WHY.reason), sha256_of(WHY.ticket))
    assert (entry.text.reason, entry.text.ticket) == (WHY.reason, WHY.ticket)
    assert WHY.reason not in f"{entry.before}{entry.after}"


def test_the_entry_of_a_raise_says_what_was_and_what_is(alice):
    raised = alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)

    entry = AuditEntry.objects.get(action="quota.raised", subject_id=str(alice.id))
    assert entry.before == {"limit_bytes": PLAN_BYTES}
    assert entry.after == {
        "tier": "long-term",
        "hard_bytes": 3 << 20,
        "ends_at": (NOON + HOUR).isoformat(),
        "override": str(raised.pk),
    }


def test_a_refused_order_leaves_no_entry(alice):
    alice.is_raised(Tier.LONG_TERM, 3 << 20, until=NOON + HOUR)

    with pytest.raises(AlreadyLimited):
        alice.is_raised(Tier.LONG_TERM, 4 << 20, until=NOON + HOUR)

    assert actions_on(alice) == ["quota.raised"]


MINUTES = st.integers(0, 240)
ORDERS = st.lists(
    st.tuples(st.sampled_from(["raise", "end"]), MINUTES, st.integers(1, 90), st.integers(1, 1 << 30)), max_size=12
)


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


class Model:
    """What overrides should do: (from, to, bytes) in minutes; the newest last."""

    def __init__(self) -> None:
        self.held: dict[UUID, tuple[int, int, int]] = {}

    def limit_at(self, number: int) -> int:
        return next((size for begin, end, size in self.held.values() if begin <= number < end), PLAN_BYTES)

    def meets(self, begin: int, end: int) -> bool:
        return any(begin < other_end and other_begin < end for other_begin, other_end, _ in self.held.values())


@settings(max_examples=rounds(25, 500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS, moments=st.lists(MINUTES, min_size=3, max_size=6))
def test_whatever_is_raised_and_ended_at_whatever_time_one_limit_holds_at_each(db, orders, moments):
    with transaction.atomic():
        person, model = Person.register("alice"), Model()
        for verb, now, minutes, size_bytes in orders:
            (raises if verb == "raise" else ends)(person, model, now, minutes, size_bytes)

        assert [limit_of(person, minute(at)) for at in moments] == [model.limit_at(at) for at in moments]
        transaction.set_rollback(True)


def raises(person: Person, model: Model, now: int, minutes: int, size_bytes: int) -> None:
    until = minute(now + minutes)
    if model.meets(now, now + minutes):
        with pytest.raises(AlreadyLimited):
            person.is_raised(Tier.LONG_TERM, size_bytes, until=until, at=minute(now))
    else:
        made = person.is_raised(Tier.LONG_TERM, size_bytes, until=until, at=minute(now))
        model.held[made.pk] = (now, now + minutes, size_bytes)


def ends(_person: Person, model: Model, now: int, minutes: int, _size_bytes: int) -> None:
    if not model.held:
        return
    which = sorted(model.held)[minutes % len(model.held)]
    begin, end, size_bytes = model.held[which]
    if end <= now:
        with pytest.raises(AlreadyEnded):
            limits.end_override(which, actor=TESTER, why=WHY, now=minute(now))
        return
    limits.end_override(which, actor=TESTER, why=WHY, now=minute(now))
    if begin < now:
        model.held[which] = (begin, now, size_bytes)
    else:
        del model.held[which]
