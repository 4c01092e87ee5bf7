"""One stack on one data folder: an flock, which a process that is gone no longer holds, and a note of who has it."""

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from kimberly.local.errors import StackError
from kimberly.local.polling import PAUSE_SECONDS
from kimberly.local.processes import is_alive

FILE_NAME = "kimberly.lock"
# A killed supervisor's guardian holds the lock until it has ended the rest.
CLEARING_SECONDS = 30.0


class AlreadyRunning(StackError):
    """Somebody who lives holds the data folder."""

    def __init__(self, data_dir: Path, *, url: str | None, pid: int | None) -> None:
        super().__init__(
            f"Kimberly is already running here: {url or data_dir} (pid {pid or 'unknown'}). "
            "Stop it by Ctrl-C in its terminal, or start another one with KIMBERLY_DATA_DIR and KIMBERLY_PORT."
        )


class Lock:
    """The held data folder; released when this process ends, however it does."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.describe(url=None)

    def describe(self, *, url: str | None) -> None:
        """Leave a note for whoever comes second."""
        note = json.dumps({"pid": os.getpid(), "url": url}).encode()
        os.pwrite(self.descriptor, note, 0)
        os.ftruncate(self.descriptor, len(note))

    def release(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()


def take(data_dir: Path) -> Lock:
    """Take the folder, or raise AlreadyRunning; wait while only the remains of a killed stack are in the way."""
    path = data_dir / FILE_NAME
    deadline = time.monotonic() + CLEARING_SECONDS
    while (descriptor := _try(path)) is None:
        holder = _holder(path)
        if holder.get("pid") is None or is_alive(holder["pid"]) or time.monotonic() >= deadline:
            raise AlreadyRunning(data_dir, url=holder.get("url"), pid=holder.get("pid"))
        time.sleep(PAUSE_SECONDS)
    return Lock(descriptor)


def is_held(data_dir: Path) -> bool:
    """Whether a stack lives, or its remains are being ended."""
    path = data_dir / FILE_NAME
    if not path.exists():
        return False
    descriptor = _try(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def _try(path: Path) -> int | None:
    """A descriptor that holds the lock, or None. One on a file that `clean` removed meanwhile holds nothing."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError:
            raise StackError(f"{path} belongs to somebody else. Choose another folder by KIMBERLY_DATA_DIR.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _holder(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return note
    return {}
