"""What was done with one run of the meditation, by whom and why; and how its undo stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from kimberly.audit.models import AuditEntry
from kimberly.db import statements
from kimberly.lib import ids
from kimberly.lib.sql import statement
from kimberly.web.pagination import Order
from memory.models import MeditationDecision, MeditationUndo, MeditationUndoUser
from memory.rules.meditation import UndoOutcome, UndoState
from memory.services import meditationundos, userbyuser
from ops import telling
from ops.queries import history, keyset
from ops.queries.history import HistoryRow
from ops.queries.keyset import Page
from ops.queries.names import Name, Names

BY_USER = Order("user", "user_id", descending=False, kind=UUID)
NEWEST_FIRST = Order("happened", "at", descending=True, kind=datetime)
USERS_SHOWN = 50
APART_SHOWN = 20
BY_WORKERS = "meditation.shard"
"""One entry a shard, each of which has a row of its own on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRow:
    """The undo of a run, as of `now`: of how many users it has told so far, and what became of them."""

    undo: MeditationUndo
    who: Name
    undone: int
    partly: int
    left: int
    refused: int
    items: int
    size_bytes: int
    now: datetime

    @property
    def is_running(self) -> bool:
        return self.undo.state == UndoState.RUNNING

    @property
    def told(self) -> int:
        return self.undone + self.partly + self.left + self.refused

    @property
    def users(self) -> int:
        """Of so many it is to tell; what was undone by others meanwhile counts as told."""
        return max(self.told, self.undo.users)

    @property
    def took(self) -> timedelta:
        return (self.undo.ended_at or self.now) - self.undo.created_at

    @property
    def users_per_minute(self) -> float | None:
        minutes = self.took / timedelta(minutes=1)
        return self.told / minutes if self.told and minutes > 0 else None

    @property
    def left_over(self) -> timedelta | None:
        """How long it goes on at this pace; None where nobody knows."""
        rate = self.users_per_minute
        return timedelta(minutes=(self.users - self.told) / rate) if self.is_running and rate else None

    @property
    def is_silent(self) -> bool:
        """Nobody has worked on it for so long that the watchdog takes it up again."""
        heard_at = self.undo.heartbeat_at or self.undo.created_at
        return self.is_running and self.now - heard_at > userbyuser.SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a run stands and could be undone: of how many users how many items, and how many of them promoted."""

    users: int
    items: int
    size_bytes: int
    promoted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneApart:
    """What somebody undid of one user and run at one time."""

    user: str
    user_public_id: str
    items: int
    at: datetime
    who: Name


def of_run(run_id: UUID, *, names: Names, now: datetime, cursor: str = "") -> Page[HistoryRow]:
    """Every act on the run, newest first; not what each shard did."""
    entries = AuditEntry.objects.filter(subject_kind="meditation", subject_id=str(run_id)).exclude(action=BY_WORKERS)
    page = keyset.page(entries.select_related("text"), NEWEST_FIRST, cursor=cursor)
    return Page([history.told_row(entry, names=names, now=now) for entry in page.rows], page.next_cursor)


def undone_apart(run_id: UUID, *, names: Names) -> list[UndoneApart]:
    """Of whom something was undone without undoing the run, the last first; the latest only."""
    with_the_run = MeditationUndo.objects.filter(
        run_id=run_id, created_by=OuterRef("undone_by"), created_at__lte=OuterRef("undone_at")
    )
    undone = MeditationDecision.objects.filter(run_id=run_id, undone_at__isnull=False).exclude(Exists(with_the_run))
    groups = undone.values("user_id", "user__external_id", "undone_at", "undone_by")
    counted: Any = groups.annotate(items=Count("item_id", distinct=True)).order_by("-undone_at", "user_id")
    return [
        UndoneApart(
            user=row["user__external_id"],
            user_public_id=ids.encode(ids.Prefix.USER, row["user_id"]),
            items=row["items"],
            at=row["undone_at"],
            who=names.of(row["undone_by"]),
        )
        for row in counted[:APART_SHOWN]
    ]


def told(run_id: UUID, act: str, *, now: datetime) -> str:
    """The act on this run in words; empty when it has no such one."""
    try:
        entry = AuditEntry.objects.filter(pk=UUID(act), subject_kind="meditation", subject_id=str(run_id)).first()
    except ValueError:
        return ""
    return telling.tell(entry, now).what if entry else ""


def latest_undo(run_id: UUID, *, names: Names, now: datetime) -> UndoRow | None:
    """The undo of the whole run that is under way, else the last one; None where nobody has begun one."""
    undo = MeditationUndo.objects.filter(run_id=run_id).order_by("-created_at", "-pk").first()
    if undo is None:
        return None
    of = meditationundos.totals(undo)
    return UndoRow(
        undo=undo,
        who=names.of(undo.created_by),
        undone=of["undone"],
        partly=of["partly"],
        left=of["left"],
        refused=of["refused"],
        items=of["number"],
        size_bytes=of["size_bytes"],
        now=now,
    )


def undo_with(undo_id: UUID) -> MeditationUndo | None:
    """The undo with this id."""
    return MeditationUndo.objects.filter(pk=undo_id).first()


def users_of(undo: MeditationUndo, *, outcome: UndoOutcome | None, cursor: str = "") -> Page[MeditationUndoUser]:
    """What became of each user, or of those of this outcome."""
    rows = undo.told.select_related("user")
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    return keyset.page(rows, BY_USER, cursor=cursor, size=USERS_SHOWN)


def standing(run_id: UUID) -> Standing:
    """What of the run could be undone as a whole."""
    (row,) = statements.fetch_all(statement(meditationundos.__file__, "run_to_undo"), {"run_id": run_id})
    return Standing(*row)
