"""Rows as the API gives them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from kimberly.clients.idempotency import Answer
from kimberly.lib import clock, ids
from kimberly.web import etags, problems, ratelimit
from memory.models import MemoryItem, MemoryUser
from memory.queries import items as item_queries
from memory.services.quotas import Room, Stored

WITHOUT_CONTENT = {"content": None, "metadata": None}


def time(value: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return clock.spelled(value) if value is not None else None


def item(row: dict[str, Any], external_id: str) -> dict[str, Any]:
    """An item from a row of `memory.queries.items`."""
    return {
        "id": ids.encode(ids.Prefix.ITEM, row["id"]),
        "user_id": external_id,
        "type": row["tier"],
        "state": row["state"],
        "content": row["content"],
        "metadata": as_sent(row["metadata"]),
        "size_bytes": row["size_bytes"],
        "protected": row["protected"],
        "created_at": time(row["created_at"]),
        "expires_at": time(row["expires_at"]),
        "archived_at": time(row["archived_at"]),
        "restorable_until": time(row["purge_after"]),
        "etag": etags.of_version(row["version"]),
    }


def as_sent(value: Any) -> Any:
    """Metadata in numbers that may be sent back: PostgreSQL keeps 1e300 as an integer of 301 digits."""
    if isinstance(value, dict):
        return {key: as_sent(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_sent(inner) for inner in value]
    return float(value) if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63 else value


def changed_item(changed: MemoryItem, external_id: str) -> dict[str, Any]:
    """An item from the model that a service gave back."""
    return item({name: getattr(changed, name) for name in item_queries.COLUMNS}, external_id)


def stored_item(stored: Stored, external_id: str, *, now: datetime) -> dict[str, Any]:
    """The item that was just stored, from what was sent and what the database decided."""
    draft = stored.draft
    return {
        "id": ids.encode(ids.Prefix.ITEM, stored.id),
        "user_id": external_id,
        "type": str(draft.tier),
        "state": "active",
        "content": draft.content,
        "metadata": draft.metadata,
        "size_bytes": draft.size_bytes,
        "protected": draft.protected,
        "created_at": time(draft.created_at or now),
        "expires_at": time(stored.expires_at),
        "archived_at": None,
        "restorable_until": None,
        "etag": etags.of_version(1),
        "usage": usage(stored.room),
    }


def bulk_row(stored: Stored, *, now: datetime) -> dict[str, Any]:
    return {
        "id": ids.encode(ids.Prefix.ITEM, stored.id),
        "type": str(stored.draft.tier),
        "size_bytes": stored.draft.size_bytes,
        "created_at": time(stored.draft.created_at or now),
        "etag": etags.of_version(1),
    }


def usage(room: Room) -> dict[str, Any]:
    return {
        "tier": str(room.tier),
        "used_bytes": room.used_bytes,
        "items": room.items,
        "soft_bytes": room.soft_bytes,
        "limit_bytes": room.limit_bytes,
        "over_soft": room.is_over_soft,
    }


def soft_limit_header(*rooms: Room) -> dict[str, str]:
    """Says that a write succeeded above the soft limit; empty below it."""
    over = [room for room in rooms if room.is_over_soft]
    said = ", ".join(f"{room.tier};used={room.used_bytes};soft={room.soft_bytes}" for room in over)
    return {"X-Quota-Warning": said} if over else {}


def user(row: MemoryUser) -> dict[str, Any]:
    return {
        "user_id": row.external_id,
        "id": row.public_id,
        "display_name": row.display_name,
        "email": row.email,
        "plan": row.plan_id,
        "state": row.state,
        "time_zone": row.time_zone,
        "created_at": time(row.created_at),
        "etag": etags.of_version(row.version),
    }


def put_content_back(body: dict[str, Any], item_ids: list[UUID]) -> dict[str, Any]:
    """A kept answer made whole: content and metadata come from the item while it is there."""
    if "content" not in body:
        return body
    row = item_queries.by_ids(item_ids).get(item_ids[0])
    return {**body, "content": row["content"], "metadata": as_sent(row["metadata"])} if row else body


def respond(request: HttpRequest, answer: Answer) -> HttpResponse:
    """The HTTP answer, with what the rate limits say."""
    response = problems.json_response(answer.body, status=answer.status)
    for name, value in answer.headers.items():
        response[name] = value
    ratelimit.add_headers(response, getattr(request, "rate_verdicts", ()))
    return response


def ok(request: HttpRequest, body: dict[str, Any], *, etag: str | None = None) -> HttpResponse:
    """200 with a body that was not made by an idempotent call."""
    return respond(request, Answer(200, body, {}, {"ETag": etag} if etag else {}))
