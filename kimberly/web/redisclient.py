"""One Redis client a process, and the rule for its absence: remembered for a second, so that nobody waits for it."""

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import redis
import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 0.25
# After a failure no call is tried for this long, and then by one thread first: a dead Redis must not cost each request
# its timeout.
REST_SECONDS = 1.0


class RedisAway(Exception):
    """Redis does not answer; use the stated fallback."""


@cache
def client() -> "redis.Redis":
    """The process's client; its pool is thread-safe."""
    return redis.Redis.from_url(
        settings.KIMBERLY.redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=None,
        health_check_interval=0,
    )


class Script:
    """A Lua script and the name under which a server that has seen it knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def run(script: Script, keys: Sequence[str], arguments: Sequence[int]) -> bytes:
    """What the script gives, which is one text. Raises RedisAway.

    It runs on a connection that is kept for that: the client's own way costs a request more than the script.
    """
    try:
        return ask(lambda client: _evaluate(client, "EVALSHA", script.sha1, len(keys), *keys, *arguments))
    except redis.exceptions.NoScriptError:
        return ask(lambda client: _evaluate(client, "EVAL", script.text, len(keys), *keys, *arguments))


_idle: deque[Any] = deque()
"""Connections whose last answer was read to its end; one that failed is not among them."""
os.register_at_fork(after_in_child=_idle.clear)


def _evaluate(client: "redis.Redis", *command: str | int) -> bytes:
    try:
        connection = _idle.pop()
    except IndexError:
        connection = client.connection_pool.make_connection()
    connection.send_command(*command)
    try:
        answer: bytes = connection.read_response()
    except redis.ResponseError:
        _idle.append(connection)
        raise
    _idle.append(connection)
    return answer


class _Rest:
    """Whether Redis is left alone. After the rest one thread tries; the others go on without until it is back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_away = False
        self._until = 0.0

    def is_over(self) -> bool:
        if not self._is_away:
            return True
        with self._lock:
            is_over = time.monotonic() >= self._until
            if is_over:
                self._until = time.monotonic() + REST_SECONDS
            return is_over

    def begin(self) -> None:
        with self._lock:
            self._is_away, self._until = True, time.monotonic() + REST_SECONDS

    def end(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.info("redis_back")


_rest = _Rest()


def ask(call: Callable[["redis.Redis"], T]) -> T:
    """Run the call, or raise RedisAway: at once while Redis rests after a failure."""
    if not _rest.is_over():
        raise RedisAway
    try:
        answer = call(client())
    except (redis.ConnectionError, redis.TimeoutError) as error:
        # A restarted server leaves dead connections in the pool: the idle ones go at the first sign, and those in use
        # fail in the hands of the threads that use them.
        client().connection_pool.disconnect(inuse_connections=False)
        _idle.clear()
        _rest.begin()
        logger.warning("redis_away", error=type(error).__name__)
        raise RedisAway from error
    except redis.exceptions.NoScriptError:
        raise
    except redis.RedisError as error:
        # Out of memory, or a replica that cannot write: it answers, but is of no use for this call.
        _rest.begin()
        logger.warning("redis_refuses", error=str(error)[:80])
        raise RedisAway from error
    _rest.end()
    return answer
