"""What meditations did to a user, run by run: how many items were promoted, archived and purged, and why."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from kimberly.lib import bytesize
from memory.models import MeditationRun
from memory.rules.meditation import OF_MEDITATION, Act, Reason
from ops import words
from ops.queries.history import HistoryRow
from ops.queries.names import Names

OF_REASON: dict[Reason, str] = {reason: f"of_{reason.replace('-', '_')}" for reason in OF_MEDITATION}


def decided_of(user_id: UUID) -> QuerySet[Any]:
    """The runs that decided something of the user's items, with how much of each reason; `at` is when."""
    mine, archived = Q(decisions__user_id=user_id), Q(decisions__act=Act.ARCHIVED)
    counts = {name: Count("decisions", filter=Q(decisions__reason=reason)) for reason, name in OF_REASON.items()}
    return MeditationRun.objects.filter(mine).annotate(
        at=Max("decisions__decided_at"),
        archived_bytes=Coalesce(Sum("decisions__size_bytes", filter=archived), 0),
        undone=Count("decisions", filter=Q(decisions__undone_at__isnull=False)),
        standing=Count("decisions", filter=Q(decisions__undone_at=None) & ~Q(decisions__act=Act.PURGED)),
        **counts,
    )


def row_of(run: Any, names: Names) -> HistoryRow:
    """One meditation of the user as a row of the timeline."""
    counts = {reason: getattr(run, name) for reason, name in OF_REASON.items()}
    return HistoryRow(
        at=run.at,
        what=f"Meditation {_did(counts, run.archived_bytes)}",
        tone="mute",
        icon="skip",
        who=names.of(run.created_by),
        because=tuple(_because(counts, run)),
        run=run.public_id,
        stands=bool(run.standing),
    )


def _did(counts: dict[Reason, int], archived_bytes: int) -> str:
    """`archived 34 items, 20.2 KiB; promoted 2 items`."""
    archived = counts[Reason.EXPIRED] + counts[Reason.NO_ROOM] + counts[Reason.SOFT_LIMIT]
    parts = [
        ("archived", archived, f", {bytesize.human(archived_bytes)}"),
        ("promoted", counts[Reason.WORTHY], ""),
        ("purged", counts[Reason.GRACE], ""),
    ]
    return "; ".join(f"{act} {words.counted(items, 'item')}{more}" for act, items, more in parts if items)


def _because(counts: dict[Reason, int], run: Any) -> Iterator[tuple[str, str]]:
    acts = {Reason.WORTHY: "promoted", Reason.GRACE: "purged"}
    for reason, items in counts.items():
        if items:
            act = acts.get(reason, "archived")
            yield f"{words.counted(items, 'item')} {act}", f"because {words.MEDITATED_BECAUSE[reason]}"
    if run.undone:
        yield "Undone since", words.counted(run.undone, "decision")
    yield "Scores", f"by scoring profile {run.profile_version}"
