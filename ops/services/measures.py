"""What staff does to limits: the role table and support's bounds first, then the one service that makes the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kimberly.audit.trail import Why
from kimberly.lib import bytesize
from kimberly.lib.actors import Actor, ActorKind
from kimberly.lib.errors import Invalid, Kind
from memory.models import QuotaOverride, Throttle
from memory.queries import usage
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits, quotas
from memory.services.limits import Order, Target
from ops import roles
from ops.roles import SUPPORT_LONGEST_RAISE, SUPPORT_MOST_TIMES_PLAN, Role
from ops.services import forms


class BeyondSupport(Invalid):
    """Support raises to at most twice the plan's limit for at most seven days; a lead has no bound."""

    slug = "beyond-support"
    kind = Kind.FORBIDDEN
    title = "This is more than support may raise. A lead can."
    explanation = "Each entry of `errors` names the value that is beyond the bound, and the bound."


@dataclass(frozen=True, slots=True)
class Sender:
    """The person of staff who sends a form: which one, through which request, and why."""

    staff: Any
    form: UUID
    why: Why
    request_id: str
    said: str = ""
    """What the form says, as a hash."""

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.STAFF, str(self.staff.pk), self.request_id)

    def order(self, *, ends_at: datetime) -> Order:
        return Order(self.actor, roles.label_of(self.staff), self.why, ends_at)


@dataclass(frozen=True, slots=True)
class Brake:
    """Which calls are braked, to how many a minute; None blocks them."""

    scope: ThrottleScope
    per_minute: int | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A tier's limit in bytes, and the raise in whose place it comes."""

    tier: Tier
    hard_bytes: int
    replacing: UUID | None = None


def throttle(sender: Sender, brake: Brake, *, user_id: UUID, ends_at: datetime, now: datetime) -> Throttle:
    """Brake a user until the end.

    Raises NotYourRole, Invalid, UserGone, AlreadyLimited or AlreadySent.
    """
    roles.require(sender.staff, roles.THROTTLE)

    def effect() -> Throttle:
        order, target = sender.order(ends_at=ends_at), Target(user_id=user_id)
        return limits.throttle(target=target, scope=brake.scope, per_minute=brake.per_minute, order=order, now=now)

    return forms.once(sender, effect, now=now)


def raise_quota(sender: Sender, limit: Limit, *, user_id: UUID, ends_at: datetime, now: datetime) -> QuotaOverride:
    """Give a user's tier a higher limit until the end.

    Raises NotYourRole, BeyondSupport, Invalid, UserGone, AlreadyLimited, NoSuchMeasure, AlreadyEnded or AlreadySent.
    """
    roles.require(sender.staff, roles.RAISE_QUOTA)
    _require_within_bounds(sender, limit, user_id=user_id, ends_at=ends_at, now=now)

    def effect() -> QuotaOverride:
        order = sender.order(ends_at=ends_at)
        return limits.raise_quota(
            user_id=user_id,
            tier=limit.tier,
            hard_bytes=limit.hard_bytes,
            order=order,
            now=now,
            replacing=limit.replacing,
        )

    return forms.once(sender, effect, now=now)


def lift_throttle(sender: Sender, throttle_id: UUID, *, now: datetime) -> Throttle:
    """End a throttle now. Raises NotYourRole, Invalid, NoSuchMeasure, AlreadyEnded or AlreadySent."""
    roles.require(sender.staff, roles.LIFT_THROTTLE)
    limits.require_reason(sender.why)

    def effect() -> Throttle:
        return limits.lift_throttle(throttle_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def end_override(sender: Sender, override_id: UUID, *, now: datetime) -> QuotaOverride:
    """End a raise now. Raises NotYourRole, Invalid, NoSuchMeasure, AlreadyEnded or AlreadySent."""
    roles.require(sender.staff, roles.END_OVERRIDE)
    limits.require_reason(sender.why)

    def effect() -> QuotaOverride:
        return limits.end_override(override_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def bound_of(staff: Any) -> str:
    """How far the person may raise, in a sentence."""
    if _is_bounded(staff):
        days = SUPPORT_LONGEST_RAISE.days
        return f"Support raises to at most {SUPPORT_MOST_TIMES_PLAN} times the plan’s limit for at most {days} days."
    return f"A lead raises as far as needed, for at most {limits.LONGEST.days} days."


def _is_bounded(staff: Any) -> bool:
    return Role.LEAD not in roles.roles_of(staff)


def _require_within_bounds(sender: Sender, limit: Limit, *, user_id: UUID, ends_at: datetime, now: datetime) -> None:
    tiers = usage.of_user(user_id, now=now)
    if limit.tier not in tiers:
        raise quotas.UserGone
    plan_bytes = tiers[limit.tier].plan_bytes
    if limit.hard_bytes <= plan_bytes:
        raise Invalid(("/hard_bytes", f"is not more than the plan's {bytesize.human(plan_bytes)}"))
    if not _is_bounded(sender.staff):
        return
    errors: list[tuple[str, str]] = []
    if limit.hard_bytes > plan_bytes * SUPPORT_MOST_TIMES_PLAN:
        most = bytesize.human(plan_bytes * SUPPORT_MOST_TIMES_PLAN)
        errors.append(("/hard_bytes", f"is more than {most}, twice the plan's limit: a lead can raise further"))
    if ends_at > now + SUPPORT_LONGEST_RAISE:
        days = SUPPORT_LONGEST_RAISE.days
        errors.append(("/ends_at", f"is more than {days} days away: a lead can raise for longer"))
    if errors:
        raise BeyondSupport(*errors)
