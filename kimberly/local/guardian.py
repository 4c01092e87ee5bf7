"""The supervisor's side of the guardian, which ends the stack when the supervisor is killed."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from signal import Signals

SCRIPT = Path(__file__).with_name("guardian_process.py")


class Guardian:
    """A process that holds one end of a pipe; this object holds the other."""

    def __init__(self, *, lock_descriptor: int) -> None:
        """The guardian keeps the data folder's lock too: a next start waits until it has cleaned up."""
        self._lock_descriptor = lock_descriptor
        self._groups: dict[int, Signals] = {}
        self._process, self._pipe = self._start()

    def register(self, group: int, death_signal: Signals) -> None:
        """Called by a new process of itself, before it runs its program: no moment is left unwatched."""
        os.write(self._pipe, f"+{group} {int(death_signal)}\n".encode())

    def remember(self, group: int, death_signal: Signals) -> None:
        """The supervisor's own note of what was registered, for a next guardian."""
        self._groups[group] = death_signal

    def forget(self, group: int) -> None:
        if self._groups.pop(group, None) is not None:
            with suppress(BrokenPipeError):  # replaced at the next `revive`
                os.write(self._pipe, f"-{group}\n".encode())

    def revive(self) -> None:
        """Replace a guardian that somebody killed."""
        if self._process.poll() is None:
            return
        os.close(self._pipe)
        self._process, self._pipe = self._start()
        for group, death_signal in self._groups.items():
            self.register(group, death_signal)

    def dismiss(self) -> None:
        """Let it go; it ends what was not forgotten."""
        os.close(self._pipe)
        self._process.wait()

    def _start(self) -> tuple[subprocess.Popen[bytes], int]:
        reading, writing = os.pipe()
        # By descriptor, not by path: killing everything that is called like the supervisor must not take it along.
        script = os.open(SCRIPT, os.O_RDONLY)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", f"/dev/fd/{script}", str(reading)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(script, reading, self._lock_descriptor),
            cwd="/",
            start_new_session=True,
        )
        os.close(script)
        os.close(reading)
        return process, writing
