"""What is done user by user in the background, on somebody's word: whose it is, and what stands against one user."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor, ActorKind
from kimberly.lib.errors import Refusal
from kimberly.web.outages import DatabaseBusy, outage_behind

logger = structlog.get_logger(__name__)
SILENT_AFTER = timedelta(minutes=2)
"""Whoever has said nothing for so long works on it no more: the next worker takes it up."""
UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Mandate:
    """By whom it was begun, and why: each of its users' entries says so."""

    actor: Actor
    why: Why


@dataclass(frozen=True, slots=True)
class Refused:
    """What stood against one user: a slug, and words that hold figures only."""

    slug: str
    says: str


def mandate_of(act_id: UUID) -> Mandate:
    """The word of the audit entry by which it began."""
    entry = AuditEntry.objects.select_related("text").get(pk=act_id)
    text = getattr(entry, "text", None)
    actor = Actor(ActorKind(entry.actor_kind), entry.actor_id, entry.request_id)
    return Mandate(actor, Why(text.reason, text.ticket) if text else Why())


def refused(effect: Callable[[], object]) -> Refused | None:
    """Let it take effect on one user, in a transaction of its own; gives what stood against it, None when it is done.

    Nobody else waits for that user. Raises what would stand against everybody: a database that is away.
    """
    try:
        effect()
    except Refusal as refusal:
        return Refused(refusal.slug, " ".join([refusal.detail, *refusal.remedies()]))
    except Exception as error:  # whatever one user's data does, everybody else is done
        outage = outage_behind(error)
        if outage is None:
            logger.exception("one_user_failed", error=type(error).__name__)
            return Refused(UNEXPECTED, f"It failed unexpectedly ({type(error).__name__}); the log tells more.")
        if not isinstance(outage, DatabaseBusy):
            raise
        # Somebody has had the user's counters for seconds, a meditation perhaps.
        return Refused(outage.slug, outage.detail)
    return None
