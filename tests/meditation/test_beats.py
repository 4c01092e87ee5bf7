"""Two beats and the workers of both: what is due is done once."""

from datetime import timedelta

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from kimberly.lib import clock
from memory.models import MeditationRun
from memory.queries import nightly
from memory.rules.meditation import RunState, Trigger
from ops.services import schedules
from tests.counts import rounds
from tests.meditation.alone import nobody_else
from tests.meditation.workers import Beat, Worker, lose_the_queues
from tests.personas import Person
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("M4"), pytest.mark.usefixtures("committed_db")]
TICKS = rounds(20, 200)


@pytest.fixture
def due_each_second(committed_db):
    """The night's meditation, as often as beat can send it; somebody is there to meditate on."""
    lose_the_queues()
    schedules.sync()
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.exclude(task=nightly.TASK).update(enabled=False)
    PeriodicTask.objects.filter(task=nightly.TASK).update(crontab=None, interval=every)
    PeriodicTasks.update_changed()
    with nobody_else():
        Person.register("ticks", at=clock.utc_now()).writes("Prefers the window seat.", at=clock.utc_now())
        yield
    PeriodicTask.objects.all().delete()
    IntervalSchedule.objects.all().delete()
    lose_the_queues()


def nights(since):
    return MeditationRun.objects.filter(trigger=Trigger.NIGHTLY, created_at__gte=since)


def test_two_beats_send_what_is_due_and_it_is_done_once(due_each_second):
    since = clock.utc_now()

    with Worker(), Beat(), Beat():
        until(lambda: nights(since).count() >= TICKS, what=f"{TICKS} nights", limit_seconds=60 + 2 * TICKS)
        PeriodicTask.objects.all().update(enabled=False)
        PeriodicTasks.update_changed()

        def all_ended():
            return not nights(since).filter(ended_at=None).exists()

        until(all_ended, what="the last nights to end", limit_seconds=60)

    due = list(nights(since).values_list("due_at", flat=True))
    assert None not in due
    assert len(due) == len(set(due)) >= TICKS
    assert set(nights(since).values_list("state", flat=True)) == {RunState.SUCCEEDED}
    for run in nights(since):
        assert run.due_at is not None
        assert timedelta() <= run.created_at - run.due_at < timedelta(seconds=5)
