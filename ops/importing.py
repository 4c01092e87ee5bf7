"""Conversations become users and their memories, through the API as any client would. Done twice changes nothing."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ops.apiclient import Client, Refused
from ops.conversations import Conversation, Memory

MOST_ITEMS = 200  # a bulk takes 1,000; smaller ones lose less to a tier that is nearly full
MOST_BYTES = 8 << 20  # half of what a bulk's body may have
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one conversation."""

    user_id: str
    stored: int
    known: int
    refusal: Refused | None = None


def import_conversation(conversation: Conversation, *, api: Client, tier: str) -> Outcome:
    """Make the user and store the memories that it does not have yet; a refusal ends it and is part of the outcome.

    Raises NoAnswer. A memory is known again by `source_id` in its metadata, active or archived.
    """
    stored = known = 0
    try:
        _make_user(conversation, api)
        there = set(_source_ids(conversation.user_id, api))
        missing = [memory for memory in conversation.memories if memory.source_id not in there]
        known = len(conversation.memories) - len(missing)
        for batch in _batches(missing, tier):
            if _store(batch, conversation.user_id, api):
                stored += len(batch)
            else:
                known += len(batch)
    except Refused as refusal:
        return Outcome(conversation.user_id, stored, known, refusal)
    return Outcome(conversation.user_id, stored, known)


def _make_user(conversation: Conversation, api: Client) -> None:
    """A user that is there stays as it is: an operator may have changed its name since."""
    path = f"/users/{quote(conversation.user_id, safe='')}"
    try:
        api.get(path)
    except Refused as refusal:
        if refusal.status != 404:
            raise
        api.call("PUT", path, body={"display_name": " and ".join(conversation.speakers)[:LONGEST_NAME]})


def _source_ids(user_id: str, api: Client) -> Iterator[str]:
    for state in ("active", "archived"):
        cursor: dict[str, str] = {}
        while True:
            page = api.get("/memory", user_id=user_id, state=state, per_page=100, **cursor).body
            for item in page["items"]:
                yield item["metadata"].get("source_id", "")
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}


def _batches(memories: Sequence[Memory], tier: str) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size_bytes = 0
    for memory in memories:
        item = {
            "type": tier,
            "content": memory.content,
            "created_at": memory.created_at,
            "metadata": memory.metadata,
        }
        item_bytes = len(json.dumps(item)) + 2
        if batch and (len(batch) == MOST_ITEMS or size_bytes + item_bytes > MOST_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(item)
        size_bytes += item_bytes
    if batch:
        yield batch


def _store(batch: list[dict[str, Any]], user_id: str, api: Client) -> bool:
    """True when this call stored the batch, False when an earlier one had. All of it or, with Refused, none."""
    body = {"user_id": user_id, "items": batch, "create_user": False}
    # The same batch has the same key: a call that is repeated because its answer was lost stores nothing twice.
    key = "import-" + hashlib.sha256(json.dumps(body, sort_keys=True).encode("ascii")).hexdigest()
    return not api.call("POST", "/memory/bulk", body=body, idempotency_key=key).was_replayed
