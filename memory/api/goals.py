"""Goals: what users are working towards."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from kimberly.clients import idempotency
from kimberly.clients.authentication import BearerKey
from kimberly.clients.idempotency import Answer
from kimberly.clients.models import Scope
from kimberly.lib import clock
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers, retrieval_schemas
from memory.api.items import caller_of, once
from memory.api.users import UserId
from memory.models import Goal
from memory.queries import goals as goal_queries
from memory.queries.targets import Target
from memory.rules.limits import ThrottleScope
from memory.services import embeddings, goals

router = Router(tags=["users"])
GoalId = Annotated[str, Path(description="The goal's id.", examples=["0199a3c2-7d1e-7b6c-8f21-d3a4b5c6d7e8"])]


@router.get(
    "/{user_id}/goals",
    auth=BearerKey(Scope.READ),
    operation_id="list_goals",
    summary="A user's goals",
    response={200: retrieval_schemas.Goals, **problem_answers(400, 401, 403, 404, 422, 429, 503)},
)
def list_goals(request: HttpRequest, user_id: UserId) -> HttpResponse:
    """Every goal of the user, oldest first."""
    target = _admitted(request, user_id, ThrottleScope.QUERY)
    return answers.ok(request, {"goals": [_goal(goal) for goal in goal_queries.of_user(target.user_id)]})


@router.post(
    "/{user_id}/goals",
    auth=BearerKey(Scope.WRITE),
    operation_id="set_goal",
    summary="Set a goal",
    response={
        200: retrieval_schemas.Goal,
        201: retrieval_schemas.Goal,
        **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def set_goal(request: HttpRequest, user_id: UserId, body: retrieval_schemas.NewGoal) -> HttpResponse:
    """Keeps the goal (201). The same words again are the goal that is there already (200)."""
    now = clock.utc_now()
    target = _admitted(request, user_id, ThrottleScope.WRITE)
    admission.require_active(target)
    embedded = embeddings.of_texts([body.text])  # may be slow: never inside of the transaction

    def effect() -> Answer:
        vector = embedded[0] if embedded else None
        actor = caller_of(request).actor
        made, is_new = goals.set_goal(target.user_id, body.text, embedded=vector, created_by=actor, now=now)
        answer = _goal(made)
        # A goal is a person's words: the kept answer has none, and a replay says it again from what was sent.
        return Answer(201 if is_new else 200, answer, {**answer, "text": None}, {}, [], target.user_id)

    return once(request, effect, now, complete=lambda kept, _ids: {**kept, "text": body.text})


@router.delete(
    "/{user_id}/goals",
    auth=BearerKey(Scope.WRITE),
    operation_id="remove_goals",
    summary="Remove every goal of a user",
    response={200: retrieval_schemas.GoalsRemoved, **problem_answers(400, 401, 403, 404, 422, 503)},
)
def remove_goals(request: HttpRequest, user_id: UserId) -> HttpResponse:
    """Forgets all of the user's goals."""
    target = _admitted(request, user_id, None)
    removed = goals.remove_goals(target.user_id, actor=caller_of(request).actor, now=clock.utc_now())
    return answers.ok(request, {"removed": removed})


@router.delete(
    "/{user_id}/goals/{goal_id}",
    auth=BearerKey(Scope.WRITE),
    operation_id="remove_goal",
    summary="Remove a goal",
    response={200: retrieval_schemas.GoalsRemoved, **problem_answers(400, 401, 403, 404, 422, 503)},
)
def remove_goal(request: HttpRequest, user_id: UserId, goal_id: GoalId) -> HttpResponse:
    """Forgets one goal."""
    target = _admitted(request, user_id, None)
    goals.remove_goal(target.user_id, _uuid(goal_id), actor=caller_of(request).actor, now=clock.utc_now())
    return answers.ok(request, {"removed": 1})


def _admitted(request: HttpRequest, user_id: str, scope: ThrottleScope | None) -> Target:
    return admission.admit_user(request, caller_of(request), external_id=user_id, scope=scope, now=clock.utc_now())


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise goals.GoalGone from None


def _goal(goal: Goal) -> dict[str, Any]:
    return {"id": str(goal.pk), "text": goal.text, "created_at": answers.time(goal.created_at)}
