"""Why an item has its score, and why it is where it is."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from kimberly.lib import clock, ids
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers, meditation_schemas
from memory.api.items import READ, ItemId, caller_of
from memory.queries import why
from memory.queries.why import Decided, ScoreNow, Why
from memory.rules.limits import ThrottleScope
from memory.rules.scoring import COMPONENTS, Parts
from memory.services.items import ItemGone

router = Router(tags=["memory"])


@router.get(
    "/{item_id}/why",
    auth=READ,
    operation_id="explain_item",
    summary="Why a memory is kept or went",
    response={200: meditation_schemas.WhyItem, **problem_answers(400, 401, 403, 404, 429, 503)},
)
def explain_item(request: HttpRequest, item_id: ItemId) -> HttpResponse:
    """The item's score with its components, and every decision of a meditation or a plan so far. Also of purged items.

    Decisions are told again from the inputs that were kept with them, by the profile of then: what is around the item
    now does not matter.
    """
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_tombstone(
        request, caller_of(request), item_id=found, scope=ThrottleScope.QUERY, now=clock.utc_now()
    )
    told = why.of_users_item(found, user_id=target.user_id) if found else None
    if told is None:
        raise ItemGone
    return answers.ok(request, _why(told))


def _why(told: Why) -> dict[str, Any]:
    return {
        "id": ids.encode(ids.Prefix.ITEM, told.item_id),
        "user_id": told.external_id,
        "type": told.tier,
        "state": told.state,
        "size_bytes": told.size_bytes,
        "protected": told.protected,
        "created_at": answers.time(told.created_at),
        "expires_at": answers.time(told.expires_at),
        "archived_at": answers.time(told.archived_at),
        "archive_reason": told.archive_reason or None,
        "restorable_until": answers.time(told.purge_after) if told.state == "archived" else None,
        "purged_at": answers.time(told.purged_at),
        "purge_reason": told.purge_reason or None,
        "score": _score(told.score) if told.score else None,
        "decisions": [_decision(decided) for decided in told.decisions],
    }


def _score(now: ScoreNow) -> dict[str, Any]:
    return {
        "score": now.score,
        "components": _components(now.parts),
        "profile": now.profile.version,
        "weights": now.profile.weights,
        "order_key": now.order_key,
        "scored_at": answers.time(now.scored_at),
        "in_words": now.in_words,
    }


def _decision(decided: Decided) -> dict[str, Any]:
    told = decided.retold
    return {
        "act": str(decided.act),
        "reason": str(decided.reason),
        "type": decided.tier,
        "size_bytes": decided.size_bytes,
        "score": decided.score,
        "score_told_again": told.score if told else None,
        "components": _components(told.parts) if told else None,
        "profile": told.profile.version if told else None,
        "weights": told.profile.weights if told else None,
        "order_key": told.order_key if told else None,
        "decided_at": answers.time(decided.decided_at),
        "undone_at": answers.time(decided.undone_at),
        "run_id": ids.encode(ids.Prefix.RUN, decided.run_id) if decided.run_id else None,
        "plan_id": ids.encode(ids.Prefix.PLAN, decided.plan_id) if decided.plan_id else None,
        "in_words": decided.in_words,
    }


def _components(parts: Parts) -> dict[str, float | None]:
    values = {name: getattr(parts, name) for name in COMPONENTS}
    return {name: None if value is None else round(value, 6) for name, value in values.items()}
