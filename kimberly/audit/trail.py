"""Write audit entries. Call it inside the transaction of the act, once a service call."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from kimberly.audit.models import AuditEntry, AuditText
from kimberly.lib.actors import Actor


@dataclass(frozen=True, slots=True)
class Why:
    """The reason a person gave, with the ticket where there is one. Free text: kept apart, hashed in the entry.

    What takes back another act names it: `undoes` is that act's entry, and reason enough.
    """

    reason: str = ""
    ticket: str = ""
    undoes: UUID | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """On whom or what: a kind (`user`, `item`, `override`, ...) and an internal id."""

    kind: str
    id: str


def record(
    action: str,
    *,
    subject: Subject,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: Why | None = None,
) -> AuditEntry:
    """Insert one entry. `before` and `after` hold figures and internal ids only, never what a person wrote."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an audit entry belongs into the transaction of the act that it records")
    given = why or Why()
    undoes = {"undoes": str(given.undoes)} if given.undoes else {}
    entry = AuditEntry.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_kind=subject.kind,
        subject_id=subject.id,
        before=dict(before or {}),
        after={**(after or {}), **undoes},
        reason_sha256=sha256_of(given.reason),
        ticket_sha256=sha256_of(given.ticket),
        request_id=actor.request_id,
    )
    if given.reason or given.ticket:
        AuditText.objects.create(entry=entry, reason=given.reason, ticket=given.ticket)
    return entry


def sha256_of(text: str) -> str:
    """Hex SHA-256 of the text's UTF-8; empty for the empty text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest() if text else ""
