"""Whom a person of staff looked at last: a list of their own.

A look must change nothing in the database, so Redis keeps it; losing Redis loses the list, and nothing else.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from kimberly.web import redisclient
from kimberly.web.redisclient import RedisAway

MOST_KEPT = 10
KEPT = timedelta(days=30)


def note(staff: Any, *, user_id: UUID) -> None:
    """Put the user first; without Redis nothing is noted."""
    name = _name(staff)

    def put(client: Any) -> None:
        with client.pipeline(transaction=False) as pipeline:
            pipeline.lrem(name, 0, user_id.bytes)
            pipeline.lpush(name, user_id.bytes)
            pipeline.ltrim(name, 0, MOST_KEPT - 1)
            pipeline.expire(name, KEPT)
            pipeline.execute()

    with suppress(RedisAway):
        redisclient.ask(put)


def of(staff: Any) -> list[UUID] | None:
    """The last ten users, the latest first; None while Redis is away."""
    try:
        return redisclient.ask(lambda client: _kept(client, _name(staff)))
    except RedisAway:
        return None


def _kept(client: Any, name: str) -> list[UUID]:
    return [UUID(bytes=one) for one in client.lrange(name, 0, MOST_KEPT - 1)]


def _name(staff: Any) -> str:
    return f"seen:{staff.pk}"
