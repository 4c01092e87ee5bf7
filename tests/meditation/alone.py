"""Runs of everybody, where everybody is who the test made: others have committed people of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

from kimberly.lib import clock
from memory.models import MeditationRun, MeditationUndo, MemoryUser
from memory.rules.meditation import UNFINISHED, RunState, UndoState
from memory.rules.tiers import Purpose


@contextmanager
def nobody_else() -> Iterator[None]:
    """Customers who are there already are none until the end, and runs and undos that were left are over."""
    MeditationRun.objects.filter(state__in=UNFINISHED).update(state=RunState.ABORTED, ended_at=clock.utc_now())
    left = MeditationUndo.objects.filter(state=UndoState.RUNNING)
    left.update(state=UndoState.STOPPED, ended_at=clock.utc_now())
    others = list(MemoryUser.objects.filter(purpose=Purpose.CUSTOMER).values_list("pk", flat=True))
    MemoryUser.objects.filter(pk__in=others).update(purpose=Purpose.DRILL)
    try:
        yield
    finally:
        MemoryUser.objects.filter(pk__in=others).update(purpose=Purpose.CUSTOMER)
