"""Linux's parent-death signal: a process ends when the one that started it is gone, however that one ended."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

# Loaded here, since a process between fork and exec should do as little as it can.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def arm(death_signal: signal.Signals, *, parent: int) -> None:
    """Have this process sent the signal when the thread of `parent` that started it ends.

    Call it after any change of user, which would clear it. Elsewhere than on Linux the guardian alone does this.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be watched
        os.kill(os.getpid(), signal.SIGKILL)
