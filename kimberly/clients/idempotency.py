"""Idempotency-Key: the first answer to a call is kept for 24 h and given again, so that a retry has no second effect.

Record, effect and answer are one transaction: a crash leaves either all of it or nothing. Refusals are not kept, since
nothing happened: the same key may be tried again when there is room (docs/adr/0004).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.http import HttpRequest

from kimberly.clients.authentication import Caller
from kimberly.clients.models import IdempotencyRecord
from kimberly.lib.errors import Invalid, Kind, Refusal

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
SWEEP_ROWS = 10_000


class KeyReused(Refusal):
    """The same Idempotency-Key came with another request."""

    slug = "idempotency-key-reused"
    kind = Kind.INVALID
    title = "This Idempotency-Key was used for another request. Use a new key for a new request."


class KeyInFlight(Refusal):
    """The first call with this Idempotency-Key has not been answered yet."""

    slug = "idempotency-key-in-flight"
    kind = Kind.CONFLICT
    title = "The first call with this Idempotency-Key is being answered. Try again to get its answer."

    @property
    def retry_after_seconds(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers, and what of it may be kept: `kept_body` has no content and no metadata."""

    status: int
    body: dict[str, Any]
    kept_body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    item_ids: list[UUID] = field(default_factory=list)
    user_id: UUID | None = None


OPENAPI_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "1 to 255 printable ASCII characters. The first answer is kept for 24 h and given again; another "
    "request under the same key is 422, one that is still being answered 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    "examples": {"uuid": {"value": "5f0c5a52-8d3e-4c1b-9d59-0a6f2f1f7d11"}},
}
Effect = Callable[[], Answer]
Completion = Callable[[dict[str, Any], list[UUID]], dict[str, Any]]


def once(request: HttpRequest, caller: Caller, *, now: datetime, effect: Effect, complete: Completion) -> Answer:
    """Run the effect, or give the kept answer of the first call with this key.

    `complete` puts the content back into a kept body, from the items while they are there. Raises KeyReused,
    KeyInFlight, Invalid, and what the effect raises.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return effect()
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid(("/Idempotency-Key", f"must have 1 to {LONGEST_KEY} printable ASCII characters"))
    with transaction.atomic():
        _lock(caller.key_id, key)
        fingerprint = fingerprint_of(request)
        records = IdempotencyRecord.objects.filter(api_key_id=caller.key_id, key=key)
        record = records.first()
        if record is not None and record.expires_at > now:
            return _replay(record, fingerprint, complete)
        records.delete()
        answer = effect()
        _keep(answer, caller, key=key, fingerprint=fingerprint, now=now)
    return answer


def _lock(key_id: UUID, key: str) -> None:
    """Held until the transaction ends; a second call does not wait for the first one's answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s::text, 0))", [f"{key_id} {key}"])
        if not cursor.fetchone()[0]:
            raise KeyInFlight


def fingerprint_of(request: HttpRequest) -> str:
    """Hex SHA-256 of what was asked: method, address and body."""
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(asked).hexdigest()


def _replay(record: IdempotencyRecord, fingerprint: str, complete: Completion) -> Answer:
    if record.fingerprint != fingerprint:
        raise KeyReused
    body = complete(record.body, record.item_ids)
    headers = {**record.headers, "Idempotency-Replayed": "true"}
    return Answer(record.status, body, record.body, headers, record.item_ids, record.user_id)


def _keep(answer: Answer, caller: Caller, *, key: str, fingerprint: str, now: datetime) -> None:
    IdempotencyRecord.objects.create(
        api_key_id=caller.key_id,
        key=key,
        fingerprint=fingerprint,
        user_id=answer.user_id,
        status=answer.status,
        headers=answer.headers,
        body=answer.kept_body,
        item_ids=answer.item_ids,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )


def sweep(*, now: datetime) -> int:
    """Delete records past their day, a batch at a time; gives how many went."""
    gone = 0
    while True:
        batch = IdempotencyRecord.objects.filter(expires_at__lt=now).order_by("expires_at", "id").values("pk")
        deleted, _ = IdempotencyRecord.objects.filter(pk__in=batch[:SWEEP_ROWS]).delete()
        gone += deleted
        if deleted < SWEEP_ROWS:
            return gone
