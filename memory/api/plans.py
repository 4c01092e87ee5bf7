"""Prune plans: make one, look at it, apply it, undo it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from kimberly.audit.trail import Why
from kimberly.clients import idempotency
from kimberly.clients.authentication import BearerKey
from kimberly.clients.idempotency import Answer
from kimberly.clients.models import Scope
from kimberly.lib import clock, ids
from kimberly.lib.actors import ActorKind
from kimberly.web import validation
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers, plan_schemas, schemas
from memory.api.items import caller_of, once
from memory.models import PrunePlan
from memory.queries import plans as plan_queries
from memory.queries.plans import PlannedItem
from memory.rules.limits import ThrottleScope
from memory.rules.plans import times_cap
from memory.rules.tiers import UserState
from memory.services import plans
from memory.services.plans import Done, NoSuchPlan, Target
from memory.services.quotas import UserSuspended

router = Router(tags=["prune plans"])
PRUNE = BearerKey(Scope.PRUNE)
PlanId = Annotated[str, Path(description="The plan's id.", examples=[plan_schemas.EXAMPLE_PLAN])]


class ItemQuery(Schema):
    """Which page of a plan's items."""

    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before.", examples=[None]
    )
    per_page: int = Field(default=100, ge=1, le=100, description="Items a page.", examples=[100])


@router.post(
    "",
    auth=PRUNE,
    operation_id="make_plan",
    summary="Plan a prune",
    response={201: plan_schemas.Plan, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def make_plan(request: HttpRequest, body: plan_schemas.MakePlan) -> HttpResponse:
    """Freezes the list of what would be archived to free the target, the least worth keeping first; archives nothing.

    Look at its items, then apply it within 24 h. Takes an `Idempotency-Key`.
    """
    now, caller = clock.utc_now(), caller_of(request)
    target = admission.admit_user(request, caller, external_id=body.user_id, scope=ThrottleScope.WRITE, now=now)

    def effect() -> Answer:
        plan = plans.make(
            target.user_id,
            target=Target(body.target_bytes, body.target_share),
            tier=body.type,
            actor=caller.actor,
            why=Why(body.reason, body.ticket.strip()),
            now=now,
        )
        answer = _plan(plan, target.external_id, now)
        return Answer(201, answer, answer, {"Location": f"/api/v1/prune-plans/{plan.public_id}"}, [], target.user_id)

    return once(request, effect, now)


@router.get(
    "/{plan_id}",
    auth=PRUNE,
    operation_id="read_plan",
    summary="Read a prune plan",
    response={200: plan_schemas.Plan, **problem_answers(400, 401, 403, 404, 429, 503)},
)
def read_plan(request: HttpRequest, plan_id: PlanId) -> HttpResponse:
    """What it holds, and what became of it."""
    now = clock.utc_now()
    plan = _admitted(request, plan_id, ThrottleScope.QUERY, now)
    return answers.ok(request, _plan(plan, plan.user.external_id, now))


@router.get(
    "/{plan_id}/items",
    auth=PRUNE,
    operation_id="list_plan_items",
    summary="The items of a prune plan",
    response={200: plan_schemas.PlanItemPage, **problem_answers(400, 401, 403, 404, 422, 429, 503)},
)
def list_plan_items(request: HttpRequest, plan_id: PlanId, query: Query[ItemQuery]) -> HttpResponse:
    """In the order in which they go. Go on with `cursor`."""
    validation.known_parameters_only(request, ItemQuery)
    plan = _admitted(request, plan_id, ThrottleScope.QUERY, clock.utc_now())
    found = plan_queries.items_of(plan, size=query.per_page, cursor=query.cursor)
    page = {
        "items": [_item(row) for row in found.rows],
        "total": plan.items_total,
        "next_cursor": found.next_cursor,
    }
    return answers.ok(request, page)


@router.post(
    "/{plan_id}/apply",
    auth=PRUNE,
    operation_id="apply_plan",
    summary="Apply a prune plan",
    response={200: plan_schemas.Plan, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def apply_plan(request: HttpRequest, plan_id: PlanId, body: schemas.NoFields | None = None) -> HttpResponse:
    """Archives exactly what the plan holds; items that changed since are left and told, never replaced by others.

    Applied again it answers the same. 409: it is stale, or was undone.
    """
    now = clock.utc_now()
    return _done(request, _admitted(request, plan_id, ThrottleScope.WRITE, now), plans.apply, now)


@router.post(
    "/{plan_id}/undo",
    auth=PRUNE,
    operation_id="undo_plan",
    summary="Undo a prune plan",
    response={200: plan_schemas.Plan, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def undo_plan(request: HttpRequest, plan_id: PlanId, body: schemas.NoFields | None = None) -> HttpResponse:
    """Brings back all that the plan archived, or nothing: 409 says what stands against it and what would help.

    Undone again it answers the same. 403: like any restore it waits until a suspended user is active again.
    """
    now = clock.utc_now()
    plan = _admitted(request, plan_id, ThrottleScope.WRITE, now)
    if plan.user.state == UserState.SUSPENDED:
        raise UserSuspended
    return _done(request, plan, plans.undo, now)


def _done(request: HttpRequest, plan: PrunePlan, act: Callable[..., Done], now: datetime) -> HttpResponse:
    def effect() -> Answer:
        done = act(plan.pk, actor=caller_of(request).actor, why=Why(), now=now)
        answer = _plan(done.plan, plan.user.external_id, now)
        return Answer(200, answer, answer, {}, [], plan.user_id)

    return once(request, effect, now)


def _admitted(request: HttpRequest, plan_id: str, scope: ThrottleScope, now: datetime) -> PrunePlan:
    """The plan, once the call may pass: it counts against the rate of the plan's user. Other users' are not there,
    nor those that staff has made.
    """
    caller, wanted = caller_of(request), ids.decode(ids.Prefix.PLAN, plan_id)
    found = plan_queries.one(wanted) if wanted else None
    if found is not None and found.created_by.startswith(f"{ActorKind.STAFF}:"):
        found = None  # what staff has planned, and why, is decided by a lead
    if caller.bound_user_id is not None:
        target = admission.admit_user(request, caller, external_id=None, scope=scope, now=now)
        found = found if found and found.user_id == target.user_id else None
    elif found is None:
        admission.admit_program(request, caller, scope=scope, now=now)
    else:
        admission.admit_user(request, caller, external_id=found.user.external_id, scope=scope, now=now)
    if found is None:
        raise NoSuchPlan
    return found


def _plan(plan: PrunePlan, external_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": plan.public_id,
        "user_id": external_id,
        "state": str(plan.state_at(now)),
        "type": plan.tier or None,
        "target_bytes": plan.target_bytes,
        "target_share": plan.target_share,
        "reason": plan.reason,
        "ticket": plan.ticket,
        "items_total": plan.items_total,
        "bytes_total": plan.bytes_total,
        "shortfall_bytes": plan.shortfall_bytes,
        "daily_cap_times": times_cap(plan.bytes_total, plan.cap_bytes),
        "tiers": [_tier(tier, facts) for tier, facts in sorted(plan.facts.items())],
        "list_sha256": plan.list_sha256,
        "created_at": answers.time(plan.created_at),
        "stale_at": answers.time(plan.stale_at),
        "applied": _applied(plan),
        "undone": _undone(plan),
    }


def _tier(tier: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": tier,
        "used_bytes": facts["used_bytes"],
        "used_bytes_after": facts["used_bytes"] - facts["goes_bytes"],
        "limit_bytes": facts["limit_bytes"],
        "items": facts["goes_items"],
        "bytes": facts["goes_bytes"],
        "protected_items": facts["protected_items"],
        "protected_bytes": facts["protected_bytes"],
    }


def _applied(plan: PrunePlan) -> dict[str, Any] | None:
    if plan.applied_at is None:
        return None
    return {
        "at": answers.time(plan.applied_at),
        "items": plan.archived_items,
        "bytes": plan.archived_bytes,
        "skipped": dict(sorted(plan.skipped.items())),  # jsonb keeps an order of its own: all get the same bytes
    }


def _undone(plan: PrunePlan) -> dict[str, Any] | None:
    if plan.undone_at is None:
        return None
    return {"at": answers.time(plan.undone_at), "items": plan.restored_items, "bytes": plan.restored_bytes}


def _item(row: PlannedItem) -> dict[str, Any]:
    return {
        "id": ids.encode(ids.Prefix.ITEM, row.item_id),
        "position": row.position,
        "type": row.tier,
        "content": row.content,
        "metadata": answers.as_sent(row.metadata),
        "size_bytes": row.size_bytes,
        "score": row.score,
        "order_key": row.order_key,
        "reason": row.reason,
        "outcome": row.outcome or None,
        "created_at": answers.time(row.created_at),
    }
