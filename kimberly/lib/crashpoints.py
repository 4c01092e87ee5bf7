"""Named places where a test may end the process at once.

Outside of tests `crashpoint` does nothing. With `KIMBERLY_CRASH_AT=<name>` or `<name>:<k>` in the environment of a
process that a test started, the process exits there the first or the k-th time, as if it had been killed: no handler,
no flush, no rollback message.
"""

import os

ENVIRONMENT = "KIMBERLY_CRASH_AT"
EXIT_STATUS = 137
_NAME, _, _TIMES = os.environ.get(ENVIRONMENT, "").partition(":")
_left = int(_TIMES or 1)


def crashpoint(name: str) -> None:
    """End the process here when a test asked for this name, and for this time of passing it."""
    global _left
    if name == _NAME:
        _left -= 1
        if not _left:
            os._exit(EXIT_STATUS)
