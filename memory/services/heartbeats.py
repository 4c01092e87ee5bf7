"""Signs of life of a shard while its one long transaction runs: from a thread, on a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import structlog
from django.db import Error, connection

from memory.models import MeditationShard
from memory.rules.meditation import ShardState

EVERY_SECONDS = 15.0
logger = structlog.get_logger(__name__)


@contextmanager
def of(shard_id: UUID, *, tell_time: Callable[[], datetime]) -> Iterator[None]:
    """Say every few seconds, until the end, that the shard is being worked on."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(EVERY_SECONDS):
            try:
                mine = MeditationShard.objects.filter(pk=shard_id, state=ShardState.RUNNING)
                mine.update(heartbeat_at=tell_time())
            except Error as error:
                logger.warning("heartbeat_missed", shard=str(shard_id), error=type(error).__name__)
            finally:
                connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
