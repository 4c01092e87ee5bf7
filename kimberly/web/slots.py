"""Few requests are worked on at once, however many wait for their bodies.

granian gives every request a thread, and a body that arrives slowly keeps its thread waiting. Threads are cheap,
database connections are not: a request has one of the process's few slots, each with a connection of its own, only
while it is worked on. It gives the slot back while it waits for its body (docs/adr/0005).
"""

import select
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, reset_queries
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse

from kimberly.lib import webthreads
from kimberly.web.middleware import PATH_AS_SENT
from kimberly.web.outages import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NEEDS_NO_SLOT = ("/healthz",)  # A process whose slots all wait for the database is alive all the same.


class TooManyBodies(Unavailable):
    """Too many callers are still sending their bodies; calls without a body are answered as ever."""

    slug = "too-many-bodies"
    title = "Too many callers are still sending. Nothing was changed."
    retry_seconds = 5


class Slots:
    """The process's slots: whoever holds one works with its database connection."""

    def __init__(self, number: int, *, statement_seconds: int) -> None:
        self._free: SimpleQueue[BaseDatabaseWrapper] = SimpleQueue()
        # Django looks after a thread's connections when a request begins and ends. Here they belong to the slots, which
        # look after the one that was used, once.
        request_started.disconnect(reset_queries)
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        request_finished.disconnect(close_caches)  # Redis' has nothing to close
        for _ in range(number):
            connection = connections.create_connection(DEFAULT_DB_ALIAS)
            connection.settings_dict = _limited(connection.settings_dict, statement_seconds)
            connection.inc_thread_sharing()
            self._free.put(connection)

    def take(self) -> BaseDatabaseWrapper:
        """Wait for a slot; its connection becomes this thread's."""
        connection = self._free.get()
        _drop_when_dead(connection)
        connections[DEFAULT_DB_ALIAS] = connection
        return connection

    def give_back(self, connection: BaseDatabaseWrapper) -> None:
        """Leave the slot: another thread may use its connection from now on, and this one may not."""
        connection.queries_log.clear()
        connection.close_if_unusable_or_obsolete()
        del connections[DEFAULT_DB_ALIAS]
        self._free.put(connection)


def _limited(settings: dict[str, Any], statement_seconds: int) -> dict[str, Any]:
    """The settings of a connection on which PostgreSQL ends each statement after so many seconds."""
    options = settings["OPTIONS"]
    limit = f"{options['options']} -c statement_timeout={statement_seconds * 1000}"  # of two the later one holds
    return {**settings, "OPTIONS": {**options, "options": limit}}


def _drop_when_dead(connection: BaseDatabaseWrapper) -> None:
    """Close the idle connection when the server has closed it: an idle socket that is readable says so.

    It costs microseconds where a `SELECT 1` would cost each request a round trip, and heals at the first request after
    PostgreSQL is back. A request that waits for its body takes a slot twice, and each may have a connection of its own.
    """
    kept = connection.connection
    if kept is None:
        return
    socket = select.poll()  # select() fails for descriptors past 1,023
    if not kept.closed:
        socket.register(kept.fileno(), select.POLLIN)
    if kept.closed or socket.poll(0):
        connection.close()


class Limited:
    """The WSGI application, with a slot for each request."""

    def __init__(self, application: "WSGIApplication", *, number: int, statement_seconds: int) -> None:
        self._application = application
        self._slots = Slots(number, statement_seconds=statement_seconds)
        self._reading: set[int] = set()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] in NEEDS_NO_SLOT:
            return self._application(environ, start_response)
        environ[PATH_AS_SENT] = environ["PATH_INFO"]  # Django puts another one in its place
        body = environ["wsgi.input"] = Body(environ, self._slots, self._reading)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            # What was not read ends the connection: without this word the caller's next request would go down with it.
            return start_response(status, [*headers, ("Connection", "close")] if body.is_unread else headers, *rest)

        try:
            response = self._application(environ, start)
            if not isinstance(response, HttpResponse):
                return response  # a file; it is sent without a slot
            response.close()
            # granian sends a list at once, and iterates over anything else with a change of threads for each part: that
            # cost a short answer as much as all of Django.
            return [response.content]
        finally:
            body.finish()


class Body:
    """A request's body, and the slot of the one who reads it: nobody holds a slot while waiting for bytes."""

    def __init__(self, environ: "WSGIEnvironment", slots: Slots, reading: set[int]) -> None:
        self._stream = environ["wsgi.input"]
        self._slots = slots
        self._reading = reading
        self._left = int(environ.get("CONTENT_LENGTH") or 0)
        self._has_ended = "HTTP_TRANSFER_ENCODING" not in environ
        self._slot = slots.take()

    @property
    def is_unread(self) -> bool:
        """Whether the sender has more to send than was read."""
        return self._left > 0 or not self._has_ended

    def finish(self) -> None:
        """The request is answered."""
        self._slots.give_back(self._slot)

    def read(self, size: int | None = None) -> bytes:
        """Wait for so many bytes, or for the end. Raises TooManyBodies."""
        part = self._without_slot(lambda: self._stream.read(size))
        self._note(part, is_last=size is None or len(part) < size)
        return part

    def readline(self, size: int | None = None) -> bytes:
        """Wait for a line. Raises TooManyBodies."""
        line = self._without_slot(lambda: self._stream.readline(size))
        self._note(line, is_last=not line)
        return line

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _note(self, part: bytes, *, is_last: bool) -> None:
        self._left -= len(part)
        self._has_ended = self._has_ended or is_last

    def _without_slot(self, wait: Callable[[], bytes]) -> bytes:
        if self._slot.in_atomic_block:
            return wait()  # another thread must not see this one's transaction
        if len(self._reading) >= webthreads.MOST_WAITING_FOR_BODIES:
            raise TooManyBodies
        self._reading.add(id(self))
        self._slots.give_back(self._slot)
        try:
            return wait()
        finally:
            self._reading.discard(id(self))
            self._slot = self._slots.take()
