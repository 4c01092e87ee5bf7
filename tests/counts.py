"""How often a random or repeated test goes round: the short form in `make test`, the full one in `make test-long`."""

import os

FULL = os.environ.get("KIMBERLY_TEST_COUNTS") == "full"


def rounds(short: int, full: int) -> int:
    """The count for this run."""
    return full if FULL else short
