"""What was done to a user, from the audit trail: who, when, what, and the reason they gave."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.audit.models import AuditEntry
from memory.rules.tiers import UserState
from ops import telling
from ops.queries import acts, pruned
from ops.queries.measures import MeasureRow, Sort
from ops.queries.names import Name, Names
from ops.queries.users import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One thing that happened. `reason` is empty where none was given, or where it was erased.

    `undo` is the act that the reader could take back here; `because` and `helps` answer "why?".
    """

    at: datetime
    what: str
    tone: str
    icon: str
    who: Name | str
    reason: str = ""
    ticket: str = ""
    reason_is_erased: bool = False
    request_id: str = ""
    because: tuple[tuple[str, str], ...] = ()
    helps: tuple[str, ...] = ()
    undo: UUID | None = None
    undone_by: Name | str = ""
    undone_at: datetime | None = None
    run: str = ""
    """The meditation that did it."""
    stands: bool = False
    """Whether something that the meditation decided, or the plan archived, is not undone yet and not gone."""
    plan: str = ""
    """The prune plan that it is about."""


def latest(profile: Profile, *, names: Names, now: datetime, size: int) -> list[HistoryRow]:
    """The newest acts, and between them the measures that ended by themselves."""
    found = list(entries_of(profile.user.pk).order_by("-at", "-pk")[:size])
    rows = [row_of(entry, profile, names=names, now=now) for entry in found]
    rows += [ended_row(measure) for measure in profile.measures if measure.ended_by_itself]
    return sorted(rows, key=lambda row: row.at, reverse=True)[:size]


def entries_of(user_id: UUID) -> QuerySet[Any]:
    """The user's audit entries, with what a row tells of them."""
    mine = AuditEntry.objects.filter(subject_kind="user", subject_id=str(user_id))
    return pruned.with_plans(mine.select_related("text", "undone__staff"))


def ended_row(measure: MeasureRow) -> HistoryRow:
    """No act, so no entry: the row of the measure says it."""
    what = "throttle" if measure.sort is Sort.THROTTLE else "raise"
    says = f"The {what} ended by itself: {measure.says}"
    return HistoryRow(at=measure.ends_at, what=says, tone="mute", icon="wait", who="")


def row_of(entry: AuditEntry, profile: Profile, *, names: Names, now: datetime) -> HistoryRow:
    """One entry about a user as a row, with its way back."""
    undone_by, undone_at = acts.undone_of(entry)
    stands = acts.can_be_undone(entry) and not undone_by and _still_stands(entry, profile)
    row = told_row(entry, names=names, now=now)
    about = pruned.of_entry(entry)
    if about is not None:
        return replace(
            row,
            plan=about.public_id,
            stands=about.stands,
            undone_by=names.of(about.undone_by),
            undone_at=about.undone_at,
        )
    return replace(row, undo=entry.pk if stands else None, undone_by=undone_by, undone_at=undone_at)


def told_row(entry: AuditEntry, *, names: Names, now: datetime) -> HistoryRow:
    """What an entry tells, whatever it is about."""
    told = telling.tell(entry, now)
    text = getattr(entry, "text", None)
    return HistoryRow(
        at=entry.at,
        what=told.what,
        tone=told.tone,
        icon=told.icon,
        who=names.of(f"{entry.actor_kind}:{entry.actor_id}"),
        reason=text.reason if text else "",
        ticket=text.ticket if text else "",
        reason_is_erased=bool(text and text.erased_at),
        request_id=entry.request_id,
        because=told.because,
    )


def _still_stands(entry: AuditEntry, profile: Profile) -> bool:
    """Whether there is something left to take back, as far as the profile tells."""
    if entry.action == "user.suspended":
        return profile.user.state == UserState.SUSPENDED
    if entry.action in ("throttle.set", "quota.raised"):
        made = entry.after.get("throttle") or entry.after.get("override")
        return any(str(measure.id) == made for measure in profile.in_force)
    return True
