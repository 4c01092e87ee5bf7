"""One process of the stack: what it is, how it is started, and how it and its descendants end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from kimberly.local import deathsignal
from kimberly.local.accounts import Account
from kimberly.local.errors import StackError
from kimberly.local.polling import wait_until

Registrar = Callable[[int, Signals], None]
Runner = Callable[["ProcessSpec"], None]
# After the death signal, before SIGKILL: PostgreSQL ends its own children within five seconds, then itself.
LAST_GRACE_SECONDS = 7
LAST_LINES_BYTES = 64 * 1024


class ProcessFailed(StackError):
    """A process of the stack ended, or did not become ready; `lines` is the end of what it wrote."""

    def __init__(self, process: "RunningProcess", *, problem: str) -> None:
        self.lines = process.last_lines()
        self.log_path = process.spec.log_path
        super().__init__(f"{process.spec.name} {problem}.")


def nothing() -> None:
    """What most processes need before they start."""


def always() -> bool:
    """The ready check of a process that has none."""
    return True


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """All that is needed to start a process, to know that it is ready, and to end it.

    `stop_signal` asks it to end in its own time; `death_signal` is sent when there is no time left.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    folder: Path
    log_path: Path
    account: Account | None = None
    stop_signal: Signals = Signals.SIGTERM
    stop_seconds: float = 10
    death_signal: Signals = Signals.SIGKILL
    before_start: Callable[[], None] = nothing
    is_ready: Callable[[], bool] = always
    ready_seconds: float = 60


class RunningProcess:
    """A started process, leader of a group of its own (so that Ctrl-C in a terminal reaches the supervisor alone)."""

    def __init__(self, spec: ProcessSpec, *, register: Registrar) -> None:
        spec.before_start()
        self.spec = spec
        self._log_offset = spec.log_path.stat().st_size if spec.log_path.exists() else 0
        self._process = _spawn(spec, register)
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def has_ended(self) -> bool:
        return self.exit_code() is not None

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of what it wrote in this run."""
        with self.spec.log_path.open("rb") as log:
            log.seek(max(self._log_offset, log.seek(0, os.SEEK_END) - LAST_LINES_BYTES))
            return log.read().decode("utf-8", errors="replace").splitlines()[-count:]

    def stop(
        self,
        number: Signals | None = None,
        *,
        wait: Callable[[float], None],
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        """Ask it to end, insist when its time is over or `is_urgent` says so, and end what it left behind."""
        if not is_urgent():
            self._signal(number or self.spec.stop_signal)
            wait_until(lambda: self.has_ended() or is_urgent(), limit_seconds=self.spec.stop_seconds, wait=wait)
        self.kill(wait=wait)

    def kill(self, *, wait: Callable[[float], None]) -> None:
        """End it at once, and all that still belongs to its group."""
        for last_resort in (self.spec.death_signal, Signals.SIGKILL):
            if self.has_ended():
                break
            self._signal(last_resort)
            wait_until(self.has_ended, limit_seconds=LAST_GRACE_SECONDS, wait=wait)
        self.end_group()

    def end_group(self) -> None:
        """End the descendants that outlived it: workers of a web server whose main process was killed."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: Signals) -> None:
        if not self.has_ended():
            self._process.send_signal(number)


def _spawn(spec: ProcessSpec, register: Registrar) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def prepare() -> None:  # runs in the child, after it took the account's identity
        deathsignal.arm(spec.death_signal, parent=parent)
        register(os.getpid(), spec.death_signal)

    account = spec.account
    with spec.log_path.open("ab") as log:
        return subprocess.Popen(
            spec.argv,
            env=dict(spec.environ),
            cwd=spec.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=prepare,  # noqa: PLW1509 - the supervisor has one thread, and a death signal needs it
        )


def unwatched(_group: int, _death_signal: Signals) -> None:
    """The registrar where there is no guardian."""


def run_to_end(spec: ProcessSpec) -> None:
    """Run a short process, or raise ProcessFailed."""
    process = RunningProcess(spec, register=unwatched)
    ended = wait_until(process.has_ended, limit_seconds=spec.ready_seconds)
    check_ended_well(process, in_time=ended)


def start_and_wait(spec: ProcessSpec) -> RunningProcess:
    """Start a process without a supervisor and return when it is ready, or raise ProcessFailed."""
    process = RunningProcess(spec, register=unwatched)
    wait_until(lambda: process.has_ended() or spec.is_ready(), limit_seconds=spec.ready_seconds)
    check_became_ready(process)
    return process


def check_became_ready(process: RunningProcess) -> None:
    if process.has_ended():
        raise ProcessFailed(process, problem=f"ended while it started ({describe_exit(process.exit_code())})")
    if not process.spec.is_ready():
        process.kill(wait=time.sleep)
        raise ProcessFailed(process, problem=f"was not ready after {process.spec.ready_seconds:.0f} s")


def check_ended_well(process: RunningProcess, *, in_time: bool) -> None:
    if not in_time:
        process.kill(wait=time.sleep)
        raise ProcessFailed(process, problem=f"was not done after {process.spec.ready_seconds:.0f} s")
    if process.exit_code() != 0:
        raise ProcessFailed(process, problem=f"failed ({describe_exit(process.exit_code())})")


def describe_exit(code: int | None) -> str:
    """An exit code as `subprocess` gives it, in words; negative ones are signals."""
    if code is not None and code < 0:
        return Signals(-code).name
    return f"exit code {code}"


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody asked about yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError):  # no /proc here: then it is taken for alive
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return True


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory is the folder; nothing where there is no /proc."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if _working_directory(entry) == str(folder) and is_alive(int(entry.name))
    ]


def _working_directory(entry: Path) -> str | None:
    try:
        return str((entry / "cwd").readlink())
    except OSError:
        return None
