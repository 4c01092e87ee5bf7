"""What must hold at all times (80-reliability, I1 to I10, as far as it is built), and every place where it does not."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from kimberly.audit import sealing
from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.rules.meditation import HEARTBEAT_LIMIT
from memory.services import reconcile
from ops.models import InvariantCheck

AUDIT_CHAIN = "I6"
SILENT_AFTER = HEARTBEAT_LIMIT + timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an invariant does not hold."""

    invariant: str
    text: str


def check(*, now: datetime) -> list[Violation]:
    """Every violation, in order of the invariants; empty when all is well."""
    return [violation for name, find in CHECKS.items() for violation in _named(name, find(now))]


def check_and_remember(*, now: datetime) -> list[Violation]:
    """Check, and keep how many violations each invariant has for the gauges; gives what `check` gives."""
    found = check(now=now)
    violations = Counter(violation.invariant for violation in found)
    InvariantCheck.objects.bulk_create(
        [InvariantCheck(invariant=name, violations=violations[name], checked_at=now) for name in CHECKS],
        update_conflicts=True,
        unique_fields=["invariant"],
        update_fields=["violations", "checked_at"],
    )
    return found


def _named(name: str, texts: Iterator[str]) -> Iterator[Violation]:
    for text in texts:
        yield Violation(name, text)


def _counters_equal_items(now: datetime) -> Iterator[str]:
    for drift in reconcile.drifts():
        yield drift.text


def _rows(name: str, now: datetime, **more: timedelta) -> Iterator[str]:
    """The texts that a checking statement gives, one a violation."""
    for (text,) in statements.fetch_all(statement(__file__, name), {"now": now, **more}):
        yield text


def _audit_chain(now: datetime) -> Iterator[str]:
    anchor = sealing.remembered(folder=settings.KIMBERLY.data_dir)
    for finding in sealing.verify(now=now, anchor=anchor):
        yield finding.text


CHECKS: dict[str, Callable[[datetime], Iterator[str]]] = {
    "I1": _counters_equal_items,
    "I2": lambda now: _rows("item_states", now),
    "I3": lambda now: _rows("writes_above_limit", now),
    "I4": lambda now: _rows("protected_taken", now),
    "I5": lambda now: _rows("plans_exact", now),
    AUDIT_CHAIN: _audit_chain,
    "I7": lambda now: _rows("beyond_daily_cap", now),
    "I8": lambda now: _rows("silent_meditations", now, limit=SILENT_AFTER),
    "I9": lambda now: _rows("measures_without_end", now),
}
