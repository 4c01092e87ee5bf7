"""Which items queries returned: noted in the process, written once a second, so that no reader waits for a write.

Those of a killed process are lost, and those of a database that cannot be written are dropped: they are a hint for the
scores, not a record.
"""

import atexit
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import Error, connection

from kimberly.lib.background import Repeated
from memory.models import AccessEvent

logger = structlog.get_logger(__name__)
FLUSH_SECONDS = 1.0
MOST_WAITING = 10_000
SWEEP_ROWS = 10_000

_lock = threading.Lock()
_waiting: list[AccessEvent] = []


def note(user_id: UUID, item_ids: Sequence[UUID], *, at: datetime) -> None:
    """Remember one query's answer. It reaches the database within a second or two."""
    if not item_ids:
        return
    with _lock:
        if len(_waiting) < MOST_WAITING:
            _waiting.append(AccessEvent(user_id=user_id, item_ids=list(item_ids), asked_at=at))
    _flusher.ensure()


def write(user_id: UUID, item_ids: Sequence[UUID], *, at: datetime) -> None:
    """Write one query's answer at once, in the caller's transaction: where no reader waits, and none may be lost."""
    if item_ids:
        AccessEvent.objects.create(user_id=user_id, item_ids=list(item_ids), asked_at=at)


def flush() -> int:
    """Write what is waiting; gives how many events were written."""
    with _lock:
        taken, _waiting[:] = list(_waiting), []
    if not taken:
        return 0
    try:
        AccessEvent.objects.bulk_create(taken)
    except Error as error:
        logger.warning("accesses_dropped", number=len(taken), error=type(error).__name__)
        return 0
    return len(taken)


def _flush_beside() -> None:
    if _waiting:
        flush()
        connection.close()  # this thread's own: it is needed too rarely to be kept


_flusher = Repeated(_flush_beside, every_seconds=FLUSH_SECONDS, name="accesses")
atexit.register(flush)


def sweep(*, keep: timedelta, now: datetime) -> int:
    """Delete events past their retention, a batch at a time; gives how many went."""
    gone = 0
    while True:
        old = AccessEvent.objects.filter(asked_at__lt=now - keep).order_by("asked_at", "id").values("pk")
        deleted, _ = AccessEvent.objects.filter(pk__in=old[:SWEEP_ROWS]).delete()
        gone += deleted
        if deleted < SWEEP_ROWS:
            return gone
