"""What was done to a user, from the audit trail: who, when, what, and the reason they gave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize, clock
from kimberly.web.pagination import Order
from ops import words
from ops.models import LONGEST_REVEAL
from ops.queries import keyset
from ops.queries.keyset import Page
from ops.queries.measures import MeasureRow, Sort
from ops.queries.names import Name, Names

NEWEST_FIRST = Order("at", "at", descending=True, kind=datetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One act. `reason` is empty where none was given, or where it was erased."""

    at: datetime
    what: str
    tone: str
    icon: str
    who: Name
    reason: str
    ticket: str
    reason_is_erased: bool
    request_id: str


Facts = Mapping[str, Any]


def _registered(before: Facts, after: Facts, now: datetime) -> str:
    return f"Registered on the {after.get('plan', 'default')} plan"


def _changed(before: Facts, after: Facts, now: datetime) -> str:
    if before.get("plan") != after.get("plan"):
        return f"Moved from the {before.get('plan')} plan to the {after.get('plan')} plan"
    fields = ", ".join(str(name).replace("_", " ") for name in after.get("fields", ()))
    return f"Changed: {fields}" if fields else "Changed"


def _suspended(before: Facts, after: Facts, now: datetime) -> str:
    return "Suspended: no writes and no queries"


def _raised(before: Facts, after: Facts, now: datetime) -> str:
    was = bytesize.human(int(before.get("limit_bytes", 0)))
    size = bytesize.human(int(after.get("hard_bytes", 0)))
    if "replaces" in after:
        return f"Replaced the raise of {after.get('tier')} to {was} by one to {size}{_until(after, now)}"
    return f"Raised {after.get('tier')} from {was} to {size}{_until(after, now)}"


def _raise_ended(before: Facts, after: Facts, now: datetime) -> str:
    return f"Ended the raise of {after.get('tier')} to {bytesize.human(int(before.get('hard_bytes', 0)))}"


def _throttled(before: Facts, after: Facts, now: datetime) -> str:
    says = words.brake(after.get("scope", "all"), after.get("per_minute"))
    how = f"Throttled: {says}" if after.get("per_minute") is None else f"Throttled to {says}"
    return f"{how}{_until(after, now)}"


def _lifted(before: Facts, after: Facts, now: datetime) -> str:
    return f"Lifted the throttle: {words.brake(after.get('scope', 'all'), before.get('per_minute'))}"


def _revealed(before: Facts, after: Facts, now: datetime) -> str:
    return f"Revealed content to themselves for {words.span(LONGEST_REVEAL)}"


def _masked(before: Facts, after: Facts, now: datetime) -> str:
    return "Masked content again"


def _goals_removed(before: Facts, after: Facts, now: datetime) -> str:
    return f"Forgot {words.counted(after['goals'], 'goal')}"


def _until(after: Facts, now: datetime) -> str:
    """The end that was planned; entries of long ago may have none."""
    ends_at = after.get("ends_at")
    return f" until {clock.time_of_day(datetime.fromisoformat(ends_at).astimezone(UTC), now)}" if ends_at else ""


Telling = tuple[str, str, Callable[[Facts, Facts, datetime], str]]
TOLD: dict[str, Telling] = {
    "user.registered": ("mute", "person", _registered),
    "user.changed": ("mute", "instruction", _changed),
    "user.suspended": ("bad", "lock", _suspended),
    "quota.raised": ("info", "action", _raised),
    "quota.override_ended": ("mute", "undo", _raise_ended),
    "throttle.set": ("warn", "action", _throttled),
    "throttle.lifted": ("mute", "undo", _lifted),
    "goals.removed": ("mute", "instruction", _goals_removed),
    "content.revealed": ("warn", "eye", _revealed),
    "content.masked": ("mute", "lock", _masked),
}


def of_user(
    user_id: UUID,
    *,
    names: Names,
    now: datetime,
    measures: Sequence[MeasureRow] = (),
    cursor: str = "",
    size: int = keyset.PAGE_ROWS,
) -> Page[HistoryRow]:
    """The user's audit entries, newest first, and between them those of the `measures` that ended by themselves."""
    entries = AuditEntry.objects.filter(subject_kind="user", subject_id=str(user_id)).select_related("text")
    found = keyset.page(entries, NEWEST_FIRST, cursor=cursor, size=size)
    rows = [_row(entry, names, now) for entry in found.rows]
    newest = datetime.max.replace(tzinfo=UTC) if not cursor else NEWEST_FIRST.value_of(cursor)
    oldest = found.rows[-1].at if found.next_cursor else datetime.min.replace(tzinfo=UTC)
    ends = [_ended(measure, names) for measure in measures if measure.ended_by_itself]
    rows += [end for end in ends if oldest <= end.at < newest]
    return Page(sorted(rows, key=lambda row: row.at, reverse=True), found.next_cursor)


def _ended(measure: MeasureRow, names: Names) -> HistoryRow:
    """No act, so no entry: the row of the measure says it."""
    what = "throttle" if measure.sort is Sort.THROTTLE else "raise"
    return HistoryRow(
        at=measure.ends_at,
        what=f"The {what} ended by itself: {measure.says}",
        tone="mute",
        icon="wait",
        who=names.of(""),
        reason="",
        ticket="",
        reason_is_erased=False,
        request_id="",
    )


def _row(entry: AuditEntry, names: Names, now: datetime) -> HistoryRow:
    tone, icon, tell = TOLD.get(entry.action, ("mute", "instruction", None))
    text = getattr(entry, "text", None)
    return HistoryRow(
        at=entry.at,
        what=tell(entry.before, entry.after, now) if tell else entry.action,
        tone=tone,
        icon=icon,
        who=names.of(f"{entry.actor_kind}:{entry.actor_id}"),
        reason=text.reason if text else "",
        ticket=text.ticket if text else "",
        reason_is_erased=bool(text and text.erased_at),
        request_id=entry.request_id,
    )
