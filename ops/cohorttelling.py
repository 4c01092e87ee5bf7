"""What audit entries about plans of cohorts say in words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kimberly.lib import bytesize
from memory.rules.plancohorts import CohortState
from ops import words

Facts = Mapping[str, Any]
Say = Callable[[Facts, Facts, datetime], str]
PHASES = {
    CohortState.PLANNING: "planning",
    CohortState.APPLYING: "the application of the plans",
    CohortState.UNDOING: "the undo of the plans",
}


def _begun(before: Facts, after: Facts, now: datetime) -> str:
    return f"Began to plan a prune for each of {_users(after)}"


def _applying(before: Facts, after: Facts, now: datetime) -> str:
    return f"Began to apply the plans of {_users(after)}"


def _undoing(before: Facts, after: Facts, now: datetime) -> str:
    return f"Began to undo the plans of {_users(after)}"


def _planned(before: Facts, after: Facts, now: datetime) -> str:
    planned = words.counted(int(after.get("planned", 0)), "user")
    return f"All plans are made: {_items(after)} of {planned}{_refused(after)}"


def _applied(before: Facts, after: Facts, now: datetime) -> str:
    partly = int(after.get("partly", 0))
    so_far = f", {partly:,} of them partly" if partly else ""
    done = words.counted(int(after.get("applied", 0)) + partly, "user")
    return f"The plans are applied: {_items(after)} archived of {done}{so_far}{_refused(after)}"


def _undone(before: Facts, after: Facts, now: datetime) -> str:
    done = words.counted(int(after.get("undone", 0)), "user")
    return f"The plans are undone: {_items(after)} are back, of {done}{_refused(after)}"


def _stopped(before: Facts, after: Facts, now: datetime) -> str:
    return f"Stopped {PHASES.get(after.get('phase', ''), 'it')}; what became of users before stays so"


def _users(after: Facts) -> str:
    return words.counted(int(after.get("users", 0)), "user")


def _items(after: Facts) -> str:
    items = words.counted(int(after.get("number", 0)), "item")
    return f"{items}, {bytesize.human(int(after.get('size_bytes', 0)))},"


def _refused(after: Facts) -> str:
    refused = int(after.get("refused", 0))
    return f"; {refused:,} refused" if refused else ""


TOLD: dict[str, tuple[str, str, Say]] = {
    "cohort.begun": ("info", "running", _begun),
    "cohort.planned": ("ask", "wait", _planned),
    "cohort.applying": ("warn", "running", _applying),
    "cohort.applied": ("warn", "check", _applied),
    "cohort.undoing": ("warn", "undo", _undoing),
    "cohort.undone": ("ok", "undo", _undone),
    "cohort.stopped": ("warn", "skip", _stopped),
}
