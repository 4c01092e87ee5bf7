"""What the overview is made of: figures about the service, and what staff did last."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kimberly.audit.models import AuditEntry
from kimberly.db import statements
from kimberly.lib import ids
from kimberly.lib.sql import statement
from ops import telling
from ops.queries.users import COUNTED_EXACTLY

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows about the service at one moment; times are None where there was nothing yet."""

    unsealed_entries: int
    oldest_unsealed_at: datetime | None
    last_sealed_at: datetime | None
    last_checked_at: datetime | None
    violated: str
    """The invariants that the last check found violated: `I1, I3`."""
    last_sent_at: datetime | None
    """When beat last sent a job, as it noted: it does so every three minutes."""
    refused_calls: int
    refused_calls_before: int
    """In the hour before the last one."""
    refused_users: int
    throttled_users: int
    raised_users: int
    held_runs: int
    """Meditations that wait for an operator."""
    night_state: str | None
    night_at: datetime | None
    """How the last meditation of all users stands, and when it was begun."""
    customers: int
    """At most one more than was to be counted."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a person of staff; `user` is empty where it was on no user."""

    at: datetime
    what: str
    tone: str
    icon: str
    who: str
    ticket: str
    user_id: str
    user: str


def facts(*, now: datetime) -> Facts:
    """One statement."""
    asked = {"now": now, "hour_ago": now - HOUR, "two_hours_ago": now - 2 * HOUR, "most": COUNTED_EXACTLY + 1}
    (row,) = statements.fetch_all(statement(__file__, "overview_facts"), asked)
    return Facts(*row)


def staff_acts(*, now: datetime, size: int) -> list[Act]:
    """The last acts of staff, newest first."""
    rows = statements.fetch_all(statement(__file__, "staff_acts"), {"most": size})
    return [_act(*row, now=now) for row in rows]


def _act(
    at: datetime,
    action: str,
    before: str,
    after: str,
    who: str,
    ticket: str,
    user_id: UUID | None,
    user: str,
    *,
    now: datetime,
) -> Act:
    told = telling.tell(AuditEntry(action=action, before=json.loads(before), after=json.loads(after)), now)
    public_id = ids.encode(ids.Prefix.USER, user_id) if user_id else ""
    return Act(at, told.what, told.tone, told.icon, who, ticket, public_id, user)
