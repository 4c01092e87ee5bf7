"""Queries: the memories that a question is about, and why."""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from kimberly.clients.authentication import BearerKey
from kimberly.clients.models import Scope
from kimberly.lib import clock, ids
from kimberly.lib.errors import Invalid
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers
from memory.api import retrieval_schemas as schemas
from memory.api.items import caller_of
from memory.queries.retrieval import Found, Narrowing
from memory.rules.limits import ThrottleScope
from memory.services import retrieval
from memory.services.retrieval import Question

router = Router(tags=["memory"])


@router.post(
    "/query",
    auth=BearerKey(Scope.QUERY),
    operation_id="query_memory",
    summary="Find memories",
    response={200: schemas.Found, **problem_answers(400, 401, 403, 404, 413, 415, 422, 429, 503)},
)
def query_memory(request: HttpRequest, body: schemas.Query) -> HttpResponse:
    """The user's memories that the query is about, best first, each with the parts of its score.

    Words and meaning count; a memory that is right behind one with the query's words counts too. Filters narrow what is
    looked at. An empty list means that nothing is like the query.
    """
    started = time.perf_counter()
    now = clock.utc_now()
    if body.since and body.until and body.since >= body.until:
        raise Invalid(("/until", "must be later than /since"))
    target = admission.admit_user(
        request,
        caller_of(request),
        external_id=body.user_id,
        scope=ThrottleScope.QUERY,
        now=now,
        tiers=[body.type] if body.type else [],
    )
    admission.require_active(target)
    narrowing = Narrowing(
        tier=body.type,
        tags=tuple(body.tags),
        since=body.since,
        until=body.until,
        metadata=body.metadata,
        include_archived=body.include_archived,
    )
    reply = retrieval.answer(Question(target.user_id, body.query, body.top_k, narrowing), now=now)
    answer = {
        "items": [_found(found) for found in reply.items],
        "took_ms": round((time.perf_counter() - started) * 1000, 3),
        "profile": reply.profile,
        "mode": "lexical" if reply.is_lexical else "hybrid",
    }
    return answers.ok(request, answer)


def _found(found: Found) -> dict[str, Any]:
    parts = found.components
    return {
        "id": ids.encode(ids.Prefix.ITEM, found.id),
        "type": found.tier,
        "state": found.state,
        "content": found.content,
        "metadata": answers.as_sent(found.metadata),
        "created_at": answers.time(found.created_at),
        "score": round(found.score, 6),
        "components": {
            "semantic": _rounded(parts.semantic),
            "own_words": _rounded(parts.own_words),
            "spelling": _rounded(parts.spelling),
            "context": _rounded(parts.context),
            "freshness": _rounded(parts.freshness),
        },
    }


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 6)
