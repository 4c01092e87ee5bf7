"""One tree of processes: started in order, brought back when they die, ended in reverse order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kimberly.local import logs, processes
from kimberly.local.guardian import Guardian
from kimberly.local.polling import wait_until
from kimberly.local.processes import ProcessSpec, RunningProcess
from kimberly.local.signalbox import SignalBox

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.2, 10.0
# A process that ran this long is well: its next death counts as its first.
WELL_AFTER_SECONDS = 20.0
TICK_SECONDS = 0.5

Announce = Callable[[str], None]


class Backoff:
    """How long to leave a process that died before its next life; doubles with each life that was short."""

    def __init__(self) -> None:
        self._deaths_in_a_row = 0

    def after_a_life_of(self, seconds: float) -> float:
        if seconds >= WELL_AFTER_SECONDS:
            self._deaths_in_a_row = 0
        delay = FIRST_DELAY_SECONDS * 2.0**self._deaths_in_a_row
        self._deaths_in_a_row += 1
        return min(delay, LONGEST_DELAY_SECONDS)


@dataclass
class Child:
    """A process that is kept running, through as many lives as it takes."""

    spec: ProcessSpec
    process: RunningProcess
    started_at: float = field(default_factory=time.monotonic)
    backoff: Backoff = field(default_factory=Backoff)
    restart_at: float | None = None


class Supervisor:
    """Must be used from the main thread: signals arrive there, and death signals are bound to the thread that forks."""

    def __init__(self, *, guardian: Guardian, signals: SignalBox, announce: Announce) -> None:
        self._guardian = guardian
        self._signals = signals
        self._announce = announce
        self._children: list[Child] = []

    def run_to_end(self, spec: ProcessSpec) -> None:
        """Run a short process, or raise ProcessFailed; StopRequested ends it."""
        process = self._start(spec)
        try:
            in_time = wait_until(process.has_ended, limit_seconds=spec.ready_seconds, wait=self._signals.wait)
            processes.check_ended_well(process, in_time=in_time)
        finally:
            process.kill(wait=self._signals.pause)
            self._guardian.forget(process.pid)

    def start(self, spec: ProcessSpec) -> None:
        """Start a process that stays; from now on it is ended by `stop`."""
        self._children.append(Child(spec=spec, process=self._start(spec)))

    def wait_until_ready(self, name: str) -> None:
        """Return when the process answers, or raise ProcessFailed when it or another one ended meanwhile."""
        child = next(each for each in self._children if each.spec.name == name)
        wait_until(
            lambda: self._first_dead() is not None or child.spec.is_ready(),
            limit_seconds=child.spec.ready_seconds,
            wait=self._signals.wait,
        )
        processes.check_became_ready((self._first_dead() or child).process)

    def watch(self) -> None:
        """Bring back whatever dies, until StopRequested."""
        while True:
            now = time.monotonic()
            for child in self._children:
                self._look_after(child, now)
            self._guardian.revive()
            self._signals.wait(TICK_SECONDS)

    def stop(self) -> None:
        """End everything, last started first; at once when a second stop is asked for meanwhile."""
        while self._children:
            child = self._children[-1]
            child.process.stop(wait=self._signals.pause, is_urgent=self._signals.is_urgent)
            self._guardian.forget(child.process.pid)
            self._children.pop()

    def _start(self, spec: ProcessSpec) -> RunningProcess:
        process = RunningProcess(spec, register=self._guardian.register)
        self._guardian.remember(process.pid, spec.death_signal)
        return process

    def _first_dead(self) -> Child | None:
        return next((each for each in self._children if each.process.has_ended()), None)

    def _look_after(self, child: Child, now: float) -> None:
        if child.restart_at is None and child.process.has_ended():
            self._bury(child, now)
        if child.restart_at is not None and now >= child.restart_at:
            child.process = self._start(child.spec)
            child.started_at, child.restart_at = now, None

    def _bury(self, child: Child, now: float) -> None:
        """End what the dead process left, and settle when it starts again."""
        child.process.end_group()
        self._guardian.forget(child.process.pid)
        delay = child.backoff.after_a_life_of(now - child.started_at)
        child.restart_at = now + delay
        how = processes.describe_exit(child.process.exit_code())
        self._announce(f"{child.spec.name} ended ({how}); starting it again in {delay:.1f} s.")
        for line in child.process.last_lines(1):
            self._announce(f"    {logs.render(line)}")
