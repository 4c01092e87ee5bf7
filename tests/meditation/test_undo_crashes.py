"""Wherever the undo of a run is cut off, it is gone on with: nobody is undone twice, and nobody is forgotten."""

from datetime import timedelta

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import MeditationUndo, MeditationUndoUser, MemoryItem
from memory.rules.meditation import UndoOutcome, UndoState
from memory.rules.tiers import ItemState, Tier
from memory.services import meditationundos, reconcile, userbyuser
from tests.crashes import cut_off, points_in
from tests.meditation.alone import nobody_else
from tests.meditation.runs import begin, do_all
from tests.personas import Person

pytestmark = [pytest.mark.slow, pytest.mark.promise("M1"), pytest.mark.usefixtures("committed_db")]


@pytest.fixture
def people(committed_db):
    """People of whom a run has just archived everything."""
    now = clock.utc_now()
    with nobody_else():
        people = [Person.register(f"back{n}", at=now - timedelta(days=9)) for n in range(3)]
        for person in people:
            for n in range(4):
                person.writes(f"rare{n}", tier=Tier.SHORT_TERM, at=now - timedelta(days=2))
        yield people


@pytest.mark.parametrize("point", [point for _, point in points_in(meditationundos)])
def test_cut_off_there_it_is_gone_on_with(people, point):
    run = begin(now=clock.utc_now())
    do_all(clock.utc_now())
    cut_off("undo_meditation", run.public_id, "--reason", "Cut off on purpose.", at=point)

    later = clock.utc_now() + userbyuser.SILENT_AFTER
    undo = meditationundos.take(now=later) or MeditationUndo.objects.get(run=run)
    assert meditationundos.go_on(undo, tell_time=lambda: later)

    undo.refresh_from_db()
    assert undo.state == UndoState.ENDED
    told = MeditationUndoUser.objects.filter(undo=undo).values_list("user_id", "outcome", "items")
    assert sorted(told) == sorted((person.id, UndoOutcome.UNDONE, 4) for person in people)
    for person in people:
        assert not MemoryItem.objects.filter(user_id=person.id).exclude(state=ItemState.ACTIVE).exists()
        assert AuditEntry.objects.filter(action="meditation.undone", subject_id=str(person.id)).count() == 1
    assert reconcile.drifts([person.id for person in people]) == []
