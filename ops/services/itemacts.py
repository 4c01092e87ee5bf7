"""What staff does to chosen items of a user: the role table first, then the one service that makes the change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kimberly.audit.models import AuditEntry
from memory.rules.selections import Deed
from memory.services import limits, selections
from memory.services.selections import Chosen
from ops import roles
from ops.services import forms
from ops.services.measures import Sender

ROLES = {
    Deed.PROTECT: roles.PROTECT,
    Deed.UNPROTECT: roles.UNPROTECT,
    Deed.DELETE: roles.DELETE_ITEMS,
    Deed.RESTORE: roles.RESTORE_ITEMS,
}


def change(sender: Sender, deed: Deed, chosen: Sequence[Chosen], *, user_id: UUID, now: datetime) -> AuditEntry:
    """Do it to those of the chosen items that are as the sender saw them; gives the act.

    Raises NotYourRole, Invalid, UserGone, NothingToDo, ArchiveFull, NoRoomToRestore or AlreadySent.
    """
    roles.require(sender.staff, ROLES[deed])
    limits.require_reason(sender.why)

    def effect() -> AuditEntry:
        return selections.change(deed, chosen, user_id=user_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender, effect, now=now)
