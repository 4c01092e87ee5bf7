"""What staff asked, kept for a quarter of an hour so that the answer has an address which does not hold the question.

The address holds a token. It means something to the person who asked, of the user who was asked about, and to nobody
else. Redis alone keeps it: losing it costs an answer that one can ask for again.
"""

import json
import secrets
from typing import Any
from uuid import UUID

from kimberly.web import redisclient
from kimberly.web.redisclient import RedisAway
from ops.models import LONGEST_REVEAL

LONGEST_TOKEN = 64


def keep(sent: dict[str, str], *, staff: Any, user_id: UUID) -> str | None:
    """Keep the fields of the form; gives their token, or None while Redis is away."""
    token, text = secrets.token_urlsafe(16), json.dumps(sent)
    name, seconds = _name(token, staff, user_id), int(LONGEST_REVEAL.total_seconds())
    try:
        redisclient.ask(lambda client: client.set(name, text, ex=seconds))
    except RedisAway:
        return None
    return token


def kept(token: str, *, staff: Any, user_id: UUID) -> dict[str, str] | None:
    """The fields behind the token; None when they are gone, or were never this person's about this user."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        text = redisclient.ask(lambda client: client.get(_name(token, staff, user_id)))
    except RedisAway:
        return None
    fields: dict[str, str] | None = json.loads(text) if isinstance(text, bytes) else None
    return fields


def _name(token: str, staff: Any, user_id: UUID) -> str:
    return f"asked:{staff.pk}:{user_id}:{token}"
