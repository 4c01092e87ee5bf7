"""Temporary measures: overrides and throttles. Each has an end, a reason and an owner, and stops by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib import bytesize, clock, texts
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from memory.models import MemoryUser, Plan, QuotaOverride, Throttle
from memory.queries import usage
from memory.rules.limits import ThrottleMode, ThrottleScope
from memory.rules.tiers import Tier, UserState
from memory.services import quotas

Measure = TypeVar("Measure", QuotaOverride, Throttle)

REASON_CHARACTERS = 10
TICKET_CHARACTERS = 64
LONGEST = timedelta(days=90)
MOST_BYTES = 1 << 40
MOST_PER_MINUTE = 1_000_000


class AlreadyLimited(Refusal):
    """Another measure of the same sort holds in that time: two at once would hide which one counts."""

    slug = "already-limited"
    kind = Kind.CONFLICT
    title = "Another measure holds for this target in that time. End it first."

    def __init__(self, existing: QuotaOverride | Throttle | None, *, now: datetime) -> None:
        super().__init__(existing)
        self.existing = existing
        self.now = now

    @property
    def detail(self) -> str:
        if self.existing is None:
            return self.title
        if isinstance(self.existing, Throttle):
            what = f"throttle of {ThrottleScope(self.existing.scope).call}s"
        else:
            what = f"raise of {self.existing.tier} to {bytesize.human(self.existing.hard_bytes)}"
        until = clock.time_of_day(self.existing.period.upper, self.now)
        owner = self.existing.created_by_label or self.existing.created_by
        return f"A {what}, set by {owner}, holds until {until}. End it first."

    def facts(self) -> dict[str, Any]:
        return {"existing_id": self.existing.public_id if self.existing else None}


class AlreadyEnded(Refusal):
    """The measure is over; there is nothing to end."""

    slug = "already-ended"
    kind = Kind.CONFLICT
    title = "It has ended already."


class NoSuchMeasure(Refusal):
    """There is no such override or throttle."""

    slug = "measure-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such override or throttle."


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks for a measure, why, and until when."""

    actor: Actor
    actor_label: str
    why: Why
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """What a throttle brakes: exactly one of a user, an API client, a tier of all users."""

    user_id: UUID | None = None
    client_id: UUID | None = None
    tier: Tier | None = None


def raise_quota(
    *, user_id: UUID, tier: Tier, hard_bytes: int, order: Order, now: datetime, replacing: UUID | None = None
) -> QuotaOverride:
    """Give a user's tier another hard limit from now until the order's end, in place of the override `replacing`.

    Raises Invalid, UserGone, AlreadyLimited when another override holds in that time; when the one to replace is not
    there or over, NoSuchMeasure or AlreadyEnded.
    """
    _check(order, now)
    if not 0 < hard_bytes <= MOST_BYTES:
        raise Invalid(("/hard_bytes", f"must be from 1 B to {bytesize.human(MOST_BYTES)}"))
    _user(user_id)
    existing = QuotaOverride.objects.filter(user_id=user_id, tier=tier, period__overlap=_period(order, now))
    before = {"limit_bytes": usage.of_user(user_id, now=now)[tier].limit_bytes}
    with _one_at_a_time(existing, now), transaction.atomic():
        _wait_for_others(f"override {user_id} {tier}")
        replaced = _end_replaced(replacing, user_id, tier, order.actor, now) if replacing else {}
        made = QuotaOverride.objects.create(user_id=user_id, tier=tier, hard_bytes=hard_bytes, **_ownership(order, now))
        facts = {"tier": str(tier), "hard_bytes": hard_bytes, "ends_at": order.ends_at.isoformat()}
        after = {**facts, "override": str(made.pk), **replaced}
        _record("quota.raised", user_id, order.actor, now, before, after, order.why)
    return made


def _end_replaced(override_id: UUID, user_id: UUID, tier: Tier, actor: Actor, now: datetime) -> dict[str, str]:
    """End the override in the transaction that makes the next: no write meets the plan's limit in between."""
    found = QuotaOverride.objects.select_for_update().filter(pk=override_id, user_id=user_id, tier=tier).first()
    return {"replaces": str(_end(found, actor=actor, now=now).pk)}


def end_override(override_id: UUID, *, actor: Actor, why: Why, now: datetime) -> QuotaOverride:
    """End an override now; one that has not begun is deleted. Raises Invalid, NoSuchMeasure or AlreadyEnded."""
    require_reason(why)
    with transaction.atomic():
        found = QuotaOverride.objects.select_for_update().filter(pk=override_id).first()
        override = _end(found, actor=actor, now=now)
        facts = {"override": str(override.pk), "tier": override.tier}
        _record("quota.override_ended", override.user_id, actor, now, {"hard_bytes": override.hard_bytes}, facts, why)
    return override


def throttle(*, target: Target, scope: ThrottleScope, per_minute: int | None, order: Order, now: datetime) -> Throttle:
    """Brake the target from now until the order's end: to so many calls a minute, or wholly when `per_minute` is None.

    Raises Invalid, UserGone, or AlreadyLimited when another throttle of that scope holds in that time.
    """
    _check(order, now)
    if per_minute is not None and not 1 <= per_minute <= MOST_PER_MINUTE:
        raise Invalid(("/per_minute", f"must be from 1 to {MOST_PER_MINUTE:,}; to stop all calls, block"))
    if target.user_id is not None:
        _require_brake(_user(target.user_id).plan, scope, per_minute)
    same = {"user_id": target.user_id, "client_id": target.client_id, "tier": target.tier or ""}
    existing = Throttle.objects.filter(**same, scope=scope, period__overlap=_period(order, now))
    mode = ThrottleMode.BLOCK if per_minute is None else ThrottleMode.RATE
    with _one_at_a_time(existing, now), transaction.atomic():
        _wait_for_others(f"throttle {target} {scope}")
        made = Throttle.objects.create(**same, scope=scope, mode=mode, per_minute=per_minute, **_ownership(order, now))
        facts = {"scope": str(scope), "mode": str(mode), "per_minute": per_minute, "throttle": str(made.pk)}
        after = {**facts, "ends_at": order.ends_at.isoformat()}
        _record("throttle.set", _subject_of(made), order.actor, now, {}, after, order.why)
    return made


def lift_throttle(throttle_id: UUID, *, actor: Actor, why: Why, now: datetime) -> Throttle:
    """End a throttle now; one that has not begun is deleted. Raises Invalid, NoSuchMeasure or AlreadyEnded."""
    require_reason(why)
    with transaction.atomic():
        found = Throttle.objects.select_for_update().filter(pk=throttle_id).first()
        lifted = _end(found, actor=actor, now=now)
        facts = {"throttle": str(lifted.pk), "scope": lifted.scope}
        _record("throttle.lifted", _subject_of(lifted), actor, now, {"per_minute": lifted.per_minute}, facts, why)
    return lifted


def _check(order: Order, now: datetime) -> None:
    errors = errors_of(order.why)
    if order.ends_at <= now:
        errors.append(("/ends_at", "is in the past"))
    elif order.ends_at > now + LONGEST:
        errors.append(("/ends_at", f"is more than {LONGEST.days} days away; change the plan instead"))
    _refuse(errors)


def require_reason(why: Why) -> None:
    """Raise Invalid where a reason or its ticket says too little or cannot be read."""
    _refuse(errors_of(why))


def errors_of(why: Why) -> list[tuple[str, str]]:
    """What is wrong with a reason and its ticket: JSON pointers and sentences. An undo may do without a reason."""
    errors: list[tuple[str, str]] = []
    needs_reason = why.undoes is None or why.reason
    if unseen := texts.unseen_error(why.reason, allow_lines=True):
        errors.append(("/reason", unseen))
    if needs_reason and len(why.reason.strip()) < REASON_CHARACTERS:
        errors.append(
            ("/reason", f"must have at least {REASON_CHARACTERS} characters, so that the next reader understands")
        )
    if unseen := texts.unseen_error(why.ticket):
        errors.append(("/ticket", unseen))
    if len(why.ticket) > TICKET_CHARACTERS:
        errors.append(("/ticket", f"must have at most {TICKET_CHARACTERS} characters"))
    return errors


def _refuse(errors: list[tuple[str, str]]) -> None:
    if errors:
        raise Invalid(*errors)


def _user(user_id: UUID) -> MemoryUser:
    """The user, with the plan; UserGone when there is none, or no longer."""
    there = MemoryUser.objects.select_related("plan").filter(pk=user_id).exclude(state=UserState.ERASED)
    found = there.first()
    if found is None:
        raise quotas.UserGone
    return found


def _require_brake(plan: Plan, scope: ThrottleScope, per_minute: int | None) -> None:
    """Refuse a throttle that the plan's own rate makes idle: pages would say that the user is held back."""
    writes, reads = plan.write_per_minute, plan.query_per_minute
    most = {ThrottleScope.WRITE: writes, ThrottleScope.QUERY: reads}.get(scope, writes + reads)  # `all` counts both
    if per_minute is not None and per_minute >= most:
        sentence = f"is not below the plan's {most:,} {scope.call}s a minute: it would hold nothing back"
        raise Invalid(("/per_minute", sentence))


def _period(order: Order, now: datetime) -> DateTimeTZRange:
    return DateTimeTZRange(now, order.ends_at, "[)")


def _ownership(order: Order, now: datetime) -> dict[str, Any]:
    return {
        "period": _period(order, now),
        "planned_end_at": order.ends_at,
        "reason": order.why.reason.strip(),
        "ticket": order.why.ticket,
        "created_by": str(order.actor),
        "created_by_label": order.actor_label,
        "created_at": now,
    }


def _wait_for_others(target: str) -> None:
    """Let who orders for the same target at the same time do so one after the other.

    Two that only met at the exclusion constraint would wait for each other, and one would end as a deadlock.
    """
    statements.fetch_one("SELECT pg_advisory_xact_lock(hashtextextended(%(target)s::text, 0))", {"target": target})


@contextmanager
def _one_at_a_time(existing: Any, now: datetime) -> Iterator[None]:
    """Turn the exclusion constraint's word into the refusal that names what holds already."""
    try:
        yield
    except IntegrityError as error:
        if "_no_overlap_ex" not in str(error):
            raise
        raise AlreadyLimited(existing.order_by("created_at", "pk").first(), now=now) from error


def _end(measure: Measure | None, *, actor: Actor, now: datetime) -> Measure:
    if measure is None:
        raise NoSuchMeasure
    if measure.period.upper <= now:
        raise AlreadyEnded
    if measure.period.lower >= now:
        type(measure).objects.filter(pk=measure.pk).delete()
        return measure
    measure.period = DateTimeTZRange(measure.period.lower, now, "[)")
    measure.ended_by = str(actor)
    measure.save(update_fields=["period", "ended_by"])
    return measure


def _subject_of(made: Throttle) -> UUID | Subject:
    if made.user_id is not None:
        return made.user_id
    return Subject("api-client", str(made.client_id)) if made.client_id else Subject("tier", made.tier)


def _record(
    action: str,
    subject: UUID | Subject,
    actor: Actor,
    now: datetime,
    before: dict[str, Any],
    after: dict[str, Any],
    why: Why,
) -> None:
    whom = subject if isinstance(subject, Subject) else Subject("user", str(subject))
    trail.record(action, subject=whom, actor=actor, now=now, before=before, after=after, why=why)
