"""What a process may remember for a moment, so that a busy caller does not cost the same look-up again and again."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values that were looked up, each for at most `seconds`; at most `most` of them, the oldest go first.

    That nothing was found is not remembered: what is made now works at once.
    """

    everything: "list[Remembered[object, object]]" = []

    def __init__(self, *, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        Remembered.everything.append(self)  # type: ignore[arg-type] # only ever told to forget

    def get(self, key: K, load: Callable[[K], V | None]) -> V | None:
        """The value for the key, looked up when it is not remembered; None when there is none."""
        kept = self._values.get(key)
        if kept is not None and time.monotonic() - kept[0] < self._seconds:
            return kept[1]
        read_at = time.monotonic()
        value = load(key)
        with self._lock:
            self._values.pop(key, None)
            if value is not None:
                self._values[key] = (read_at, value)
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

    def forget(self) -> None:
        """Look everything up anew."""
        with self._lock:
            self._values.clear()


def forget_everything() -> None:
    """Forget in the whole process; for tests, whose people come and go within a second."""
    for remembered in Remembered.everything:
        remembered.forget()
