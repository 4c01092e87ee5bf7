"""Items: create, bulk, list, one, change, delete, restore."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import ValidationError

from kimberly.clients import idempotency
from kimberly.clients.authentication import BearerKey, Caller
from kimberly.clients.idempotency import Answer
from kimberly.clients.models import Scope
from kimberly.lib import clock, ids
from kimberly.lib.errors import Invalid, Refusal
from kimberly.web import bodies, etags, problems, requestid, validation
from kimberly.web.openapi import problem_answers
from memory.api import admission, answers, filters, retrieval_schemas, schemas
from memory.queries import items as item_queries
from memory.queries.targets import Target
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import bulk, drafts, embeddings, feedback, items
from memory.services.drafts import Draft
from memory.services.feedback import Verdict
from memory.services.items import Change, ItemGone
from memory.services.quotas import Stored, UserGone

router = Router(tags=["memory"])
READ = BearerKey(Scope.READ)
WRITE = BearerKey(Scope.WRITE)
BULK = BearerKey(Scope.WRITE, body_limit_bytes=bodies.BULK_BODY_LIMIT_BYTES)

ItemId = Annotated[
    str, Path(description="The item's id, with its prefix or as a bare UUID.", examples=[schemas.EXAMPLE_ID])
]


@router.post(
    "",
    auth=WRITE,
    operation_id="write_item",
    summary="Keep a memory",
    response={201: schemas.StoredItem, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def write_item(request: HttpRequest, body: schemas.CreateItem) -> HttpResponse:
    """Stores one item, or refuses it with 413 and everything needed to go on. Takes an `Idempotency-Key`.

    Above the tier's soft limit it succeeds, and says so in `usage` and in the header `X-Quota-Warning`.
    """
    now = clock.utc_now()
    draft = draft_of(body, now=now)  # before a user is made for what cannot be kept
    target = admission.admit_user(
        request,
        caller_of(request),
        external_id=body.user_id,
        scope=ThrottleScope.WRITE,
        now=now,
        tiers=[body.type],
        create=body.create_user,
    )

    [embedded] = embeddings.of_drafts([draft])  # may be slow: never inside of the transaction

    def effect() -> Answer:
        stored = items.write_item(embedded, user_id=target.user_id, created_by=caller_of(request).actor, now=now)
        answer = answers.stored_item(stored, target.external_id, now=now)
        kept = {**answer, **answers.WITHOUT_CONTENT}
        headers = {
            "Location": f"/api/v1/memory/{answer['id']}",
            "ETag": answer["etag"],
            **answers.soft_limit_header(stored.room),
        }
        return Answer(201, answer, kept, headers, [stored.id], target.user_id)

    return once(request, effect, now)


@router.post(
    "/bulk",
    auth=BULK,
    operation_id="write_items",
    summary="Keep many memories of one user",
    response={201: schemas.BulkStored, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def write_items(request: HttpRequest, body: schemas.BulkCreate) -> HttpResponse:
    """All or nothing by default; with `atomic: false` each item is stored or refused by itself, in the order given.

    Where none of them can be accepted and the user is not there either, 422 names what is wrong with each.
    """
    now = clock.utc_now()
    parsed = [_bulk_item(raw, index) for index, raw in enumerate(body.items)]
    named = [body.user_id, *(item.user_id for item in parsed if not isinstance(item, Invalid))]
    external_id = next((user_id for user_id in named if user_id is not None), None)
    checked = [_bulk_draft(item, index, external_id, now) for index, item in enumerate(parsed)]
    refused = [result for result in checked if isinstance(result, Invalid)]
    faults = Invalid(*(error for refusal in refused for error in refusal.errors))
    if body.atomic and refused:
        raise faults
    target = _bulk_target(request, body, external_id, checked, faults, now)
    made = iter(embeddings.of_drafts([result for result in checked if isinstance(result, Draft)]))
    embedded = [next(made) if isinstance(result, Draft) else result for result in checked]

    def effect() -> Answer:
        user_id, actor = target.user_id, caller_of(request).actor
        if body.atomic:
            chosen = [result for result in embedded if isinstance(result, Draft)]
            stored = bulk.write_all(chosen, user_id=user_id, created_by=actor, now=now)
            return _bulk_answer(request, stored, user_id, now)
        outcome = bulk.write_what_fits(embedded, user_id=user_id, created_by=actor, now=now)
        for _, refusal in outcome.refused:
            admission.keep(request, refusal, now=now)
        return _bulk_answer(request, outcome.results, target.user_id, now)

    return once(request, effect, now)


def _bulk_target(
    request: HttpRequest,
    body: schemas.BulkCreate,
    external_id: str | None,
    checked: Sequence[Draft | Invalid],
    faults: Invalid,
    now: datetime,
) -> Target:
    """The user of a bulk. Nobody is made for what cannot be kept: `faults` is raised where all is like that."""
    tiers = {result.tier for result in checked if isinstance(result, Draft)}
    try:
        return admission.admit_user(
            request,
            caller_of(request),
            external_id=external_id,
            scope=ThrottleScope.WRITE,
            now=now,
            tiers=tiers,
            create=body.create_user and bool(tiers),
        )
    except UserGone as gone:
        raise (gone if tiers else faults) from None


def _bulk_item(raw: Any, index: int) -> schemas.BulkItem | Invalid:
    try:
        return schemas.BulkItem.model_validate(raw)
    except ValidationError as error:
        return Invalid(*validation.pointers(error.errors(), below=f"/items/{index}"))


def _bulk_draft(item: schemas.BulkItem | Invalid, index: int, user_id: str | None, now: datetime) -> Draft | Invalid:
    if isinstance(item, Invalid):
        return item
    pointer = f"/items/{index}"
    if item.user_id not in (None, user_id):
        return Invalid((f"{pointer}/user_id", "is another user than the bulk's"))
    try:
        return draft_of(item, now=now, pointer=pointer)
    except Invalid as refusal:
        return refusal


def _bulk_answer(request: HttpRequest, results: Sequence[Stored | Refusal], user_id: UUID, now: datetime) -> Answer:
    stored = [result for result in results if isinstance(result, Stored)]
    rooms = list({result.room.tier: result.room for result in stored}.values())
    body = {
        "items": [answers.bulk_row(result, now=now) if isinstance(result, Stored) else None for result in results],
        "errors": [
            {"index": index, **problems.body_of(result, instance=request.path, request_id=requestid.of(request))}
            for index, result in enumerate(results)
            if isinstance(result, Refusal)
        ],
        "usage": [answers.usage(room) for room in rooms],
    }
    return Answer(201, body, body, answers.soft_limit_header(*rooms), [result.id for result in stored], user_id)


@router.get(
    "",
    auth=READ,
    operation_id="list_items",
    summary="List a user's memories",
    response={200: schemas.ItemPage, **problem_answers(400, 401, 403, 404, 422, 429, 503)},
)
def list_items(request: HttpRequest, query: Query[filters.ItemQuery]) -> HttpResponse:
    """Newest first unless `sort` says otherwise. Go on with `cursor`: stable while items come and go."""
    validation.known_parameters_only(request, filters.ItemQuery)
    now = clock.utc_now()
    target = admission.admit_user(
        request, caller_of(request), external_id=query.user_id, scope=ThrottleScope.QUERY, now=now
    )
    found = item_queries.page(
        target.user_id,
        query.as_filters(),
        order=item_queries.ORDERS[query.sort],
        size=query.per_page,
        cursor=query.cursor,
        offset=query.offset,
    )
    page = {
        "items": [answers.item(row, target.external_id) for row in found.rows],
        "total": found.total,
        "total_is_estimate": found.total_is_estimate,
        "next_cursor": found.next_cursor,
    }
    return answers.ok(request, page)


@router.get(
    "/{item_id}",
    auth=READ,
    operation_id="read_item",
    summary="Read one memory",
    response={200: schemas.Item, **problem_answers(400, 401, 403, 404, 429, 503)},
)
def read_item(request: HttpRequest, item_id: ItemId) -> HttpResponse:
    """The item, active or archived. Purged items and other users' items answer 404 like unknown ones."""
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_item(
        request, caller_of(request), item_id=found, scope=ThrottleScope.QUERY, now=clock.utc_now()
    )
    row = item_queries.one(found, user_id=target.user_id) if found else None
    if row is None:
        raise ItemGone
    answer = answers.item(row, target.external_id)
    return answers.ok(request, answer, etag=answer["etag"])


@router.patch(
    "/{item_id}",
    auth=WRITE,
    operation_id="change_item",
    summary="Change a memory",
    response={200: schemas.Item, **problem_answers(400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 503)},
    openapi_extra={"parameters": [etags.OPENAPI_IF_MATCH_REQUIRED]},
)
def change_item(request: HttpRequest, item_id: ItemId, body: schemas.PatchItem) -> HttpResponse:
    """Needs `If-Match` with the ETag that was read, so that nobody's change is overwritten."""
    change = Change(content=body.content, metadata=body.metadata, protected=body.protected)
    if change == Change():
        raise Invalid(("", "names nothing to change"))
    expected = etags.expected_versions(request)
    if expected is None:
        raise etags.PreconditionRequired
    now = clock.utc_now()
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_item(request, caller_of(request), item_id=found, scope=ThrottleScope.WRITE, now=now)
    admission.require_active(target)
    changed = items.change_item(found or target.user_id, change, user_id=target.user_id, expected=expected, now=now)
    answer = answers.changed_item(changed, target.external_id)
    return answers.ok(request, answer, etag=answer["etag"])


@router.delete(
    "/{item_id}",
    auth=WRITE,
    operation_id="delete_item",
    summary="Archive or purge a memory",
    response={200: schemas.DeletedItem, **problem_answers(400, 401, 403, 404, 409, 412, 422, 503)},
    openapi_extra={"parameters": [etags.OPENAPI_IF_MATCH]},
)
def delete_item(request: HttpRequest, item_id: ItemId, query: Query[filters.DeleteQuery]) -> HttpResponse:
    """Archives the item: its room is free at once, and it can be restored until its grace ends.

    `purge=true` erases it. Over the archive's own limit the oldest archived items are erased, save protected ones:
    `purged_items` says so. Where the archive is full of protected items, 409 `archive-full`.
    """
    validation.known_parameters_only(request, filters.DeleteQuery)
    now = clock.utc_now()
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_item(request, caller_of(request), item_id=found, scope=None, now=now)
    delete = items.purge_item if query.purge == "true" else items.delete_item
    deleted = delete(
        found or target.user_id,
        user_id=target.user_id,
        actor=caller_of(request).actor,
        now=now,
        expected=etags.expected_versions(request),
    )
    body = {
        "id": deleted.item.public_id,
        "state": deleted.item.state,
        "restorable_until": answers.time(deleted.item.purge_after) if deleted.item.state == "archived" else None,
        "purged_items": deleted.purged_items,
        "purged_bytes": deleted.purged_bytes,
    }
    return answers.ok(request, body)


@router.post(
    "/{item_id}/restore",
    auth=WRITE,
    operation_id="restore_item",
    summary="Bring a memory back from the archive",
    response={200: schemas.Item, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def restore_item(request: HttpRequest, item_id: ItemId, body: schemas.NoFields | None = None) -> HttpResponse:
    """Takes the room again, and is refused when there is none. A short-term item lives another 24 h."""
    now = clock.utc_now()
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_item(request, caller_of(request), item_id=found, scope=ThrottleScope.WRITE, now=now)
    admission.require_active(target)

    def effect() -> Answer:
        actor = caller_of(request).actor
        restored = items.restore_item(found or target.user_id, user_id=target.user_id, actor=actor, now=now)
        answer = answers.changed_item(restored, target.external_id)
        kept = {**answer, **answers.WITHOUT_CONTENT}
        return Answer(200, answer, kept, {"ETag": answer["etag"]}, [restored.pk], target.user_id)

    return once(request, effect, now)


@router.post(
    "/{item_id}/feedback",
    auth=WRITE,
    operation_id="give_feedback",
    summary="Say whether a memory helped",
    response={201: retrieval_schemas.FeedbackKept, **problem_answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
    openapi_extra={"parameters": [idempotency.OPENAPI_KEY]},
)
def give_feedback(request: HttpRequest, item_id: ItemId, body: retrieval_schemas.Feedback) -> HttpResponse:
    """Keeps whether the memory helped, or how much it matters to the person. The scores take it into account."""
    if (body.helpful is None) == (body.emotional_weight is None):
        raise Invalid(("", "needs exactly one of helpful and emotional_weight"))
    now = clock.utc_now()
    found = ids.decode(ids.Prefix.ITEM, item_id)
    target = admission.admit_item(request, caller_of(request), item_id=found, scope=ThrottleScope.WRITE, now=now)
    admission.require_active(target)

    def effect() -> Answer:
        said = Verdict(body.helpful, body.emotional_weight)
        actor = caller_of(request).actor
        kept = feedback.give(found or target.user_id, said, user_id=target.user_id, created_by=actor, now=now)
        answer = {
            "item_id": ids.encode(ids.Prefix.ITEM, kept.item_id),
            "helpful": kept.helpful,
            "emotional_weight": kept.emotional_weight,
            "created_at": answers.time(kept.created_at),
        }
        return Answer(201, answer, answer, {}, [], target.user_id)

    return once(request, effect, now)


def caller_of(request: HttpRequest) -> Caller:
    """The caller that BearerKey found."""
    caller: Caller = request.auth  # type: ignore[attr-defined] # ninja sets it
    return caller


def draft_of(body: schemas.NewItem, *, now: datetime, pointer: str = "") -> Draft:
    return drafts.prepare(
        tier=Tier(body.type),
        content=body.content,
        metadata=body.metadata,
        created_at=body.created_at,
        protected=body.protected,
        now=now,
        pointer=pointer,
    )


def once(
    request: HttpRequest,
    effect: idempotency.Effect,
    now: datetime,
    *,
    complete: idempotency.Completion = answers.put_content_back,
) -> HttpResponse:
    """The effect's answer, or the one that was kept for the call's Idempotency-Key."""
    answer = idempotency.once(request, caller_of(request), now=now, effect=effect, complete=complete)
    return answers.respond(request, answer)
