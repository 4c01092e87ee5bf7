"""The undo of a whole run, user by user: rows like those of the run, gone on with after whatever happened.

Each user is a transaction of their own, together with the word what became of them: nobody is undone twice or forgotten
(docs/adr/0016-undo-of-a-meditation.md).
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.crashpoints import crashpoint
from kimberly.lib.errors import Kind, Refusal
from kimberly.lib.sql import statement
from memory.models import MeditationRun, MeditationUndo, MeditationUndoUser
from memory.rules import selections
from memory.rules.meditation import UNFINISHED, UndoOutcome, UndoState
from memory.services import meditationundo, userbyuser
from memory.services.meditationbrakes import AlreadyUndoing, NoSuchRun
from memory.services.meditationundo import ACTION, NothingToUndo, Undone
from memory.services.userbyuser import SILENT_AFTER, Mandate


class RunUnfinished(Refusal):
    """A meditation that still goes on, or may go on, would decide again what is undone meanwhile."""

    slug = "meditation-unfinished"
    kind = Kind.CONFLICT
    title = "The meditation is not finished. Nothing was undone."

    def __init__(self, run: MeditationRun) -> None:
        super().__init__(run)
        self.run = run

    def facts(self) -> dict[str, str]:
        return {"run_id": self.run.public_id, "state": self.run.state}

    def remedies(self) -> list[str]:
        return ["Abort it, or wait until it has ended.", "Undo one user: what was decided of them is decided."]


class NoSuchUndo(Refusal):
    """There is no such undo."""

    slug = "undo-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such undo."


class UndoOver(Refusal):
    """The undo has ended or was stopped."""

    slug = "undo-over"
    kind = Kind.CONFLICT
    title = "The undo is over already. There is nothing to stop."


def begin(run_id: UUID, *, actor: Actor, why: Why, now: datetime) -> MeditationUndo:
    """Leave the undo of a run to be done. Raises NoSuchRun, RunUnfinished, NothingToUndo or AlreadyUndoing."""
    try:
        with transaction.atomic():
            run = _finished(run_id)
            users = len(_users(run_id, None))
            if not users:
                raise NothingToUndo(Counter())
            facts = {"users": users}
            act = trail.record(
                "meditation.undo_begun", subject=_subject(run_id), actor=actor, now=now, after=facts, why=why
            )
            return MeditationUndo.objects.create(
                run=run, act_id=act.pk, users=users, created_at=now, created_by=str(actor)
            )
    except IntegrityError:
        raise AlreadyUndoing(MeditationUndo.objects.filter(run_id=run_id).latest("created_at", "pk")) from None


def undo_run(run_id: UUID, *, actor: Actor, why: Why, tell_time: Callable[[], datetime]) -> list[MeditationUndoUser]:
    """Undo a run here and now, or go on with the undo that is under way; gives what became of each user.

    Raises NoSuchRun, RunUnfinished or NothingToUndo. It may take minutes: limits and lives go by the time of each user.
    """
    try:
        undo = begin(run_id, actor=actor, why=why, now=tell_time())
    except AlreadyUndoing as refusal:
        undo = refusal.undo
    crashpoint("undo-begun")
    go_on(undo, tell_time=tell_time)
    return list(undo.told.order_by("user_id"))


def take(*, now: datetime) -> MeditationUndo | None:
    """Make an undo ours on which nobody works; None when there is none."""
    row = statements.fetch_one(statement(__file__, "take_undo"), {"now": now, "silent_before": now - SILENT_AFTER})
    return MeditationUndo.objects.select_related("run").get(pk=row[0]) if row else None


def waiting(*, now: datetime) -> bool:
    """Whether there is an undo on which nobody works."""
    unheard = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - SILENT_AFTER)
    return MeditationUndo.objects.filter(unheard, state=UndoState.RUNNING).exists()


def go_on(undo: MeditationUndo, *, tell_time: Callable[[], datetime], seconds: float | None = None) -> bool:
    """Undo those who are left, for at most so many seconds; gives whether it is over."""
    mandate, until = userbyuser.mandate_of(undo.act_id), None if seconds is None else time.monotonic() + seconds
    for user_id in _users(undo.run_id, undo.pk):
        if until is not None and time.monotonic() > until:
            # Whoever comes next need not wait until it counts as silent.
            MeditationUndo.objects.filter(pk=undo.pk, state=UndoState.RUNNING).update(heartbeat_at=None)
            return False
        now = tell_time()
        with transaction.atomic():
            if not _is_running(undo, now=now):
                return True
            if not undo.told.filter(user_id=user_id).exists():
                _undo_one(undo, user_id, mandate, now=now)
            crashpoint("undo-user-told")
        crashpoint("undo-user-done")
    _end(undo, mandate, now=tell_time())
    return True


def stop(undo_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Reach no more users; what is undone stays so, and a new undo goes on. Raises NoSuchUndo or UndoOver."""
    with transaction.atomic():
        undo = MeditationUndo.objects.filter(pk=undo_id).first()
        if undo is None:
            raise NoSuchUndo
        running = MeditationUndo.objects.filter(pk=undo_id, state=UndoState.RUNNING)
        if not running.update(state=UndoState.STOPPED, ended_at=now):
            raise UndoOver
        facts = totals(undo)
        return trail.record(
            "meditation.undo_stopped", subject=_subject(undo.run_id), actor=actor, now=now, after=facts, why=why
        )


def totals(undo: MeditationUndo) -> dict[str, Any]:
    """How many users were told of so far, by what became of them, with the items and bytes that are back."""
    counts = {str(outcome): Count("pk", filter=Q(outcome=outcome)) for outcome in UndoOutcome}
    sums = {"number": Sum("items", default=0), "total_bytes": Sum("size_bytes", default=0)}
    found = undo.told.aggregate(**counts, **sums)
    size_bytes = found.pop("total_bytes")
    return {**found, "size_bytes": size_bytes, "users": found["undone"] + found["partly"]}


def _undo_one(undo: MeditationUndo, user_id: UUID, mandate: Mandate, *, now: datetime) -> None:
    """Undo one user and tell what became of them; nobody else waits for one who cannot be undone."""
    told = MeditationUndoUser(undo=undo, user_id=user_id)

    def effect() -> None:
        try:
            _tell(told, meditationundo.undo_user(undo.run_id, user_id=user_id, actor=actor, why=why, now=now))
        except NothingToUndo as refusal:
            told.outcome, told.skipped = UndoOutcome.LEFT, _kept(refusal.skipped)
            told.says = refusal.detail

    actor, why = mandate.actor, mandate.why
    refused = userbyuser.refused(effect)
    if refused is not None:
        told.outcome, told.refusal, told.says = UndoOutcome.REFUSED, refused.slug, refused.says
    told.save(force_insert=True)


def _tell(told: MeditationUndoUser, undone: Undone) -> None:
    told.outcome = UndoOutcome.PARTLY if undone.is_partly else UndoOutcome.UNDONE
    told.items, told.size_bytes, told.skipped = undone.items, undone.size_bytes, _kept(undone.skipped)
    told.says = f"Left as they are: {selections.told(undone.skipped)}." if undone.skipped else ""


def _kept(skipped: Counter[selections.Skip]) -> dict[str, int]:
    return {str(skip): number for skip, number in skipped.items()}


def _end(undo: MeditationUndo, mandate: Mandate, *, now: datetime) -> None:
    """Close it, once: whoever works on it beside us has told of their last user by then."""
    with transaction.atomic():
        running = MeditationUndo.objects.filter(pk=undo.pk, state=UndoState.RUNNING)
        if not running.update(state=UndoState.ENDED, ended_at=now):
            return
        facts = {**totals(undo), "undo": str(undo.pk)}
        trail.record(ACTION, subject=_subject(undo.run_id), actor=mandate.actor, now=now, after=facts, why=mandate.why)
        crashpoint("undo-ending")


def _is_running(undo: MeditationUndo, *, now: datetime) -> bool:
    """Say that somebody is at it; until the end of the transaction nobody else goes on or stops it."""
    return bool(MeditationUndo.objects.filter(pk=undo.pk, state=UndoState.RUNNING).update(heartbeat_at=now))


def _finished(run_id: UUID) -> MeditationRun:
    """The run, held so that it is not begun again meanwhile."""
    run = MeditationRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
    if run is None:
        raise NoSuchRun
    if run.state in UNFINISHED:
        raise RunUnfinished(run)
    return run


def _users(run_id: UUID, undo_id: UUID | None) -> list[UUID]:
    parameters = {"run_id": run_id, "undo_id": undo_id}
    return [row[0] for row in statements.fetch_all(statement(__file__, "users_to_undo"), parameters)]


def _subject(run_id: UUID) -> Subject:
    return Subject("meditation", str(run_id))
