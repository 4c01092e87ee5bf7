"""Moves what this process counted (metrics of source V) to Valkey, once a second, and reads the sums back."""

import atexit
import os
import threading
from collections import Counter

import structlog

from kimberly.lib.metrics import SharedCounter
from kimberly.web import redisclient

logger = structlog.get_logger(__name__)
FLUSH_SECONDS = 1.0
SEPARATOR = "|"

_flusher_pid = 0
_start_lock = threading.Lock()


def install() -> None:
    """Start flushing in a process at its first count."""
    SharedCounter.on_first_count = _ensure_flusher
    atexit.register(flush)


def _ensure_flusher() -> None:
    # A forked child has the parent's module state but none of its threads: hence the pid.
    global _flusher_pid
    if _flusher_pid == os.getpid():
        return
    with _start_lock:
        if _flusher_pid != os.getpid():
            _flusher_pid = os.getpid()
            threading.Thread(target=_flush_for_ever, name="shared-counters", daemon=True).start()


def _flush_for_ever() -> None:
    pause = threading.Event()
    while not pause.wait(FLUSH_SECONDS):
        flush()


def flush() -> None:
    """Add the buffered counts to Valkey; they stay buffered while it is away."""
    taken = SharedCounter.take()
    if not taken:
        return
    try:
        _add(taken)
    except redisclient.RedisAway:
        SharedCounter.put_back(taken)


def _add(taken: Counter[tuple[str, tuple[str, ...]]]) -> None:
    def call(client: "redisclient.redis.Redis") -> None:
        pipeline = client.pipeline(transaction=True)
        for (name, labels), amount in taken.items():
            pipeline.hincrby(f"metrics:{name}", SEPARATOR.join(labels), amount)
        pipeline.execute()

    redisclient.ask(call)


def read(name: str) -> dict[tuple[str, ...], int]:
    """Label values -> sum over all processes; raises RedisAway."""
    stored = redisclient.ask(lambda client: client.hgetall(f"metrics:{name}"))
    return {
        tuple(field.decode().split(SEPARATOR)) if field else (): int(amount)
        for field, amount in stored.items()  # type: ignore[union-attr] # the sync client gives a dict
    }
