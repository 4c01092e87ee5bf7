"""A night is meditated once, however many send it and whatever their clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from kimberly.celery import app
from memory import tasks
from memory.models import MeditationRun, MemoryItem
from memory.queries import nightly
from memory.rules.meditation import RunState
from memory.rules.tiers import ItemState, Tier
from memory.services import items
from ops.services import schedules
from tests.counts import rounds
from tests.meditation.runs import begin, do_all
from tests.personas import TESTER, Person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _with_a_broker(db):
    """As manage.py does it."""
    app.set_default()


@pytest.fixture
def schedule(db):
    """The night's schedule as it is made."""
    schedules.sync()
    return PeriodicTask.objects.get(task=nightly.TASK)


def sent_at(moment):
    """Beat sends it, and the workers do all there is."""
    with time_machine.travel(moment):
        begun = tasks.meditate_nightly()
        do_all(moment)
    return begun


def nights():
    return list(MeditationRun.objects.order_by("created_at").values_list("due_at", "state"))


@pytest.fixture
def dana(db):
    person = Person.register("dana")
    person.writes("Prefers the window seat.")
    return person


@pytest.mark.promise("M4")
@pytest.mark.usefixtures("schedule", "dana")
def test_two_beats_that_send_a_night_begin_one_run():
    first, second = sent_at(NIGHT), sent_at(NIGHT + timedelta(seconds=1))

    assert (first is not None, second) == (True, None)
    assert nights() == [(NIGHT, RunState.SUCCEEDED)]


@pytest.mark.usefixtures("dana")
def test_what_was_on_its_way_when_the_schedule_was_switched_off_begins_nothing(schedule):
    schedule.enabled = False
    schedule.save()

    assert sent_at(NIGHT) is None
    assert nights() == []


@pytest.mark.promise("M8")
@pytest.mark.usefixtures("schedule", "dana")
def test_a_clock_that_goes_back_begins_no_second_night():
    for moment in (NIGHT, NIGHT + HOUR, NIGHT):
        sent_at(moment)

    assert nights() == [(NIGHT, RunState.SUCCEEDED)]


@pytest.mark.promise("M8")
@pytest.mark.usefixtures("schedule", "dana")
def test_a_worker_whose_clock_is_slow_takes_the_night_for_no_other():
    for moment in (NIGHT, NIGHT + DAY - timedelta(seconds=20)):
        sent_at(moment)

    assert [due for due, _ in nights()] == [NIGHT, NIGHT + DAY]


@pytest.mark.promise("M8")
@pytest.mark.usefixtures("schedule", "dana")
def test_after_a_jump_over_a_day_each_night_is_meditated_once():
    for moment in (NIGHT, NIGHT + 25 * HOUR, NIGHT + DAY, NIGHT + 2 * DAY):
        sent_at(moment)

    assert [due for due, _ in nights()] == [NIGHT, NIGHT + DAY, NIGHT + 2 * DAY]


@pytest.mark.promise("M8")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("minute", ["0", "30"])
def test_each_day_of_a_leap_year_has_one_night_whatever_its_clock_does(schedule, zone, minute):
    schedule.crontab = CrontabSchedule.objects.create(minute=minute, hour="2", timezone=zone)
    schedule.save()
    begun, due = datetime(2028, 1, 1, tzinfo=UTC), []

    moment = nightly.after(begun, schedule.crontab)
    while moment < begun + 366 * DAY:
        due.append(moment)
        moment = nightly.after(moment, schedule.crontab)

    assert len(due) == 366
    assert all(22 * HOUR < later - sooner < 26 * HOUR for sooner, later in pairwise(due))
    for moment in due[:: rounds(30, 1)]:
        assert nightly.due_at(now=moment + timedelta(seconds=1)) == moment


@pytest.mark.promise("M8")
@pytest.mark.parametrize("jump", [-HOUR, HOUR, 25 * HOUR, -25 * HOUR])
def test_no_clock_makes_a_purge_come_early(dana, jump):
    one = dana.writes("Prefers the aisle by now.", tier=Tier.LONG_TERM)
    items.delete_item(one.id, user_id=dana.id, actor=TESTER, now=NIGHT)
    until = MemoryItem.objects.get(pk=one.id).purge_after
    assert until == NIGHT + 30 * DAY

    for moment in (NIGHT + jump, until - timedelta(seconds=1)):
        begin(person=dana, now=moment)
        do_all(moment)
        assert dana.item(one.id).state == ItemState.ARCHIVED
    begin(person=dana, now=until)
    do_all(until)

    assert dana.item(one.id).state == ItemState.PURGED


@pytest.mark.usefixtures("schedule", "dana")
def test_a_new_installation_has_its_first_night_at_once_and_once():
    with time_machine.travel(NIGHT + 9 * HOUR):
        tasks.watch_meditations()
        do_all(NIGHT + 9 * HOUR)
        tasks.watch_meditations()

    assert nights() == [(NIGHT, RunState.SUCCEEDED)]


@pytest.mark.usefixtures("dana")
def test_where_the_nights_are_switched_off_none_is_begun():
    tasks.watch_meditations()

    assert nights() == []


def test_a_schedule_of_seconds_is_due_at_each_of_its_ticks(schedule):
    every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    schedule.crontab, schedule.interval = None, every
    schedule.save()

    assert nightly.due_at(now=NIGHT + timedelta(seconds=19)) == NIGHT + timedelta(seconds=10)


def test_without_a_schedule_no_time_was_due(db):
    assert nightly.due_at(now=NIGHT) is None
