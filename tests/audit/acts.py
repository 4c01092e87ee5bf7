"""Acts for the trail of the tests, and their seals."""

from kimberly.audit import sealing, trail
from kimberly.audit.models import AuditEntry, AuditSeal
from kimberly.audit.trail import Subject, Why
from kimberly.lib import clock
from tests.personas import TESTER


def act(*, reason: str = "", ticket: str = "") -> AuditEntry:
    """Record one act; call it in a transaction."""
    return trail.record(
        "tests.acted",
        subject=Subject("user", "alice"),
        actor=TESTER,
        now=clock.utc_now(),
        before={"limit_bytes": 100, "plan": "free"},
        after={"limit_bytes": 200, "plan": "paid"},
        why=Why(reason, ticket),
    )


def seal_all() -> None:
    while sealing.seal(now=clock.utc_now()):
        pass


def sealed_acts(number: int, **words: str) -> tuple[AuditSeal, list[AuditEntry]]:
    """A seal over so many new acts."""
    entries = [act(**words) for _ in range(number)]
    made = sealing.seal(now=clock.utc_now())
    assert made is not None
    return made, entries


def findings(anchor: sealing.Anchor | None = None) -> list[str]:
    """What a verification says now."""
    return [finding.text for finding in sealing.verify(now=clock.utc_now(), anchor=anchor)]
