"""A database that is away, read-only or full: recognised once, answered everywhere with the designed 503."""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from kimberly.lib.errors import Kind, Refusal
from kimberly.web import redisclient

READ_ONLY = "25006"
FULL = "53100"
TIMED_OUT = ("57014", "55P03", "25P03", "25P04")
TRY_AGAIN = ("40001", "40P01", "53200")
# Connection, resources, operator intervention, system error: the server's trouble, not the statement's.
SERVER_CLASSES = ("08", "53", "57", "58")
FULL_SECONDS = 60  # For this long after a write was refused for lack of disk, the database counts as full.
FULL_KEY = "outage:database-full"


class Unavailable(Refusal):
    """Something the request needs does not work right now."""

    kind = Kind.UNAVAILABLE
    retry_seconds = 5

    @property
    def retry_after_seconds(self) -> int:
        return self.retry_seconds

    def facts(self) -> Mapping[str, Any]:
        return {"retry_after_seconds": self.retry_seconds}


class DatabaseUnavailable(Unavailable):
    """The database does not answer, or was lost before it did."""

    slug = "database-unavailable"
    title = "The database does not answer right now."
    explanation = (
        "A write that was under way when the database was lost may have been stored all the same. Sent again with the "
        "same Idempotency-Key, it is stored once."
    )
    retry_seconds = 2


class DatabaseReadOnly(Unavailable):
    """The database can be read, not written."""

    slug = "database-read-only"
    title = "The database is read-only right now. Nothing was changed; reads go on."
    retry_seconds = 30


class DatabaseFull(Unavailable):
    """The database has no room on its disk."""

    slug = "database-full"
    title = "The database has no room left. Nothing was changed; reads go on."
    retry_seconds = FULL_SECONDS


class DatabaseBusy(Unavailable):
    """The database took too long, or two requests stood in each other's way."""

    slug = "database-busy"
    title = "The database took too long. Nothing was changed."
    retry_seconds = 1


def outage_behind(error: BaseException) -> Unavailable | None:
    """The outage that this exception reports, or None when it is something else (a bug)."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state == READ_ONLY:
        return DatabaseReadOnly()
    if state == FULL:
        _note_full()
        return DatabaseFull()
    if state in TIMED_OUT or state in TRY_AGAIN:
        return DatabaseBusy()
    was_lost = isinstance(error, OperationalError | InterfaceError) and not state
    return DatabaseUnavailable() if was_lost or state[:2] in SERVER_CLASSES else None


_full_until = 0.0


def _note_full() -> None:
    """Remember it, for this process and through Redis for the others: no reading of the database tells."""
    global _full_until
    _full_until = time.monotonic() + FULL_SECONDS
    with suppress(redisclient.RedisAway):
        redisclient.ask(lambda client: client.set(FULL_KEY, 1, ex=FULL_SECONDS))


def was_full_lately() -> bool:
    """Whether any process of the service was refused a write for lack of disk within the last minute."""
    if time.monotonic() < _full_until:
        return True
    try:
        return bool(redisclient.ask(lambda client: client.exists(FULL_KEY)))
    except redisclient.RedisAway:
        return False
