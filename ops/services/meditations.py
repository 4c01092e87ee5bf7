"""What staff does with meditations: begin one, decide of one that is held or has failed, undo what one decided."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from kimberly.audit.models import AuditEntry
from memory.models import MeditationRun, MeditationUndo
from memory.queries.cohorts import Cohort
from memory.rules.meditation import Trigger
from memory.services import meditationbrakes, meditationruns, meditationundo, meditationundos
from memory.services.meditationundo import Undone
from ops import roles
from ops.roles import Action
from ops.services import reasoned
from ops.services.measures import Sender


def begin_of_user(sender: Sender, *, user_id: UUID, now: datetime) -> MeditationRun:
    """Leave a run of one user to be done. Raises NotYourRole, Invalid, UserGone, AlreadyMeditating or AlreadySent."""
    return _begin(sender, roles.MEDITATE, user_id=user_id, now=now)


def begin_of_all(sender: Sender, *, now: datetime) -> MeditationRun:
    """Leave a run of all customers to be done. Raises NotYourRole, Invalid, AlreadyMeditating or AlreadySent."""
    return _begin(sender, roles.MEDITATE_ALL, user_id=None, now=now)


def begin_of_some(sender: Sender, cohort: Cohort, *, now: datetime) -> MeditationRun:
    """Leave a run of some customers to be done; a backfill where it asks for those who were missed.

    Raises NotYourRole, Invalid, NobodyThere, AlreadyMeditating or AlreadySent.
    """
    trigger = Trigger.BACKFILL if cohort.missed else Trigger.MANUAL
    return reasoned.once(sender, roles.MEDITATE_SOME, partial(meditationruns.begin, trigger, cohort=cohort), now)


def approve(sender: Sender, run_id: UUID, *, now: datetime) -> AuditEntry:
    """Let a held run go on. Raises NotYourRole, Invalid, NoSuchRun, NotInThatState or AlreadySent."""
    return reasoned.once(sender, roles.APPROVE, partial(meditationbrakes.approve, run_id), now)


def abort(sender: Sender, run_id: UUID, *, now: datetime) -> AuditEntry:
    """End an unfinished run. Raises NotYourRole, Invalid, NoSuchRun, NotInThatState or AlreadySent."""
    return reasoned.once(sender, roles.ABORT, partial(meditationbrakes.abort, run_id), now)


def retry(sender: Sender, run_id: UUID, *, now: datetime) -> AuditEntry:
    """Do the failed shards again.

    Raises NotYourRole, Invalid, NoSuchRun, NotInThatState, AlreadyUndoing or AlreadySent.
    """
    return reasoned.once(sender, roles.RETRY, partial(meditationbrakes.retry, run_id), now)


def undo_run(sender: Sender, run_id: UUID, *, now: datetime) -> MeditationUndo:
    """Leave the undo of a run to be done.

    Raises NotYourRole, Invalid, NoSuchRun, RunUnfinished, NothingToUndo, AlreadyUndoing or AlreadySent.
    """
    return reasoned.once(sender, roles.UNDO_RUN, partial(meditationundos.begin, run_id), now)


def stop_undo(sender: Sender, undo_id: UUID, *, now: datetime) -> AuditEntry:
    """Reach no more users. Raises NotYourRole, Invalid, NoSuchUndo, UndoOver or AlreadySent."""
    return reasoned.once(sender, roles.STOP_UNDO, partial(meditationundos.stop, undo_id), now)


def undo_decisions(
    sender: Sender, run_id: UUID, *, user_id: UUID, item_ids: Sequence[UUID] = (), now: datetime
) -> Undone:
    """Take back what a run decided of these items of a user; without any, of all of them.

    Raises NotYourRole, Invalid, UserGone, NothingToUndo, NoRoomToRestore or AlreadySent.
    """
    undo: Callable[..., Undone] = partial(meditationundo.undo_user, run_id, user_id=user_id)
    if item_ids:
        undo = partial(meditationundo.undo_items, run_id, user_id=user_id, item_ids=item_ids)
    return reasoned.once(sender, roles.UNDO_DECISIONS, undo, now)


def _begin(sender: Sender, action: Action, *, user_id: UUID | None, now: datetime) -> MeditationRun:
    return reasoned.once(sender, action, partial(meditationruns.begin, Trigger.MANUAL, user_id=user_id), now)
