"""Plans of cohorts as the portal lists them: how far each is, how fast, and what became of its users."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from kimberly.audit.models import AuditEntry
from kimberly.web.pagination import Order
from memory.models import PlanCohort, PlanCohortUser
from memory.queries import plancohorts
from memory.queries.plancohorts import Totals
from memory.rules.plancohorts import Became, CohortState
from memory.rules.plans import times_cap
from memory.services import userbyuser
from ops import telling
from ops.queries import history, keyset
from ops.queries.history import HistoryRow
from ops.queries.keyset import Page
from ops.queries.names import Name, Names

NEWEST_FIRST = Order("begun", "created_at", descending=True, kind=datetime)
HAPPENED = Order("happened", "at", descending=True, kind=datetime)
BY_USER = Order("user", "user_id", descending=False, kind=UUID)
COHORTS_SHOWN, USERS_SHOWN = 20, 50


@dataclass(frozen=True, slots=True)
class CohortRow:
    """The plans of a cohort, as of `now`."""

    cohort: PlanCohort
    of: Totals
    who: Name
    now: datetime

    @property
    def is_working(self) -> bool:
        return self.cohort.is_working

    @property
    def is_stale(self) -> bool:
        """Frozen for too long: it cannot be applied any more."""
        return self.cohort.state == CohortState.FROZEN and self.now >= self.cohort.stale_at

    @property
    def took(self) -> timedelta:
        """How long the phase lasted, or has until now."""
        return (self.cohort.ended_at or self.now) - self.cohort.begun_at

    @property
    def users_per_minute(self) -> float | None:
        minutes = self.took / timedelta(minutes=1)
        return self.of.told / minutes if self.of.told and minutes > 0 else None

    @property
    def left_over(self) -> timedelta | None:
        """How long the phase goes on at this pace; None where nobody knows."""
        rate = self.users_per_minute
        return timedelta(minutes=self.of.left / rate) if self.is_working and rate else None

    @property
    def is_silent(self) -> bool:
        """Nobody has worked on it for so long that the watch takes it up again."""
        heard_at = self.cohort.heartbeat_at or self.cohort.begun_at
        return self.is_working and self.now - heard_at > userbyuser.SILENT_AFTER

    @property
    def times_cap(self) -> float | None:
        """How many times it is what meditation may archive of these users in a day."""
        return times_cap(self.of.size_bytes, self.of.cap_bytes)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One user of a cohort with their plan, where there is one."""

    member: PlanCohortUser

    @property
    def share(self) -> float | None:
        """What goes of all that was active in the plan's scope; None where nothing was."""
        plan = self.member.plan
        used = sum(tier["used_bytes"] for tier in plan.facts.values()) if plan else 0
        return plan.bytes_total / used if plan and used else None

    @property
    def times_cap(self) -> float | None:
        """How many times it is what meditation may archive of theirs in a day, where it is more."""
        plan = self.member.plan
        times = times_cap(plan.bytes_total, plan.cap_bytes) if plan else None
        return times if times and times > 1 else None


def listed(*, names: Names, now: datetime, cursor: str = "") -> Page[CohortRow]:
    """The newest first."""
    page = keyset.page(PlanCohort.objects.all(), NEWEST_FIRST, cursor=cursor, size=COHORTS_SHOWN)
    return Page(_rows(page.rows, names, now), page.next_cursor)


def latest(*, names: Names, now: datetime, size: int = 3) -> list[CohortRow]:
    """The newest few, for the page about all plans: part `ops/parts/plan_cohorts.html`."""
    return _rows(list(PlanCohort.objects.order_by("-created_at", "-pk")[:size]), names, now)


def one(cohort_id: UUID, *, names: Names, now: datetime) -> CohortRow | None:
    """The plans of this cohort; None when there are no such ones."""
    found = PlanCohort.objects.filter(pk=cohort_id).first()
    return _rows([found], names, now)[0] if found else None


def exists(cohort_id: UUID) -> bool:
    """Whether there are such plans of a cohort."""
    return PlanCohort.objects.filter(pk=cohort_id).exists()


def members_of(
    cohort: PlanCohort, *, became: Became | None = None, is_short: bool = False, cursor: str = ""
) -> Page[MemberRow]:
    """Its users, or those of whom that became, or whose plans stay short of their target."""
    rows = PlanCohortUser.objects.filter(cohort=cohort).select_related("user", "plan")
    if became is not None:
        rows = rows.filter(became=became)
    if is_short:
        rows = rows.filter(plan__shortfall_bytes__gt=0)
    page = keyset.page(rows, BY_USER, cursor=cursor, size=USERS_SHOWN)
    return Page([MemberRow(row) for row in page.rows], page.next_cursor)


def of_cohort(cohort_id: UUID, *, names: Names, now: datetime, cursor: str = "") -> Page[HistoryRow]:
    """Every act on it, newest first."""
    entries = AuditEntry.objects.filter(subject_kind="cohort", subject_id=str(cohort_id)).select_related("text")
    page = keyset.page(entries, HAPPENED, cursor=cursor)
    return Page([history.told_row(entry, names=names, now=now) for entry in page.rows], page.next_cursor)


def told(cohort_id: UUID, act: str, *, now: datetime) -> str:
    """The act on these plans in words; empty when they have no such one."""
    try:
        entry = AuditEntry.objects.filter(pk=UUID(act), subject_kind="cohort", subject_id=str(cohort_id)).first()
    except ValueError:
        return ""
    return telling.tell(entry, now).what if entry else ""


def _rows(found: list[PlanCohort], names: Names, now: datetime) -> list[CohortRow]:
    sums = plancohorts.of_many([cohort.pk for cohort in found]) if found else {}
    return [CohortRow(cohort, sums[cohort.pk], names.of(cohort.created_by), now) for cohort in found]
