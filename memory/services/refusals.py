"""Keeps why a call was not accepted, so that support can still answer it months later."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory import metrics
from memory.models import Refusal
from memory.rules.limits import RefusalKind
from memory.services.quotas import QuotaExceeded

SWEEP_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """The call that was refused."""

    user_id: UUID
    client_id: UUID | None
    request_id: str


def keep_quota(refusal: QuotaExceeded, call: Call, *, now: datetime) -> Refusal:
    """One row for one refused write, with the figures of the refusal itself."""
    tier = refusal.tier
    metrics.QUOTA_REJECTIONS.labels(str(tier.tier), str(tier.limit_source)).inc()
    return Refusal.objects.create(
        user_id=call.user_id,
        kind=RefusalKind.QUOTA,
        tier=tier.tier,
        needed_bytes=refusal.needed_bytes,
        used_bytes=tier.active_bytes,
        room_bytes=tier.room_bytes,
        limit_bytes=tier.limit_bytes,
        source=tier.limit_source,
        source_id=str(tier.override_id or tier.plan_id),
        client_id=call.client_id,
        request_id=call.request_id,
        refused_at=now,
        last_refused_at=now,
    )


def keep_counted(
    kind: RefusalKind, call: Call, *, source: str, source_id: str, per_minute: int | None, now: datetime
) -> None:
    """Count one refused call of a kind that comes in thousands."""
    parameters = {
        "user_id": call.user_id,
        "kind": str(kind),
        "limit_per_minute": per_minute,
        "source": source,
        "source_id": source_id,
        "client_id": call.client_id,
        "request_id": call.request_id,
        "now": now,
    }
    statements.execute(statement(__file__, "keep_counted_refusal"), parameters)


def sweep(*, keep: timedelta, now: datetime) -> int:
    """Delete refusals past their retention, a batch at a time; gives how many went."""
    gone = 0
    while True:
        batch = Refusal.objects.filter(refused_at__lt=now - keep).order_by("refused_at", "id").values("pk")[:SWEEP_ROWS]
        deleted, _ = Refusal.objects.filter(pk__in=batch).delete()
        gone += deleted
        if deleted < SWEEP_ROWS:
            return gone
