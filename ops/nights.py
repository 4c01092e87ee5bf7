"""The meditation in one sentence: how the last run ended, how far one is that is under way, and what is next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kimberly.lib import bytesize, clock
from memory.models import MeditationRun
from memory.rules.meditation import RunState, Scope, Trigger, UndoState
from ops import telling, words
from ops.queries.meditations import Beat, Facts, RunRow
from ops.queries.runacts import UndoRow

LATE_AFTER = timedelta(hours=26)
"""A night's run begins each 24 h, and is done within minutes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The page in one sentence, and what else there is to know."""

    tone: str
    icon: str
    text: str
    more: list[str]


def verdict(facts: Facts, now: datetime) -> Verdict:
    """The run that is under way, else the last night's; the next one behind it."""
    row = facts.newest
    if row is None:
        return Verdict("mute", "pending", "No night’s meditation was begun yet", [_next(facts.beat, now)])
    tone, icon, text, told = _SAYS[RunState(row.run.state)](row)
    if row.run.ended_at and row.now - row.run.created_at > LATE_AFTER:
        last = words.relative(row.run.created_at, row.now)
        tone, icon, text = "bad", "bad", f"No meditation was begun last night: the last one {last}"
    return Verdict(tone, icon, text, [*filter(None, [told]), _next(facts.beat, now)])


def of_run(row: RunRow) -> Verdict:
    """One run in a sentence."""
    tone, icon, text, told = _SAYS[RunState(row.run.state)](row)
    return Verdict(tone, icon, text, [told] if told else [])


def of_undo(row: UndoRow) -> Verdict:
    """The undo of a run in a sentence."""
    became = f"{row.undone + row.partly:,} undone, {row.left:,} left as they are, {row.refused:,} refused"
    back = f"{words.counted(row.items, 'item')} ({bytesize.human(row.size_bytes)}) are back: {became}."
    begun = f"Begun {words.relative(row.undo.created_at, row.now)} by {row.who}."
    if row.is_silent:
        text = f"Its undo stands still: {row.told:,} of {words.counted(row.users, 'user')}"
        return Verdict("bad", "bad", text, [back, "The watchdog takes it up again each minute."])
    if row.is_running:
        return Verdict(
            "info", "running", f"It is being undone: {row.told:,} of {words.counted(row.users, 'user')}", [begun]
        )
    ended = words.relative(row.undo.ended_at or row.now, row.now)
    if row.undo.state == UndoState.STOPPED:
        return Verdict("warn", "warn", f"Its undo was stopped {ended}", [back, begun])
    if row.refused:
        return Verdict(
            "warn",
            "warn",
            f"Its undo ended {ended}, and {words.counted(row.refused, 'user')} could not be undone",
            [back, begun],
        )
    return Verdict("ok", "ok", f"It was undone {ended}", [back, begun])


def took(length: timedelta) -> str:
    """`0.4 s`, `38 s`, `4 min 38 s`: how long something lasted, as runs are compared."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 100:
        return words.span(length)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def done(row: RunRow) -> str:
    """What a run came to: `1,284 users, 2,117 items archived (1.2 MiB freed), 31 promoted, 4 purged`."""
    of = row.progress
    freed = f" ({bytesize.human(of.freed_bytes)} freed)" if of.freed_bytes else ""
    archived = f"{words.counted(of.archived, 'item')} archived{freed}"
    return f"{words.counted(of.users_done, 'user')}, {archived}, {of.promoted:,} promoted, {of.purged:,} purged"


def archived_share(row: RunRow) -> float:
    """What it archived of all that it scored."""
    return row.progress.archived / row.progress.items_scored if row.progress.items_scored else 0.0


def held_by(run: MeditationRun) -> str:
    """Which brake holds a run."""
    return telling.HELD_BY.get(run.held_reason, "nobody said by what")


def _running(row: RunRow) -> tuple[str, str, str, str]:
    of = row.progress
    far = f"{of.users_done:,} of {words.counted(of.users, 'user')}"
    if row.is_silent:
        heard = words.relative(of.heard_at or row.run.created_at, row.now)
        why = f"The last sign of life came {heard}. The watchdog takes silent shards back each minute."
        return "bad", "bad", f"{name(row)} stands still: {far}", why
    left = f", about {words.span(row.left)} left" if row.left is not None else ""
    return "info", "running", f"{name(row)} is under way: {far}{left}", ""


def _held(row: RunRow) -> tuple[str, str, str, str]:
    why = f"{held_by(row.run).capitalize()}. It does nothing until somebody lets it go on or aborts it."
    return "ask", "wait", f"{name(row)} is held and waits for an operator", f"{done(row)} so far. {why}"


def _succeeded(row: RunRow) -> tuple[str, str, str, str]:
    ended = words.relative(row.run.ended_at or row.now, row.now)
    if row.progress.undone_at:
        undone = words.relative(row.progress.undone_at, row.now)
        return "warn", "undo", f"{name(row)} ended {ended} and was undone {undone}", f"{done(row)}."
    return "ok", "ok", f"{name(row)} ended {ended} as it should, after {took(row.took)}", f"{done(row)}."


def _failed(row: RunRow) -> tuple[str, str, str, str]:
    ended = words.relative(row.run.ended_at or row.now, row.now)
    return "bad", "bad", f"{name(row)} failed {ended}: {row.run.error or 'no reason was kept'}", f"{done(row)}."


def _aborted(row: RunRow) -> tuple[str, str, str, str]:
    ended = words.relative(row.run.ended_at or row.now, row.now)
    return "warn", "warn", f"{name(row)} was aborted {ended}", f"{done(row)}."


def _queued(row: RunRow) -> tuple[str, str, str, str]:
    return "info", "wait", f"{name(row)} is queued", ""


_SAYS: dict[RunState, Callable[[RunRow], tuple[str, str, str, str]]] = {
    RunState.QUEUED: _queued,
    RunState.RUNNING: _running,
    RunState.HELD: _held,
    RunState.SUCCEEDED: _succeeded,
    RunState.FAILED: _failed,
    RunState.ABORTED: _aborted,
}


def name(row: RunRow) -> str:
    """`The night's meditation`, `The meditation of Dana Whitfield`."""
    if row.run.trigger == Trigger.NIGHTLY:
        return "The night’s meditation"
    return f"The meditation of {whom(row.run)}"


def whom(run: MeditationRun) -> str:
    """`Dana Whitfield`, `all users`, `some users`: whom a run is about."""
    return {Scope.USER: str(run.user), Scope.SOME: "some users"}.get(Scope(run.scope), "all users")


def _next(beat: Beat, now: datetime) -> str:
    if not beat.is_known:
        return "No next one is planned: beat has no schedule for it. manage.py sync_schedules makes it."
    if beat.next_at is None:
        return "No next one is planned: its schedule is switched off."
    return f"The next one begins {words.relative(beat.next_at, now)}, at {clock.time_and_zone(beat.next_at)}."
