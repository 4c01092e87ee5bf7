"""Moves what this process counted (metrics of source V) to Valkey, once a second, and reads the sums back."""

import atexit
import os
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import redis
import structlog

from kimberly.lib.background import Repeated
from kimberly.lib.metrics import SharedCounter
from kimberly.web import redisclient

logger = structlog.get_logger(__name__)
FLUSH_SECONDS = 1.0
SEPARATOR = "|"
REMEMBERED_SECONDS = 3600  # How long a process that is gone leaves its last batch's name behind.
# KEYS: where the process notes its last batch. ARGV: how long to remember it, the batch, then a metric, its labels and
# an amount, three by three.
ADD_ONCE = """
if redis.call('GET', KEYS[1]) ~= ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1])
  for i = 3, #ARGV, 3 do redis.call('HINCRBY', 'metrics:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
end
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Counts that are sent together: (metric, labels, amount). The process keeps it until it was added."""

    id: str
    amounts: list[tuple[str, str, int]]


_process = secrets.token_hex(8)
_flush_lock = threading.Lock()
_unsent: Batch | None = None


def install() -> None:
    """Start flushing in a process at its first count."""
    SharedCounter.on_count = Repeated(flush, every_seconds=FLUSH_SECONDS, name="shared-counters").ensure
    atexit.register(flush)


def flush() -> None:
    """Add the buffered counts to Valkey; they stay buffered while it is away."""
    with _flush_lock:
        if _unsent is None:
            _pack()
        if _unsent is not None:
            with suppress(redisclient.RedisAway):
                _send(_unsent)


def _pack() -> None:
    global _unsent
    if taken := SharedCounter.take():
        amounts = [(name, SEPARATOR.join(labels), amount) for (name, labels), amount in taken.items()]
        _unsent = Batch(secrets.token_hex(8), amounts)


def _send(batch: Batch) -> None:
    """Add it once, however often it is tried: an answer that came too late was an addition all the same."""
    global _unsent
    noted_at = f"metrics-batch:{_process}:{os.getpid()}"
    amounts = [part for amount in batch.amounts for part in amount]
    redisclient.ask(lambda client: client.eval(ADD_ONCE, 1, noted_at, REMEMBERED_SECONDS, batch.id, *amounts))
    _unsent = None


def read_all(names: Iterable[str]) -> dict[str, dict[tuple[str, ...], int]]:
    """Name -> label values -> sum over all processes, in one round trip; raises RedisAway."""
    asked = list(names)

    def call(client: redis.Redis) -> list[dict[bytes | str, bytes | str]]:
        pipeline = client.pipeline(transaction=False)
        for name in asked:
            pipeline.hgetall(f"metrics:{name}")
        return list(pipeline.execute())

    return {
        name: {_labels_of(field): int(amount) for field, amount in stored.items()}
        for name, stored in zip(asked, redisclient.ask(call), strict=True)
    }


def _labels_of(field: bytes | str) -> tuple[str, ...]:
    text = field.decode() if isinstance(field, bytes) else field
    return tuple(text.split(SEPARATOR)) if text else ()
