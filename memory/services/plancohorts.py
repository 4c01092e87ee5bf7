"""A prune plan for each user of a cohort: made, applied and undone as rows, with which workers go on user by user.

Each user is a transaction of their own, together with the word what became of them, and nobody else waits for one of
whom it is refused (docs/adr/0020-plans-of-a-cohort.md). What a plan does is the business of memory.services.plans.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.lib.crashpoints import crashpoint
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.lib.sql import statement
from memory.models import PlanCohort, PlanCohortUser
from memory.queries import cohorts, plancohorts
from memory.queries.cohorts import Cohort
from memory.rules import plans as rules
from memory.rules.plancohorts import ENDS_IN, WORKING, Became, CohortState
from memory.rules.plans import ItemOutcome
from memory.rules.tiers import Tier
from memory.services import limits, plans, userbyuser
from memory.services.plans import Target
from memory.services.userbyuser import SILENT_AFTER, Mandate

BEGUN = {
    CohortState.PLANNING: "cohort.begun",
    CohortState.APPLYING: "cohort.applying",
    CohortState.UNDOING: "cohort.undoing",
}
ENDED = {
    CohortState.PLANNING: "cohort.planned",
    CohortState.APPLYING: "cohort.applied",
    CohortState.UNDOING: "cohort.undone",
}
STOPPED = "cohort.stopped"
NO_ACT_YET = UUID(int=0)
"""Until the entry is there, which tells the id of the row: within one transaction."""


class NoSuchCohort(Refusal):
    """There are no such plans of a cohort."""

    slug = "cohort-not-found"
    kind = Kind.NOT_FOUND
    title = "There are no such plans of a cohort."


class OfNobodyInParticular(Refusal):
    """The filter asks for all customers: nobody chose whom it archives of."""

    slug = "cohort-of-everybody"
    kind = Kind.CONFLICT
    title = "This asks for all customers. Nothing was begun."

    def remedies(self) -> list[str]:
        return ["Choose a list, such as those over soft, or say how the ids or names begin."]


class NobodyInCohort(Refusal):
    """Nobody is in the cohort."""

    slug = "nobody-in-cohort"
    kind = Kind.CONFLICT
    title = "Nobody is among these customers now. Nothing was begun."


class NotInThatPhase(Refusal):
    """The plans are in another phase than the one in which this can be done."""

    slug = "cohort-state"
    kind = Kind.CONFLICT
    title = "The plans are not in the phase in which this can be done. Nothing was changed."
    helps = {
        CohortState.PLANNING: "Wait until everybody has a plan.",
        CohortState.APPLYING: "Stop it first, or wait until it has ended.",
        CohortState.UNDOING: "Stop it first, or wait until it has ended.",
        CohortState.FROZEN: "Apply them first: nothing is archived yet.",
        CohortState.STOPPED: "Begin anew: not everybody has a plan.",
    }

    def __init__(self, cohort: PlanCohort) -> None:
        super().__init__(cohort)
        self.cohort = cohort

    @property
    def detail(self) -> str:
        stopped = f" while {self.cohort.stopped_while}" if self.cohort.stopped_while else ""
        return f"The plans are {self.cohort.state}{stopped} by now. Nothing was changed."

    def facts(self) -> dict[str, str]:
        return {"cohort_id": self.cohort.public_id, "state": self.cohort.state}

    def remedies(self) -> list[str]:
        help_ = self.helps.get(CohortState(self.cohort.state))
        return [help_] if help_ else []


class CohortStale(NotInThatPhase):
    """The first of the plans is stale: what is worth least now may be something else."""

    slug = "cohort-stale"
    title = "The plans are too old to be applied. Nothing was archived."

    @property
    def detail(self) -> str:
        return f"The first plan grew stale at {clock.spelled(self.cohort.stale_at)}. Nothing was archived."

    def remedies(self) -> list[str]:
        return ["Begin anew: the plans go by the scores of now."]


class NobodyLeft(NotInThatPhase):
    """There is no user of whom it could be done."""

    slug = "cohort-nobody-left"
    title = "There is nobody left of whom this could be done. Nothing was changed."

    @property
    def detail(self) -> str:
        return self.title

    def remedies(self) -> list[str]:
        return []


def begin(
    cohort: Cohort, *, target: Target, tier: Tier | None = None, actor: Actor, why: Why, now: datetime
) -> PlanCohort:
    """Leave a plan for each customer of the cohort to be made; who is in it is settled now.

    Raises Invalid, OfNobodyInParticular or NobodyInCohort.
    """
    if errors := [*plans.errors_of(target), *limits.errors_of(why)]:
        raise Invalid(*errors)
    kept = cohorts.kept(cohort)
    if not kept:
        raise OfNobodyInParticular
    user_ids = cohorts.user_ids(cohort, now=now)
    if not user_ids:
        raise NobodyInCohort
    with transaction.atomic():
        made = PlanCohort.objects.create(
            cohort=kept,
            tier=tier or "",
            target_bytes=target.size_bytes,
            target_share=target.share,
            reason=why.reason.strip(),
            ticket=why.ticket,
            users=len(user_ids),
            created_at=now,
            created_by=str(actor),
            begun_at=now,
            stale_at=now + rules.LIFE,
            act_id=NO_ACT_YET,
        )
        made.act_id = _record(BEGUN[CohortState.PLANNING], made, actor=actor, why=why, now=now, after=_asked(made)).pk
        made.save(update_fields=["act_id"])
        statements.execute(statement(__file__, "put_in_cohort"), {"cohort_id": made.pk, "user_ids": user_ids})
        crashpoint("cohort-begun")
    return made


def apply(cohort_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Leave the plans to be applied, or those of whom an application before was stopped or refused.

    Raises NoSuchCohort, NotInThatPhase, CohortStale or NobodyLeft.
    """
    return _turn(cohort_id, CohortState.APPLYING, against_apply, actor=actor, why=why, now=now)


def undo(cohort_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Leave all that the plans archived to be brought back, or that of whom an undo before was stopped or refused.

    Raises NoSuchCohort, NotInThatPhase or NobodyLeft.
    """
    return _turn(cohort_id, CohortState.UNDOING, against_undo, actor=actor, why=why, now=now)


def stop(cohort_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Reach no more users; what became of those before stays so. Raises NoSuchCohort or NotInThatPhase."""
    with transaction.atomic():
        cohort = _held(cohort_id)
        if not cohort.is_working:
            raise NotInThatPhase(cohort)
        cohort.stopped_while, cohort.state, cohort.ended_at = cohort.state, CohortState.STOPPED, now
        cohort.save(update_fields=["state", "stopped_while", "ended_at"])
        return _record(STOPPED, cohort, actor=actor, why=why, now=now, after=_far(cohort))


def against_apply(cohort: PlanCohort, *, now: datetime) -> Refusal | None:
    """What stands against applying the plans now."""
    # Undone after it was stopped, those who were never reached are left.
    open_states = (CohortState.FROZEN, CohortState.APPLIED, CohortState.UNDONE)
    if cohort.state not in open_states and cohort.stopped_while != CohortState.APPLYING:
        return NotInThatPhase(cohort)
    if not _left(cohort, CohortState.APPLYING).exists():
        return NobodyLeft(cohort)
    return CohortStale(cohort) if now >= cohort.stale_at else None


def against_undo(cohort: PlanCohort, *, now: datetime) -> Refusal | None:
    """What stands against undoing all of it now."""
    open_states = (CohortState.APPLIED, CohortState.UNDONE)
    if cohort.state not in open_states and cohort.stopped_while not in (CohortState.APPLYING, CohortState.UNDOING):
        return NotInThatPhase(cohort)
    return None if _left(cohort, CohortState.UNDOING).exists() else NobodyLeft(cohort)


def take(*, now: datetime) -> PlanCohort | None:
    """Make a cohort ours on whose plans nobody works; None when there is none."""
    row = statements.fetch_one(statement(__file__, "take_cohort"), {"now": now, "silent_before": now - SILENT_AFTER})
    return PlanCohort.objects.get(pk=row[0]) if row else None


def waiting(*, now: datetime) -> bool:
    """Whether there is a cohort on whose plans nobody works."""
    unheard = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - SILENT_AFTER)
    return PlanCohort.objects.filter(unheard, state__in=WORKING).exists()


def go_on(cohort: PlanCohort, *, tell_time: Callable[[], datetime], seconds: float | None = None) -> bool:
    """Go on with the phase that is under way, for at most so many seconds; gives whether it is over."""
    if not cohort.is_working:
        return True
    mandate, until = userbyuser.mandate_of(cohort.act_id), None if seconds is None else time.monotonic() + seconds
    left = plancohorts.left_in(cohort, phase=cohort.phase, round_number=cohort.round)
    for member_id in list(left.order_by("user_id").values_list("pk", flat=True)):
        if until is not None and time.monotonic() > until:
            # Whoever comes next need not wait until it counts as silent.
            _this_phase(cohort).update(heartbeat_at=None)
            return False
        now = tell_time()
        with transaction.atomic():
            # Until the end of the transaction nobody else goes on or stops it.
            if not _this_phase(cohort).update(heartbeat_at=now):
                return True
            _do_one(cohort, member_id, mandate, now=now)
            crashpoint("cohort-user-told")
        crashpoint("cohort-user-done")
    _end(cohort, mandate, now=tell_time())
    return True


def _do_one(cohort: PlanCohort, member_id: UUID, mandate: Mandate, *, now: datetime) -> None:
    """Do one user's part of the phase and tell what became of them, unless somebody told of them meanwhile."""
    member = PlanCohortUser.objects.filter(pk=member_id, round__lt=cohort.round).first()
    if member is None:
        return
    member.refusal = member.says = ""
    act = partial(ACTS[cohort.phase], cohort, member, actor=mandate.actor, why=mandate.why, now=now)
    refused = userbyuser.refused(act)
    if refused is not None:
        member.became, member.refusal, member.says = Became.REFUSED, refused.slug, refused.says
    member.round = cohort.round
    member.save(update_fields=["plan", "became", "round", "refusal", "says"])


def _plan_one(cohort: PlanCohort, member: PlanCohortUser, **by: Any) -> None:
    target = Target(cohort.target_bytes, cohort.target_share)
    plan = plans.make(member.user_id, target=target, tier=Tier(cohort.tier) if cohort.tier else None, **by)
    member.plan, member.became = plan, Became.PLANNED if plan.items_total else Became.NOTHING


def _apply_one(_cohort: PlanCohort, member: PlanCohortUser, **by: Any) -> None:
    done = plans.apply(_plan_id(member), **by)
    plan = done.plan
    member.became = Became.PARTLY if plan.skipped else Became.APPLIED
    left = ", ".join(f"{number:,} {ItemOutcome(name).says}" for name, number in sorted(plan.skipped.items()))
    before = f"Its plan was applied by itself at {clock.spelled(plan.applied_at or by['now'])}." if done.again else ""
    member.says = " ".join(filter(None, [before, f"Left as they are: {left}." if left else ""]))


def _undo_one(_cohort: PlanCohort, member: PlanCohortUser, **by: Any) -> None:
    plans.undo(_plan_id(member), **by)
    member.became = Became.UNDONE


ACTS: dict[CohortState, Callable[..., None]] = {
    CohortState.PLANNING: _plan_one,
    CohortState.APPLYING: _apply_one,
    CohortState.UNDOING: _undo_one,
}


def _plan_id(member: PlanCohortUser) -> UUID:
    if member.plan_id is None:
        raise plans.NoSuchPlan
    return member.plan_id


def _turn(
    cohort_id: UUID,
    phase: CohortState,
    against: Callable[..., Refusal | None],
    *,
    actor: Actor,
    why: Why,
    now: datetime,
) -> AuditEntry:
    """Begin a phase: workers go on from here."""
    limits.require_reason(why)
    with transaction.atomic():
        cohort = _held(cohort_id)
        refusal = against(cohort, now=now)
        if refusal is not None:
            raise refusal
        facts = {"users": _left(cohort, phase).count()}
        act = _record(BEGUN[phase], cohort, actor=actor, why=why, now=now, after=facts)
        cohort.state, cohort.stopped_while, cohort.round, cohort.act_id = phase, "", cohort.round + 1, act.pk
        cohort.begun_at, cohort.ended_at, cohort.heartbeat_at = now, None, None
        cohort.save()
        crashpoint("cohort-turned")
    return act


def _end(cohort: PlanCohort, mandate: Mandate, *, now: datetime) -> None:
    """Close the phase, once: whoever works on it beside us has told of their last user by then."""
    with transaction.atomic():
        if not _this_phase(cohort).update(state=ENDS_IN[cohort.phase], ended_at=now):
            return
        _record(ENDED[cohort.phase], cohort, actor=mandate.actor, why=mandate.why, now=now, after=_far(cohort))
        crashpoint("cohort-ending")


def _this_phase(cohort: PlanCohort) -> Any:
    """The row while this phase of it is under way: another one is somebody else's."""
    return PlanCohort.objects.filter(pk=cohort.pk, state=cohort.state, round=cohort.round)


def _left(cohort: PlanCohort, phase: CohortState) -> Any:
    """Whom the phase would be about, began it now."""
    return plancohorts.left_in(cohort, phase=phase, round_number=cohort.round + 1)


def _held(cohort_id: UUID) -> PlanCohort:
    cohort = PlanCohort.objects.select_for_update(no_key=True).filter(pk=cohort_id).first()
    if cohort is None:
        raise NoSuchCohort
    return cohort


def _asked(cohort: PlanCohort) -> dict[str, Any]:
    return {
        "users": cohort.users,
        "tier": cohort.tier,
        "target_bytes": cohort.target_bytes,
        "target_share": cohort.target_share,
    }


def _far(cohort: PlanCohort) -> dict[str, Any]:
    """How far it is, for the trail."""
    of = plancohorts.totals(cohort)
    facts = {"phase": str(cohort.phase), **{str(became): getattr(of, became) for became in Became}}
    if cohort.phase is CohortState.PLANNING:
        return {**facts, "number": of.items, "size_bytes": of.size_bytes}
    if cohort.phase is CohortState.APPLYING:
        return {**facts, "number": of.archived_items, "size_bytes": of.archived_bytes}
    return {**facts, "number": of.restored_items, "size_bytes": of.restored_bytes}


def _record(
    action: str, cohort: PlanCohort, *, actor: Actor, why: Why, now: datetime, after: dict[str, Any]
) -> AuditEntry:
    subject = Subject("cohort", str(cohort.pk))
    return trail.record(action, subject=subject, actor=actor, now=now, after=after, why=why)
