"""Meditation on demand, and how it goes."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from kimberly.audit.trail import Why
from kimberly.clients import idempotency
from kimberly.clients.authentication import BearerKey, Caller
from kimberly.clients.idempotency import Answer
from kimberly.clients.models import Scope
from kimberly.lib import clock, ids
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.web.openapi import problem_answers
from memory import tasks
from memory.api import admission, answers, meditation_schemas
from memory.api.items import caller_of, once
from memory.queries import cohorts, operations
from memory.queries.cohorts import Cohort
from memory.queries.operations import Operation
from memory.queries.standing import Asked
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import Trigger
from memory.services import meditationruns

router = Router(tags=["meditation"])
operations_router = Router(tags=["meditation"])
MEDITATE = BearerKey(Scope.MEDITATE)
COUNTED = (
    "shards_done",
    "shards_failed",
    "users_done",
    "items_scored",
    "promoted",
    "archived",
    "purged",
    "freed_bytes",
)
PROGRESS = {"shards_total": "shards", "users_total": "users", **{name: name for name in COUNTED}}
OperationId = Annotated[str, Path(description="The operation's id.", examples=[meditation_schemas.EXAMPLE_RUN])]


class OperationGone(Refusal):
    """There is no such operation, or not for this key."""

    slug = "operation-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such operation."


@router.post(
    "/meditate",
    auth=MEDITATE,
    operation_id="begin_meditation",
    summary="Meditate now",
    response={
        202: meditation_schemas.Operation,
        **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def begin_meditation(request: HttpRequest, body: meditation_schemas.Meditate) -> HttpResponse:
    """Begins to score, promote, archive and purge, as each night does; follow it at `Location`.

    On one user; with a key that is bound to nobody and without `user_id`, on all customers or on those of `cohort`.
    While a meditation of the same users is not finished, 409 names it.
    """
    now, caller = clock.utc_now(), caller_of(request)
    user_id, cohort = None, _cohort(body, caller, now)
    if body.user_id is None and caller.bound_user_id is None:
        admission.admit_program(request, caller, scope=ThrottleScope.WRITE, now=now)
    else:
        target = admission.admit_user(request, caller, external_id=body.user_id, scope=ThrottleScope.WRITE, now=now)
        user_id = target.user_id

    def effect() -> Answer:
        trigger = Trigger.BACKFILL if cohort and cohort.missed else Trigger.MANUAL
        actor = caller.actor
        run = meditationruns.begin(trigger, user_id=user_id, cohort=cohort, actor=actor, why=Why(), now=now)
        transaction.on_commit(tasks.send_lanes)
        answer = _answer(operations.of_run(run, now=now))
        return Answer(202, answer, answer, {"Location": f"/api/v1/operations/{run.public_id}"}, [], user_id)

    return once(request, effect, now)


def _cohort(body: meditation_schemas.Meditate, caller: Caller, now: datetime) -> Cohort | None:
    """The customers that the body asks for; None where it asks for one user, or for all."""
    asked = body.cohort
    if asked is None:
        return None
    if body.user_id is not None:
        raise Invalid(("/cohort", "must be left out with user_id: one user is no cohort"))
    if caller.bound_user_id is not None:
        raise Invalid(("/cohort", "must be left out with a key that is bound to a user"))
    if asked.missed_until is not None and asked.missed_since is None:
        raise Invalid(("/cohort/missed_since", "must be given with missed_until"))
    if asked.type is not None and asked.show is None:
        raise Invalid(("/cohort/type", "must be left out without show, which it narrows"))
    if asked.show is None and not asked.beginning and asked.missed_since is None:
        raise Invalid(("/cohort", "must say which customers: show, beginning or missed_since"))
    missed = None
    if asked.missed_since is not None:
        missed = cohorts.window(asked.missed_since, asked.missed_until or now, now=now, pointer="/cohort/")
    listed = Asked(show=asked.show, tier=asked.type, beginning=asked.beginning)
    return Cohort(asked=listed, missed=missed)


@operations_router.get(
    "/{operation_id}",
    auth=MEDITATE,
    operation_id="read_operation",
    summary="How long work stands",
    response={200: meditation_schemas.Operation, **problem_answers(400, 401, 403, 404, 429, 503)},
)
def read_operation(request: HttpRequest, operation_id: OperationId) -> HttpResponse:
    """State and progress, with the seconds that are left at the rate so far; the result when it has ended.

    A key that is bound to a user sees that user's operations.
    """
    run_id = ids.decode(ids.Prefix.RUN, operation_id)
    find = _of_program if caller_of(request).bound_user_id is None else _of_bound_user
    found = find(request, run_id, clock.utc_now())
    if found is None:
        raise OperationGone
    return answers.ok(request, _answer(found))


def _of_bound_user(request: HttpRequest, run_id: UUID | None, now: datetime) -> Operation | None:
    target = admission.admit_user(request, caller_of(request), external_id=None, scope=ThrottleScope.QUERY, now=now)
    return operations.of_user(run_id, user_id=target.user_id, now=now) if run_id else None


def _of_program(request: HttpRequest, run_id: UUID | None, now: datetime) -> Operation | None:
    """Whoever's it is; it counts against the rate of the user whom it is about."""
    found = operations.of_any(run_id, now=now) if run_id else None
    if found is None or found.external_id is None:
        admission.admit_program(request, caller_of(request), scope=ThrottleScope.QUERY, now=now)
    else:
        admission.admit_user(
            request, caller_of(request), external_id=found.external_id, scope=ThrottleScope.QUERY, now=now
        )
    return found


def _answer(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.public_id,
        "kind": "meditation",
        "trigger": str(operation.trigger),
        "user_id": operation.external_id,
        "state": str(operation.state),
        "created_at": answers.time(operation.created_at),
        "started_at": answers.time(operation.started_at),
        "ended_at": answers.time(operation.ended_at),
        "cohort": {"type" if name == "tier" else name: value for name, value in operation.cohort.items()} or None,
        "progress": {name: getattr(operation.progress, key) for name, key in PROGRESS.items()}
        | {"seconds_left": operation.seconds_left},
        "error": operation.error or None,
    }
