"""What runs when, as everybody of staff may read it."""

from datetime import timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from memory.models import MeditationRun
from memory.rules.meditation import RunState, Trigger
from ops.schedules import ALL
from ops.services import schedules
from tests.personas import NOON

pytestmark = pytest.mark.usefixtures("clock_at_noon")
PAGE = "/ops/schedules/"


def test_every_job_is_listed_with_its_times_and_the_next_first(vera):
    schedules.sync()

    text = vera.reads(PAGE)

    for schedule in ALL:
        assert schedule.about in text
    assert "Meditate on all customers. meditation-nightly On 0 2 * * * UTC in 14 h never yet" in text
    assert text.index("Seal the audit entries") < text.index("Meditate on all customers.")


def test_when_beat_sent_it_last_is_told(vera):
    schedules.sync()
    PeriodicTask.objects.filter(name="meditation-nightly").update(
        last_run_at=NOON - timedelta(hours=10), total_run_count=31
    )

    assert "UTC in 14 h 10 h ago 31 times" in vera.reads(PAGE)


def test_how_the_last_night_ended_is_told_beside_its_job(vera):
    schedules.sync()
    run = MeditationRun.objects.create(
        trigger=Trigger.NIGHTLY, state=RunState.FAILED, profile_version=1, created_at=NOON, ended_at=NOON,
        created_by="job:memory.meditate_nightly", error="MemoryError",
    )  # fmt: skip

    assert "never yet the last run: failed" in vera.reads(PAGE)
    assert run.public_id in vera.opens(PAGE).content.decode()


def test_what_is_switched_off_or_changed_is_told(vera):
    schedules.sync()
    PeriodicTask.objects.filter(name="meditation-nightly").update(enabled=False)
    PeriodicTask.objects.filter(name="usage-sample").update(queue="default")

    text = vera.reads(PAGE)

    assert "meditation-nightly Switched off 0 2 * * * UTC not planned" in text
    assert "usage-sample On changed since it was made" in text


def test_what_is_missing_is_named_with_what_makes_it(vera):
    schedules.sync()
    PeriodicTask.objects.filter(name="meditation-nightly").delete()

    text = vera.reads(PAGE)

    assert "Not planned: meditation-nightly" in text
    assert "manage.py sync_schedules makes what is missing." in text


def test_without_any_it_says_so(vera):
    assert "Nothing is planned" in vera.reads(PAGE)
