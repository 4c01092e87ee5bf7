"""Work that a process repeats beside its requests."""

import threading

from kimberly.lib.background import Repeated


def test_a_call_that_fails_is_not_the_last_one():
    calls, went_on = [], threading.Event()

    def call():
        calls.append(threading.current_thread().name)
        if len(calls) == 1:
            raise RuntimeError("not this time")
        went_on.set()

    work = Repeated(call, every_seconds=0.001, name="a-test")
    work.ensure()
    work.ensure()

    assert went_on.wait(10)
    assert set(calls) == {"a-test"}
