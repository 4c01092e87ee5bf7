"""One stack for all tests of faults in a test process; each test leaves it well, with its invariants holding."""

import logging
from collections.abc import Iterator

import pytest

from tests.counts import FULL
from tests.faults.stack import Stack
from tests.waiting import until

collect_ignore = [] if FULL else ["test_full_disk.py"]  # it mounts file systems
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each call of a load hides what matters


@pytest.fixture(scope="session")
def shared_stack() -> Iterator[Stack]:
    with Stack() as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    yield shared_stack
    until(shared_stack.is_well, what="the stack to be well again", limit_seconds=30)
    shared_stack.assert_invariants()
