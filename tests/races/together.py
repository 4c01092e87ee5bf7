"""Many callers at the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run every call in a thread of its own, all let go at the same moment; their results in order."""
    results: dict[int, T] = {}
    errors: list[BaseException] = []
    begin = threading.Barrier(len(calls))

    def work(place: int) -> None:
        try:
            begin.wait()
            results[place] = calls[place]()
        except BaseException as error:  # noqa: BLE001 # it is raised again below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[place] for place in range(len(calls))]
