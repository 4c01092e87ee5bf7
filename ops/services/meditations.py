"""Meditations that staff begins: of one user, or of all."""

from datetime import datetime
from uuid import UUID

from kimberly.lib.errors import Invalid
from memory.models import MeditationRun
from memory.rules.meditation import Trigger
from memory.services import limits, meditationruns
from ops import roles
from ops.roles import Action
from ops.services import forms
from ops.services.measures import Sender


def begin_of_user(sender: Sender, *, user_id: UUID, now: datetime) -> MeditationRun:
    """Leave a run of one user to be done. Raises NotYourRole, Invalid, UserGone, AlreadyMeditating or AlreadySent."""
    return _begin(sender, roles.MEDITATE, user_id=user_id, now=now)


def begin_of_all(sender: Sender, *, now: datetime) -> MeditationRun:
    """Leave a run of all customers to be done. Raises NotYourRole, Invalid, AlreadyMeditating or AlreadySent."""
    return _begin(sender, roles.MEDITATE_ALL, user_id=None, now=now)


def _begin(sender: Sender, action: Action, *, user_id: UUID | None, now: datetime) -> MeditationRun:
    roles.require(sender.staff, action)
    if errors := limits.errors_of(sender.why):
        raise Invalid(*errors)

    def effect() -> MeditationRun:
        return meditationruns.begin(Trigger.MANUAL, user_id=user_id, actor=sender.actor, why=sender.why, now=now)

    return forms.once(sender.form, effect, staff=sender.staff, now=now)
