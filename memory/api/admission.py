"""Before a call does anything: whose memories it is about, and whether it may pass now."""

import math
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest

from kimberly.clients.authentication import Caller
from kimberly.lib import clock
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.web import outages, ratelimit, requestid
from kimberly.web.ratelimit import Rule, Verdict
from memory import metrics
from memory.queries import targets, throttles
from memory.queries.targets import Target
from memory.queries.throttles import Brake
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.tiers import Tier, UserState
from memory.services import refusals, users
from memory.services.items import ItemGone
from memory.services.quotas import QuotaExceeded, UserGone, UserSuspended
from memory.services.refusals import Call

NO_PLAN = "none"  # the label of a call that is about no user in particular


class TooFast(Refusal):
    """A rate or a throttle holds this call back."""

    slug = "rate-limited"
    kind = Kind.RATE
    title = "Too many calls: wait, then go on."
    explanation = "`rule` says which rule: the plan's rate, or a throttle that an operator set until `ends_at`."

    def __init__(self, verdict: Verdict, *, scope: ThrottleScope, brake: Brake | None) -> None:
        super().__init__(verdict.rule.name)
        self.verdict = verdict
        self.scope = scope
        self.brake = brake

    @property
    def detail(self) -> str:
        rule = self.verdict.rule
        source = f"the throttle {self.brake.public_id}" if self.brake else "the plan"
        return f"At most {rule.quota} {self.scope} calls a minute, from {source}."

    @property
    def retry_after_seconds(self) -> int:
        return max(1, math.ceil(self.verdict.wait_seconds))

    def facts(self) -> dict[str, Any]:
        return {
            "rule": "throttle" if self.brake else "plan",
            "scope": str(self.scope),
            "per_minute": self.verdict.rule.quota,
            "throttle_id": self.brake.public_id if self.brake else None,
            "ends_at": clock.spelled(self.brake.ends_at) if self.brake else None,
        }


class Blocked(Refusal):
    """An operator has stopped these calls for a time."""

    slug = "throttled"
    kind = Kind.RATE
    title = "An operator has stopped these calls for a time."

    def __init__(self, brake: Brake, *, scope: ThrottleScope, now: datetime) -> None:
        super().__init__(brake.public_id)
        self.brake = brake
        self.scope = scope
        self.now = now

    @property
    def detail(self) -> str:
        return (
            f"The throttle {self.brake.public_id} stops {self.scope} calls until {clock.spelled(self.brake.ends_at)}."
        )

    @property
    def retry_after_seconds(self) -> int:
        return max(1, math.ceil((self.brake.ends_at - self.now).total_seconds()))

    def facts(self) -> dict[str, Any]:
        return {
            "rule": "throttle",
            "scope": str(self.scope),
            "throttle_id": self.brake.public_id,
            "ends_at": clock.spelled(self.brake.ends_at),
        }


def admit_user(
    request: HttpRequest,
    caller: Caller,
    *,
    external_id: str | None,
    scope: ThrottleScope | None,
    now: datetime,
    tiers: Collection[Tier] = (),
    create: bool = False,
) -> Target:
    """The user named in the request, or the key's own, once the call may pass; makes the user when `create` is set.

    Raises UserGone (also for another user than the key's), Invalid without a user, TooFast, Blocked, UserSuspended.
    """
    if caller.bound_user_id is not None:
        target = targets.by_id(caller.bound_user_id)
        if target is None or external_id not in (None, target.external_id):
            raise UserGone
    elif external_id is None:
        raise Invalid(("/user_id", "is required: this key is not bound to a user"))
    else:
        target = targets.by_external_id(external_id)
        if target is None and create:
            users.find_or_register(external_id, actor=caller.actor, now=now)
            target = targets.by_external_id(external_id)
        if target is None:
            raise UserGone
    return _admit(request, caller, target, scope=scope, tiers=frozenset(tiers), now=now)


def admit_item(
    request: HttpRequest, caller: Caller, *, item_id: UUID | None, scope: ThrottleScope | None, now: datetime
) -> Target:
    """The user whose item this is, once the call may pass; ItemGone for ids that are unknown or somebody else's."""
    target = _owner_of(item_id, caller, find=targets.by_item)
    return _admit(request, caller, target, scope=scope, tiers=frozenset(), now=now)


def admit_tombstone(
    request: HttpRequest, caller: Caller, *, item_id: UUID | None, scope: ThrottleScope, now: datetime
) -> Target:
    """The same for a call that may be about a purged item."""
    target = _owner_of(item_id, caller, find=targets.by_any_item)
    return _admit(request, caller, target, scope=scope, tiers=frozenset(), now=now)


def admit_program(request: HttpRequest, caller: Caller, *, scope: ThrottleScope, now: datetime) -> None:
    """A call that is about no user in particular: only what holds the program itself back counts.

    Raises TooFast or Blocked.
    """
    brakes = throttles.in_force(now=now).on_client(caller.client_id, scope=scope, now=now)
    _stop_at_blocks(brakes, scope, NO_PLAN, now)
    by_rule = _rules_of(brakes)
    if by_rule:
        _take(request, list(by_rule), while_away=list(by_rule), by_rule=by_rule, scope=scope, plan=NO_PLAN)


def _owner_of(item_id: UUID | None, caller: Caller, *, find: Callable[[UUID], Target | None]) -> Target:
    if item_id is None:
        raise ItemGone
    target = find(item_id) if caller.bound_user_id is None else targets.by_id(caller.bound_user_id)
    if target is None:
        raise ItemGone
    return target


def _admit(
    request: HttpRequest,
    caller: Caller,
    target: Target,
    *,
    scope: ThrottleScope | None,
    tiers: frozenset[Tier],
    now: datetime,
) -> Target:
    request.refused_call = Call(target.user_id, caller.client_id, requestid.of(request))  # type: ignore[attr-defined]
    if scope is None:
        return target
    brakes = throttles.in_force(now=now).on(
        user_id=target.user_id, client_id=caller.client_id, tiers=tiers, scope=scope, now=now
    )
    _stop_at_blocks(brakes, scope, target.plan, now)
    _take_rate(request, target, brakes, scope)
    return target


def _stop_at_blocks(brakes: list[Brake], scope: ThrottleScope, plan: str, now: datetime) -> None:
    for brake in brakes:
        if brake.per_minute is None:
            metrics.RATE_LIMITED.labels(str(scope), plan).inc()
            raise Blocked(brake, scope=scope, now=now)


def _take_rate(request: HttpRequest, target: Target, brakes: list[Brake], scope: ThrottleScope) -> None:
    quota = target.write_per_minute if scope is ThrottleScope.WRITE else target.query_per_minute
    plan_rule = Rule(str(scope), f"{scope}:{target.user_id}", quota)
    by_rule = _rules_of(brakes)
    own = settings.KIMBERLY.fallback_writes_per_minute
    while_away = [ratelimit.in_this_process(plan_rule, quota=own)] if scope is ThrottleScope.WRITE else []
    rules = [plan_rule, *by_rule]
    _take(request, rules, while_away=[*while_away, *by_rule], by_rule=by_rule, scope=scope, plan=target.plan)


def _rules_of(brakes: list[Brake]) -> dict[Rule, Brake]:
    return {Rule(brake.public_id, str(brake.id), brake.per_minute or 1): brake for brake in brakes}


def _take(
    request: HttpRequest,
    rules: list[Rule],
    *,
    while_away: list[Rule],
    by_rule: Mapping[Rule, Brake],
    scope: ThrottleScope,
    plan: str,
) -> None:
    verdicts = ratelimit.take(rules, while_away=while_away)
    request.rate_verdicts = verdicts  # type: ignore[attr-defined] # the answer's headers are made from them
    strictest = ratelimit.strictest(verdicts)
    if strictest is not None and not strictest.passes:
        metrics.RATE_LIMITED.labels(str(scope), plan).inc()
        raise TooFast(strictest, scope=scope, brake=by_rule.get(strictest.rule))


def require_active(target: Target) -> None:
    """Writes and queries of a suspended user are refused."""
    if target.state is not UserState.ACTIVE:
        raise UserSuspended


def keep(request: HttpRequest, refusal: Refusal, *, now: datetime) -> None:
    """Keep why this call was refused, when it is a refusal that support is asked about.

    A database that cannot be written must not turn the refusal's own answer into another one.
    """
    call: Call | None = getattr(request, "refused_call", None)
    if call is None:
        return
    try:
        with transaction.atomic():
            _keep(refusal, call, now)
    except DatabaseError as error:
        if outages.outage_behind(error) is None:
            raise


def _keep(refusal: Refusal, call: Call, now: datetime) -> None:
    if isinstance(refusal, QuotaExceeded):
        refusals.keep_quota(refusal, call, now=now)
    elif isinstance(refusal, TooFast):
        kind = RefusalKind.THROTTLE if refusal.brake else RefusalKind.RATE
        source_id = str(refusal.brake.id) if refusal.brake else refusal.verdict.rule.name
        source = "throttle" if refusal.brake else "plan"
        per_minute = refusal.verdict.rule.quota
        refusals.keep_counted(kind, call, source=source, source_id=source_id, per_minute=per_minute, now=now)
    elif isinstance(refusal, Blocked):
        source_id = str(refusal.brake.id)
        refusals.keep_counted(
            RefusalKind.THROTTLE, call, source="throttle", source_id=source_id, per_minute=None, now=now
        )
    elif isinstance(refusal, UserSuspended):
        refusals.keep_counted(
            RefusalKind.SUSPENDED, call, source="state", source_id="suspended", per_minute=None, now=now
        )
