"""A database that is away, read-only or full: recognised once, answered everywhere with the designed 503."""

from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from kimberly.lib.errors import Kind, Refusal

READ_ONLY = "25006"
FULL = ("53100", "53200")
TIMED_OUT = ("57014", "55P03", "25P03", "25P04")
TRY_AGAIN = ("40001", "40P01")


class Unavailable(Refusal):
    """Something the request needs does not work right now; nothing was changed."""

    kind = Kind.UNAVAILABLE
    retry_seconds = 5

    @property
    def retry_after_seconds(self) -> int:
        return self.retry_seconds

    def facts(self) -> Mapping[str, Any]:
        return {"retry_after_seconds": self.retry_seconds}


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    slug = "database-unavailable"
    title = "The database does not answer right now. Nothing was changed."
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
    retry_seconds = 60


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
    if state in FULL:
        return DatabaseFull()
    if state in TIMED_OUT or state in TRY_AGAIN:
        return DatabaseBusy()
    is_connection = isinstance(error, OperationalError | InterfaceError) or state[:2] in ("08", "53", "57", "58")
    return DatabaseUnavailable() if is_connection else None
