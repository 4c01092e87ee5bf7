"""When each job was last done, noted in Redis by the workers: what shows that beat sends and workers take.

Losing Redis loses the notes; then nothing is known until the next job is done, and the pages say so.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kimberly.web import redisclient
from kimberly.web.redisclient import RedisAway

NAME = "jobs-done"
EACH_MINUTE = "audit.seal"
"""The job by which one sees that jobs run at all: it is due each minute, whether there is anything to do or not."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Since when the job of each minute is done, and how many jobs wait in each queue. None: not known."""

    last_done_at: datetime | None = None
    waiting: Mapping[str, int] = field(default_factory=dict)

    @property
    def jobs_waiting(self) -> int:
        return sum(self.waiting.values())


def note(task: str, *, now: datetime) -> None:
    """Note that the job was done; without Redis nothing is noted."""
    with suppress(RedisAway):
        redisclient.ask(lambda client: client.hset(NAME, task, int(now.timestamp())))


def read(queues: tuple[str, ...]) -> Pulse | None:
    """What is known; None while Redis is away."""
    try:
        return redisclient.ask(lambda client: _read(client, queues))
    except RedisAway:
        return None


def _read(client: Any, queues: tuple[str, ...]) -> Pulse:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.hget(NAME, EACH_MINUTE)
        for queue in queues:
            pipeline.llen(queue)
        done, *waiting = pipeline.execute()
    last = datetime.fromtimestamp(int(done), UTC) if done else None
    return Pulse(last, dict(zip(queues, waiting, strict=True)))
