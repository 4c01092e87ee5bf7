"""A refused write says when the next meditation may make room, by the schedule as it is enabled."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from kimberly.lib.remember import forget_everything
from memory.queries import nightly
from memory.rules.tiers import Tier
from memory.services import bulk, drafts
from memory.services.quotas import QuotaExceeded
from ops.schedules import ALL
from ops.services import schedules
from tests.personas import NOON, TESTER, content_of

TONIGHT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def scheduled(db):
    """Beat's table as it is made."""
    schedules.sync()
    return PeriodicTask.objects.get(name="meditation-nightly")


def refused(person, tier, leaving_bytes=10):
    person.fill(tier, leaving_bytes=leaving_bytes)
    with pytest.raises(QuotaExceeded) as refusal:
        person.writes(content_of(leaving_bytes + 90), tier=tier)
    return refusal.value


def waits(refusal):
    return [remedy for remedy in refusal.remedies() if remedy.startswith("Wait for the meditation")]


@pytest.mark.parametrize(
    ("now", "due_at"),
    [
        (NOON, TONIGHT),
        (TONIGHT - SECOND, TONIGHT),
        (TONIGHT, TONIGHT + DAY),
        (TONIGHT + SECOND, TONIGHT + DAY),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, 2, 0, tzinfo=UTC)),
    ],
)
def test_it_is_due_at_two_each_night(scheduled, now, due_at):
    assert nightly.next_at(now=now) == due_at


def test_the_name_of_the_job_is_the_one_that_is_scheduled():
    assert [schedule.name for schedule in ALL if schedule.task == nightly.TASK] == ["meditation-nightly"]


def test_an_operators_change_counts_with_its_zone(scheduled):
    scheduled.crontab = CrontabSchedule.objects.create(
        minute="30", hour="3", day_of_week="6", timezone="America/New_York"
    )
    scheduled.save()

    assert nightly.next_at(now=NOON) == datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def test_without_a_schedule_nothing_is_promised(alice, scheduled):
    PeriodicTask.objects.filter(pk=scheduled.pk).update(enabled=False)

    refusal = refused(alice, Tier.SHORT_TERM)

    assert refusal.facts()["next_meditation_at"] is None
    assert waits(refusal) == []


def test_a_refused_write_says_when(alice, scheduled):
    refusal = refused(alice, Tier.SHORT_TERM)

    assert refusal.facts()["next_meditation_at"] == "2026-11-18T02:00:00Z"
    assert waits(refusal) == [
        "Wait for the meditation at 2026-11-18T02:00:00Z: it archives what is worth least above the soft limit."
    ]


def test_who_waits_for_room_in_permanent_waits_in_vain(alice, scheduled):
    refusal = refused(alice, Tier.PERMANENT)

    assert refusal.facts()["next_meditation_at"] == "2026-11-18T02:00:00Z"
    assert waits(refusal) == []


def test_each_refused_item_of_a_bulk_says_when(alice, scheduled):
    alice.fill(Tier.SHORT_TERM, leaving_bytes=10)
    draft = drafts.prepare(tier=Tier.SHORT_TERM, content=content_of(100), now=NOON)

    outcome = bulk.write_what_fits([draft, draft], user_id=alice.id, created_by=TESTER, now=NOON)

    assert [result.facts()["next_meditation_at"] for _, result in outcome.refused] == ["2026-11-18T02:00:00Z"] * 2


def test_a_change_of_the_schedule_is_heard_when_what_was_read_is_forgotten(scheduled):
    assert nightly.next_at(now=NOON) == TONIGHT
    PeriodicTask.objects.filter(pk=scheduled.pk).update(enabled=False)

    forget_everything()

    assert nightly.next_at(now=NOON) is None
