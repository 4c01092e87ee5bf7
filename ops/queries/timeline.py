"""Everything that happened to a user, in one list: acts, refusals, and measures that ended by themselves.

Each source gives its newest rows behind the cursor, in one order of time and id, and the page is their merge.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from kimberly.audit.models import AuditEntry
from kimberly.lib.actors import ActorKind
from kimberly.web.pagination import Order
from memory.models import MeditationRun, QuotaOverride, Refusal, Throttle
from ops import words
from ops.queries import acts, history, keyset, measures, meditated, pruned, refusals
from ops.queries.history import HistoryRow
from ops.queries.keyset import Page
from ops.queries.names import Names
from ops.queries.refusals import RefusalRow
from ops.queries.users import Profile

NEWEST_FIRST = Order("happened", "at", descending=True, kind=datetime)


class Happened(StrEnum):
    """What a reader may want to see alone."""

    STAFF = "staff"
    UNDO = "undo"
    NOTES = "notes"
    CONTENT = "content"
    CLIENTS = "clients"
    REFUSED = "refused"
    JOBS = "jobs"
    MEDITATION = "meditation"
    ENDED = "ended"


LABELS = {
    Happened.STAFF: "By staff",
    Happened.UNDO: "Can be undone",
    Happened.NOTES: "Notes",
    Happened.CONTENT: "Content read",
    Happened.CLIENTS: "By clients",
    Happened.REFUSED: "Refused",
    Happened.JOBS: "By jobs",
    Happened.MEDITATION: "Meditations and plans",
    Happened.ENDED: "Ended by itself",
}
ENTRIES = {
    Happened.STAFF: Q(actor_kind=ActorKind.STAFF),
    Happened.UNDO: Q(
        actor_kind=ActorKind.STAFF, action__in=list(acts.UNDOABLE), undone=None, after__undoes__isnull=True
    )
    | pruned.STANDING,
    Happened.NOTES: Q(action__startswith="note."),
    Happened.CONTENT: Q(action__startswith="content."),
    Happened.CLIENTS: Q(actor_kind=ActorKind.CLIENT),
    Happened.JOBS: Q(actor_kind__in=[ActorKind.JOB, ActorKind.COMMAND]),
    # Beside what meditations decided: their undos, and all that was done with plans.
    Happened.MEDITATION: pruned.DECIDED | Q(action="meditation.undone"),
}


def page(
    profile: Profile,
    *,
    kind: Happened | None = None,
    names: Names,
    now: datetime,
    cursor: str = "",
    size: int = keyset.PAGE_ROWS,
) -> Page[HistoryRow]:
    """What happened, newest first, of this kind where given."""
    found: list[Any] = []
    for rows in _sources(profile.user.pk, kind, now):
        behind = NEWEST_FIRST.after(rows, cursor) if cursor else rows
        found += NEWEST_FIRST.apply(behind)[: size + 1]
    found.sort(key=lambda row: (row.at, row.pk), reverse=True)
    shown = found[:size]
    told = _told(shown, profile, names, now)
    return Page(told, NEWEST_FIRST.cursor_at(shown[-1]) if len(found) > size else None)


def cursor_at(moment: datetime) -> str:
    """The cursor of the page that begins with what happened at this moment."""
    return NEWEST_FIRST.cursor_at({"at": moment + timedelta(microseconds=1), "id": UUID(int=0)})


def _sources(user_id: UUID, kind: Happened | None, now: datetime) -> list[QuerySet[Any]]:
    sources: list[QuerySet[Any]] = []
    if kind is None or kind in ENTRIES:
        entries = history.entries_of(user_id)
        sources.append(entries if kind is None else entries.filter(ENTRIES[kind]))
    if kind in (None, Happened.REFUSED):
        mine = Refusal.objects.filter(user_id=user_id).select_related("user", "client")
        sources.append(mine.annotate(at=F("refused_at")))
    if kind in (None, Happened.ENDED):
        ended = Q(user_id=user_id, period__endswith=F("planned_end_at"), period__endswith__lte=now)
        sources.append(Throttle.objects.filter(ended).annotate(at=F("period__endswith")))
        sources.append(QuotaOverride.objects.filter(ended).annotate(at=F("period__endswith")))
    if kind in (None, Happened.MEDITATION):
        sources.append(meditated.decided_of(user_id))
    elif kind is Happened.UNDO:
        sources.append(meditated.decided_of(user_id).filter(standing__gt=0))
    return sources


def _told(found: Sequence[Any], profile: Profile, names: Names, now: datetime) -> list[HistoryRow]:
    refused = [row for row in found if isinstance(row, Refusal)]
    words_of = dict(
        zip((row.pk for row in refused), refusals.told(refused, measures=profile.measures, now=now), strict=True)
    )
    tell: dict[type, Callable[[Any], HistoryRow]] = {
        AuditEntry: lambda row: history.row_of(row, profile, names=names, now=now),
        Refusal: lambda row: _refused(words_of[row.pk]),
        Throttle: lambda row: history.ended_row(measures.of_throttle(row, names, now)),
        MeditationRun: lambda row: meditated.row_of(row, names),
        QuotaOverride: lambda row: history.ended_row(measures.of_override(row, names, now)),
    }
    return [tell[type(row)](row) for row in found]


def _refused(row: RefusalRow) -> HistoryRow:
    """One refusal, or those of one rule and minute."""
    times = f" · {words.counted(row.times, 'call')}" if row.times > 1 else ""
    return HistoryRow(
        at=row.refused_at,
        what=f"Refused{f' in {row.tier}' if row.tier != 'all' else ''}. {row.why}{times}",
        tone="bad",
        icon="bad",
        who=row.client or "a client",
        request_id=row.request_id,
        because=row.because,
        helps=row.helps,
    )
