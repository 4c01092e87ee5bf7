"""How often a random or repeated test goes round: the short form in `make test`, the full one in `make test-long`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

FULL = os.environ.get("KIMBERLY_TEST_COUNTS") == "full"


def rounds(short: int, full: int) -> int:
    """The count for this run."""
    return full if FULL else short


@contextmanager
def thrown_away() -> Iterator[None]:
    """For one example of a random test: what it wrote is gone before the next, so that the thousandth is no slower."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
