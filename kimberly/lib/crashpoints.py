"""Named places where a test may end the process at once.

Outside of tests `crashpoint` does nothing. With `KIMBERLY_CRASH_AT=<name>` in the environment of a process that a
test started, the process exits there as if it had been killed: no handler, no flush, no rollback message.
"""

import os

_CRASH_AT = os.environ.get("KIMBERLY_CRASH_AT", "")


def crashpoint(name: str) -> None:
    """End the process here when a test asked for this name."""
    if name == _CRASH_AT:
        os._exit(137)
