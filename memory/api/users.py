"""Users, and what one user uses."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from kimberly.clients.authentication import BearerKey
from kimberly.clients.idempotency import Answer
from kimberly.clients.models import Scope
from kimberly.lib import clock
from kimberly.lib.errors import Kind, Refusal
from kimberly.web import etags, validation
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers, filters, schemas
from memory.api.items import caller_of
from memory.models import MemoryUser
from memory.queries import refusals as refusal_queries
from memory.queries import usage
from memory.rules.limits import ThrottleScope
from memory.services import users
from memory.services.users import Profile

router = Router(tags=["users"])
metrics_router = Router(tags=["memory"])

UserId = Annotated[schemas.UserId, Path(description="Your own id for the user.", examples=["acct-55102"])]


class PlanNotYours(Refusal):
    """A key that is bound to one user cannot move it to another plan."""

    slug = "plan-not-yours"
    kind = Kind.FORBIDDEN
    title = "A key bound to a user cannot change that user's plan."


@router.get(
    "/{user_id}",
    auth=BearerKey(Scope.READ),
    operation_id="read_user",
    summary="Read a user",
    response={200: schemas.User, **problem_answers(400, 401, 403, 404, 422, 429, 503)},
)
def read_user(request: HttpRequest, user_id: UserId) -> HttpResponse:
    """What is known of the user."""
    target = admission.admit_user(
        request, caller_of(request), external_id=user_id, scope=ThrottleScope.QUERY, now=clock.utc_now()
    )
    answer = answers.user(MemoryUser.objects.get(pk=target.user_id))
    return answers.ok(request, answer, etag=answer["etag"])


@router.put(
    "/{user_id}",
    auth=BearerKey(Scope.WRITE),
    operation_id="put_user",
    summary="Make or change a user",
    response={
        200: schemas.User,
        201: schemas.User,
        **problem_answers(400, 401, 403, 404, 412, 413, 415, 422, 429, 503),
    },
    openapi_extra={"parameters": [etags.OPENAPI_IF_MATCH]},
)
def put_user(request: HttpRequest, user_id: UserId, body: schemas.PutUser) -> HttpResponse:
    """Makes the user when there is none (201), else changes the fields given (200)."""
    now = clock.utc_now()
    caller = caller_of(request)
    if caller.bound_user_id is not None or users.find(user_id) is not None:
        target = admission.admit_user(request, caller, external_id=user_id, scope=ThrottleScope.WRITE, now=now)
        admission.require_active(target)
        if caller.bound_user_id is not None and body.plan not in (None, target.plan):
            raise PlanNotYours
    profile = Profile(body.display_name, body.email, body.plan, body.time_zone)
    expected = etags.expected_versions(request)
    user, made = users.put(user_id, profile, actor=caller.actor, now=now, expected=expected)
    answer = answers.user(user)
    return answers.respond(request, Answer(201 if made else 200, answer, {}, {"ETag": answer["etag"]}))


@metrics_router.get(
    "/metrics",
    auth=BearerKey(Scope.METRICS),
    operation_id="read_metrics",
    summary="One user's usage, tier by tier",
    response={200: schemas.UserMetrics, **problem_answers(400, 401, 403, 404, 422, 429, 503)},
)
def read_metrics(request: HttpRequest, query: Query[filters.UserQuery]) -> HttpResponse:
    """Bytes, items, limits and where they come from, the archive, and today's refusals."""
    validation.known_parameters_only(request, filters.UserQuery)
    now = clock.utc_now()
    target = admission.admit_user(
        request, caller_of(request), external_id=query.user_id, scope=ThrottleScope.QUERY, now=now
    )
    refused = refusal_queries.refused_today(target.user_id, now=now)
    tiers = [
        {
            "tier": str(tier),
            "used_bytes": row.active_bytes,
            "items": row.active_items,
            "soft_bytes": row.soft_bytes,
            "hard_bytes": row.plan_bytes,
            "effective_limit_bytes": row.limit_bytes,
            "limit_source": str(row.limit_source),
            "limit_ends_at": answers.time(row.override_ends_at),
            "archived_bytes": row.archived_bytes,
            "archived_items": row.archived_items,
            "archived_limit_bytes": row.archived_limit_bytes,
            "refusals_today": refused.get(tier, 0),
        }
        for tier, row in usage.of_user(target.user_id, now=now).items()
    ]
    return answers.ok(request, {"user_id": target.external_id, "tiers": tiers})
