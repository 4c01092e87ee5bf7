"""Stopping a user until further notice, and letting them go on."""

from datetime import datetime
from uuid import UUID

from kimberly.audit.models import AuditEntry
from memory.services import limits, users
from ops import roles
from ops.roles import Action
from ops.services import forms
from ops.services.measures import Sender


def suspend(sender: Sender, *, user_id: UUID, now: datetime) -> AuditEntry:
    """Stop the user's writes and queries; gives the act.

    Raises NotYourRole, Invalid, UserGone, UserNotActive or AlreadySent.
    """
    _require(sender, roles.SUSPEND)

    def effect() -> AuditEntry:
        return users.suspend(user_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def resume(sender: Sender, *, user_id: UUID, now: datetime) -> AuditEntry:
    """Let a suspended user's writes and queries go on; gives the act.

    Raises NotYourRole, Invalid, UserGone, UserNotSuspended or AlreadySent.
    """
    _require(sender, roles.RESUME)

    def effect() -> AuditEntry:
        return users.resume(user_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)


def _require(sender: Sender, action: Action) -> None:
    roles.require(sender.staff, action)
    limits.require_reason(sender.why)
