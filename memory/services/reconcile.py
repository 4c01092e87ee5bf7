"""Compare every counter with its items, report each drift as a finding, and mend it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

import structlog
from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.sql import statement
from memory.rules.tiers import Tier
from memory.services import quotas

logger = structlog.get_logger(__name__)
COLUMNS = ("active_bytes", "active_items", "archived_bytes", "archived_items")


@dataclass(frozen=True, slots=True)
class Drift:
    """A counter that was not the sum over its items. `counted` is None where there was no counter at all."""

    user_id: UUID
    tier: Tier
    counted: tuple[int, ...] | None
    summed: tuple[int, ...]

    @property
    def text(self) -> str:
        if self.counted is None:
            return f"user {self.user_id} has no counter for {self.tier}"
        said = ", ".join(
            f"{name} {counted} instead of {summed}"
            for name, counted, summed in zip(COLUMNS, self.counted, self.summed, strict=True)
            if counted != summed
        )
        return f"user {self.user_id} {self.tier}: {said}"


def drifts(user_ids: list[UUID] | None = None) -> list[Drift]:
    """Every counter that is not the sum over its items, in one snapshot, so that writers do not look like drift."""
    rows = statements.fetch_all(statement(__file__, "usage_drift"), {"user_ids": user_ids})
    return [
        Drift(user_id, Tier(tier), None if counted[0] is None else tuple(counted), tuple(summed))
        for user_id, tier, counted, summed in rows
    ]


def run(*, actor: Actor, now: datetime) -> list[Drift]:
    """Find and mend; gives what was found. A user is looked at again under the lock before anything is changed."""
    found: list[Drift] = []
    for user_id, _ in groupby(drifts(), key=lambda drift: drift.user_id):
        found += _mend(user_id, actor=actor, now=now)
    return found


def _mend(user_id: UUID, *, actor: Actor, now: datetime) -> list[Drift]:
    with transaction.atomic():
        missing = {drift.tier: drift for drift in drifts([user_id]) if drift.counted is None}
        quotas.open_counters(user_id)
        quotas.lock(user_id, now=now)
        drifted = {drift.tier: drift for drift in drifts([user_id])}
        for tier, drift in drifted.items():
            quotas.set_counter(user_id, tier, dict(zip(COLUMNS, drift.summed, strict=True)))
        # A counter that was made a moment ago was missing, whatever it counts now.
        found = [missing.get(tier, drift) for tier, drift in {**missing, **drifted}.items()]
        if found:
            _report(user_id, found, actor=actor, now=now)
    return found


def _report(user_id: UUID, found: list[Drift], *, actor: Actor, now: datetime) -> None:
    for drift in found:
        logger.error("usage_drift", user=str(user_id), tier=str(drift.tier), text=drift.text)
    before = {str(drift.tier): list(drift.counted or ()) for drift in found}
    after = {str(drift.tier): list(drift.summed) for drift in found}
    whom = Subject("user", str(user_id))
    trail.record("usage.reconciled", subject=whom, actor=actor, now=now, before=before, after=after)
