"""A run to meditate in, and people whose tiers are small."""

from datetime import timedelta

import pytest

from memory.models import MeditationRun
from memory.queries import scoring
from memory.rules.meditation import RunState, Trigger
from memory.services import meditation
from tests.personas import NOON, TESTER


@pytest.fixture
def meditate(db):
    """Meditate on these people, now or later."""

    def go(*people, at=NOON + timedelta(hours=1)):
        run = MeditationRun.objects.create(
            trigger=Trigger.MANUAL,
            state=RunState.RUNNING,
            user_id=people[0].id,
            profile_version=1,
            created_at=at,
            created_by=str(TESTER),
        )
        return meditation.meditate(
            [person.id for person in people], run_id=run.pk, profile=scoring.current_profile(), now=at
        )

    return go


@pytest.fixture
def night(meditate):
    """A meditation of these people that has ended; gives its run's id."""

    def go(*people, at=NOON + timedelta(days=1)):
        meditate(*people, at=at)
        run = MeditationRun.objects.latest("created_at", "pk")
        MeditationRun.objects.filter(pk=run.pk).update(state=RunState.SUCCEEDED, ended_at=at)
        return run.pk

    return go
