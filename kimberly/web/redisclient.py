"""One Redis client a process, and the rule for its absence: remembered for a second, so that nobody waits for it."""

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
import structlog
from django.conf import settings

logger = structlog.get_logger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 0.25
REST_SECONDS = 1.0  # After a failure no call is tried for this long: a dead Redis must not cost each request its timeout.

_rests_until = 0.0


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


def ask(call: Callable[["redis.Redis"], T]) -> T:
    """Run the call, or raise RedisAway: at once while Redis rests after a failure."""
    global _rests_until
    if time.monotonic() < _rests_until:
        raise RedisAway
    try:
        return call(client())
    except (redis.ConnectionError, redis.TimeoutError) as error:
        # A restarted server leaves dead connections in the pool; all of them go at the first sign.
        client().connection_pool.disconnect()
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("redis_away", error=type(error).__name__)
        raise RedisAway from error
    except redis.ResponseError as error:
        # Out of memory, or a replica that cannot write: it answers, but is of no use for this call.
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("redis_refuses", error=str(error)[:80])
        raise RedisAway from error
