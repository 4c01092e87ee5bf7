"""The brakes of a run, and what an operator decides of one that is held or has failed."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Kind, Refusal
from memory import metrics
from memory.models import MeditationRun, MeditationShard, MeditationUndo
from memory.rules import brakes
from memory.rules.brakes import Held, Seen
from memory.rules.meditation import UNFINISHED, RunState, Scope, ShardState, UndoState

RUNS_LOOKED_BACK = 7
JOB = Actor.job("meditation")


class CapReached(Exception):
    """What a shard archived would bring its run above the cap: the shard is rolled back, and the run is held."""


class NotInThatState(Refusal):
    """The run is not in the state in which this can be decided."""

    slug = "run-state"
    kind = Kind.CONFLICT
    title = "The run is not in the state in which this can be done. Nothing was changed."

    def __init__(self, run: MeditationRun) -> None:
        super().__init__(run)
        self.run = run

    @property
    def detail(self) -> str:
        return f"The run is {self.run.state} by now. Nothing was changed."

    def facts(self) -> dict[str, str]:
        return {"run": self.run.public_id, "state": self.run.state}


class NoSuchRun(Refusal):
    """There is no such run."""

    slug = "run-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such run."


class AlreadyMeditating(Refusal):
    """A meditation of all users, or of this one, is not finished yet."""

    slug = "already-meditating"
    kind = Kind.CONFLICT
    title = "A meditation of these users is not finished yet. Nothing was begun."

    def __init__(self, existing: MeditationRun) -> None:
        super().__init__(existing)
        self.existing = existing

    def facts(self) -> dict[str, str]:
        return {"existing_id": self.existing.public_id, "state": self.existing.state}


class AlreadyUndoing(Refusal):
    """An undo of the whole run is under way."""

    slug = "already-undoing"
    kind = Kind.CONFLICT
    title = "An undo of this meditation is under way. Nothing else was begun."

    def __init__(self, existing: MeditationUndo) -> None:
        super().__init__(existing)
        self.undo = existing

    def facts(self) -> dict[str, str]:
        return {"existing_id": self.undo.public_id}

    def remedies(self) -> list[str]:
        return ["Wait until it has ended, or stop it first."]


def spend(run_id: UUID, size_bytes: int, *, now: datetime) -> None:
    """Count what a shard archived to bring tiers down; raises CapReached where the run has no room for it."""
    if not size_bytes:
        return
    within = Q(cap_bytes=None) | Q(approved_at__isnull=False) | Q(cap_bytes__gte=F("spent_bytes") + size_bytes)
    if not MeditationRun.objects.filter(within, pk=run_id).update(spent_bytes=F("spent_bytes") + size_bytes):
        raise CapReached


def look(run_id: UUID, *, now: datetime) -> None:
    """Hold a run that archived far more than usual so far."""
    run = MeditationRun.objects.get(pk=run_id)
    if run.scope != Scope.USER and run.approved_at is None and brakes.is_spike(_seen(run_id), usual(before=run)):
        hold(run_id, Held.SPIKE, now=now)


def hold(run_id: UUID, reason: Held, *, now: datetime) -> None:
    """Stop a run until an operator has looked; shards that are being done are ended."""
    with transaction.atomic():
        running = MeditationRun.objects.filter(pk=run_id, state=RunState.RUNNING, approved_at=None)
        if running.update(state=RunState.HELD, held_at=now, held_reason=reason):
            _record("meditation.held", run_id, JOB, now=now, facts={"reason": str(reason)})


def approve(run_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Let a held run go on, without brakes but the daily cap. Raises NoSuchRun or NotInThatState."""
    return _decide(
        run_id,
        (RunState.HELD,),
        {"state": RunState.RUNNING, "approved_at": now, "cap_bytes": None},
        action="meditation.approved",
        actor=actor,
        why=why,
        now=now,
    )


def abort(run_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """End a run that is not finished; what was done stays done. Raises NoSuchRun or NotInThatState."""
    with transaction.atomic():
        entry = _decide(
            run_id,
            UNFINISHED,
            {"state": RunState.ABORTED, "ended_at": now},
            action="meditation.aborted",
            actor=actor,
            why=why,
            now=now,
        )
        trigger = MeditationRun.objects.values_list("trigger", flat=True).get(pk=run_id)
        transaction.on_commit(lambda: metrics.MEDITATION_RUNS.add(1, trigger, "aborted"))
    return entry


def retry(run_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Do the failed shards of a failed run once more. Raises NoSuchRun, NotInThatState, AlreadyUndoing or
    AlreadyMeditating.
    """
    with transaction.atomic():
        # Held until the end: no undo begins meanwhile.
        MeditationRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        if undoing := MeditationUndo.objects.filter(run_id=run_id, state=UndoState.RUNNING).first():
            raise AlreadyUndoing(undoing)
        entry = _take_up(run_id, actor=actor, why=why, now=now)
        failed = MeditationShard.objects.filter(run_id=run_id, state=ShardState.FAILED)
        failed.update(state=ShardState.QUEUED, tries=0, ended_at=None)
    return entry


def _take_up(run_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Let a failed run go on; refused while another of as many goes on."""
    changes: dict[str, object] = {"state": RunState.RUNNING, "ended_at": None, "error": ""}
    try:
        with transaction.atomic():
            return _decide(
                run_id, (RunState.FAILED,), changes, action="meditation.retried", actor=actor, why=why, now=now
            )
    except IntegrityError:
        run = MeditationRun.objects.get(pk=run_id)
        others = MeditationRun.objects.filter(scope=run.scope, state__in=UNFINISHED)
        raise AlreadyMeditating(others.latest("created_at", "pk")) from None


def usual(*, before: MeditationRun) -> Seen:
    """What the last runs of all users did that ended well."""
    ended = MeditationRun.objects.filter(scope=Scope.ALL, state=RunState.SUCCEEDED, created_at__lt=before.created_at)
    latest = ended.order_by("-created_at", "-pk").values_list("pk", flat=True)[:RUNS_LOOKED_BACK]
    return _sum(MeditationShard.objects.filter(run_id__in=list(latest)).aggregate(**TOTALS))


TOTALS = {"scored": Sum("items_scored"), "archived": Sum("archived")}


def _seen(run_id: UUID) -> Seen:
    return _sum(MeditationShard.objects.filter(run_id=run_id, state=ShardState.SUCCEEDED).aggregate(**TOTALS))


def _sum(totals: dict[str, int | None]) -> Seen:
    return Seen(totals["scored"] or 0, totals["archived"] or 0)


def _decide(
    run_id: UUID,
    states: tuple[RunState, ...],
    changes: dict[str, object],
    *,
    action: str,
    actor: Actor,
    why: Why,
    now: datetime,
) -> AuditEntry:
    with transaction.atomic():
        run = MeditationRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        if run is None:
            raise NoSuchRun
        if run.state not in states:
            raise NotInThatState(run)
        MeditationRun.objects.filter(pk=run_id).update(**changes)
        facts = {"was": run.state, "state": str(changes["state"])}
        return _record(action, run_id, actor, now=now, facts=facts, why=why)


def _record(
    action: str, run_id: UUID, actor: Actor, *, now: datetime, facts: dict[str, str], why: Why | None = None
) -> AuditEntry:
    subject = Subject("meditation", str(run_id))
    return trail.record(action, subject=subject, actor=actor, now=now, after=facts, why=why)
