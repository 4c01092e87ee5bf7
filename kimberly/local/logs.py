"""The stack's log files as lines a person can read: `time level event key=value`."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from kimberly.local.errors import StackError

LINES_OF_EACH = 50
PAUSE_SECONDS = 0.3
# Parts of a line that come first, by the names that the writers of JSON lines here use.
TIME_KEYS, LEVEL_KEY, EVENT_KEY = ("time", "ts"), "level", "event"
TRACE_KEY = "exception"
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:[.,]\d+)?)(?:Z| UTC|\+00:00)?")


@dataclass(frozen=True)
class Entry:
    """One line of one file; `at` sorts, and is that of the line before where a line has none."""

    at: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name:<9} {self.text}"


def show(folder: Path, names: Sequence[str], *, follow: bool) -> None:
    """Print the end of the named logs (all, when none is named) in order of time, then what is added to them."""
    logs = [Log(path) for path in _paths(folder, names)]
    for entry in sorted(chain.from_iterable(log.end() for log in logs), key=lambda entry: entry.at):
        print(entry, flush=True)
    while follow:
        for entry in chain.from_iterable(log.added() for log in logs):
            print(entry, flush=True)
        time.sleep(PAUSE_SECONDS)
        known = {log.path for log in logs}
        logs += [Log(path) for path in _paths(folder, names) if path not in known]


class Log:
    """A log file, read as far as we got."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._at = ""

    def end(self) -> list[Entry]:
        return self.added()[-LINES_OF_EACH:]

    def added(self) -> list[Entry]:
        """The lines that are new and whole."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._offset += len(whole) + 1
        return [self._entry(line) for line in whole.decode("utf-8", errors="replace").split("\n")]

    def _entry(self, line: str) -> Entry:
        text = render(line)
        stamp = STAMP.search(text[:60])
        if stamp:
            self._at = f"{stamp[1]} {stamp[2].replace(',', '.')}"
        return Entry(at=self._at, name=self.path.stem, text=text)


def render(line: str) -> str:
    """A JSON line in words; any other line as it is."""
    try:
        record: Any = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict) or EVENT_KEY not in record:
        return line
    head = [_pop_time(record), f"{record.pop(LEVEL_KEY, ''):<7}", str(record.pop(EVENT_KEY))]
    trace = record.pop(TRACE_KEY, None)
    text = " ".join([*head, *(f"{key}={_value(value)}" for key, value in record.items())])
    return f"{text}\n{trace}" if trace else text


def _pop_time(record: dict[str, Any]) -> str:
    times = [str(record.pop(key)) for key in TIME_KEYS if key in record]
    return times[0] if times else ""


def _value(value: object) -> str:
    """Quoted only where a space would make two values of one."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and (" " in text or not text) else text


def _paths(folder: Path, names: Sequence[str]) -> list[Path]:
    found = sorted(folder.glob("*.log"))
    unknown = set(names) - {path.stem for path in found}
    if not found or unknown:
        there = ", ".join(path.stem for path in found) or "none; `make up` writes them"
        raise StackError(f"No log {', '.join(sorted(unknown)) or 'at all'} in {folder}. There: {there}.")
    return [path for path in found if not names or path.stem in names]
