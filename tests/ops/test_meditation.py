"""The portal's pages about the meditation: how the last ended, how far one is, and what each decided and why."""

from datetime import timedelta
from typing import Any

import pytest

from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor
from memory.models import MeditationDecision, MeditationRun
from memory.queries import scoring as stored
from memory.rules import scoring
from memory.rules.meditation import HEARTBEAT_LIMIT, MOST_TRIES, Reason, Trigger
from memory.rules.scoring import Inputs
from memory.rules.tiers import Tier
from memory.services import meditationruns as runs
from ops.services import schedules
from tests.ops.nights import above_soft
from tests.ops.portal import run_page
from tests.personas import NOON

pytestmark = pytest.mark.usefixtures("no_brake_holds")
MEDITATION = "/ops/meditation/"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
JOB = Actor.job("memory.meditate_nightly")


def begin(trigger=Trigger.NIGHTLY, *, person=None, at=NOON):
    return runs.begin(trigger, user_id=person.id if person else None, actor=JOB, why=Why(), now=at)


def taken(*, at=NOON):
    shard = runs.take(now=at)
    assert shard is not None
    return shard


def do(number=1, *, at=NOON):
    for _ in range(number):
        runs.do(taken(at=at), tell_time=lambda: at)


@pytest.fixture
def one_user_a_shard(monkeypatch):
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 1)


@pytest.fixture
def dana(db):
    """Above the soft limit of long-term, with a short-term memory whose life ends after a day."""
    person = above_soft()
    person.writes("Prefers the window seat.", tier=Tier.SHORT_TERM)
    return person


def test_the_page_says_when_the_last_night_ended_and_when_the_next_begins(sam, dana, clock_at_noon):
    schedules.sync()
    begin(at=NOON - 10 * HOUR)
    do(at=NOON - 10 * HOUR + 5 * MINUTE)

    text = sam.reads(MEDITATION)

    assert "The night’s meditation ended 10 h ago as it should, after 5 min 0 s" in text
    assert "1 user, 1 item archived (1,000 B freed), 0 promoted, 0 purged." in text
    assert "The next one begins in 14 h, at 02:00 UTC." in text
    assert "Nightly, of all users" in text


def test_without_a_run_and_a_schedule_it_says_what_to_do(sam, db):
    text = sam.reads(MEDITATION)

    assert "No night’s meditation was begun yet" in text
    assert "beat has no schedule for it. manage.py sync_schedules makes it." in text


def test_a_night_without_a_run_is_told(sam, dana, clock_at_noon):
    begin(at=NOON - 2 * DAY)
    do(at=NOON - 2 * DAY)

    assert "No meditation was begun last night: the last one 2 days ago" in sam.reads(MEDITATION)


@pytest.mark.usefixtures("bob", "one_user_a_shard")
def test_a_running_one_shows_how_far_it_is_how_fast_and_how_long_it_goes_on(sam, dana, clock_at_noon):
    begin(at=NOON - MINUTE)
    do(1, at=NOON - timedelta(seconds=1))

    text = sam.reads(MEDITATION)

    assert "The night’s meditation is under way: 1 of 2 users, about 60 s left" in text
    assert "1 of 2 users 50 % 50 % 1 user a minute, about 60 s left; last sign of life 1 s ago" in text


def test_one_of_which_nothing_is_heard_is_not_called_running(sam, dana, clock_at_noon):
    begin(at=NOON - HEARTBEAT_LIMIT - MINUTE)
    runs.take(now=NOON - HEARTBEAT_LIMIT - MINUTE)

    text = sam.reads(MEDITATION)

    assert "The night’s meditation stands still: 0 of 1 user" in text
    assert "No sign of life" in text


def test_who_was_not_scored_for_a_day_is_behind(sam, dana, bob, clock_at_noon):
    begin(Trigger.MANUAL, person=dana, at=NOON + DAY)
    do(at=NOON + DAY)
    clock_at_noon.move_to(NOON + DAY + MINUTE)

    assert "Users behind 1 of 2 not scored for 24 h" in sam.reads(MEDITATION)


def test_a_shard_that_failed_says_by_what_and_after_how_many_tries(sam, dana, clock_at_noon):
    run = begin()
    for _ in range(MOST_TRIES):
        runs.fail(taken(), "MemoryError", now=NOON)

    text = sam.reads(run_page(run))

    assert "The night’s meditation failed just now: 1 of 1 shards failed" in text
    assert "Shard 1 of Dana Whitfield Failed MemoryError 3 just now 0 of 1" in text
    assert "No shard is in this state" in sam.reads(run_page(run, "?state=running"))


def test_the_chip_of_what_is_shown_is_the_current_one(sam, dana, clock_at_noon):
    run = begin()

    assert 'aria-current="true">All</a>' in sam.opens(run_page(run)).content.decode()
    assert 'aria-current="true">Failed</a>' in sam.opens(run_page(run, "?state=failed")).content.decode()


def test_how_long_the_last_runs_took_is_drawn_and_told(sam, dana, clock_at_noon):
    for days, seconds in ((2, 30), (1, 45)):
        begin(at=NOON - days * DAY)
        do(at=NOON - days * DAY + timedelta(seconds=seconds))

    answer = sam.opens(MEDITATION)

    assert "The last 2 runs of all users: the longest took 45 s, the last 45 s." in answer.content.decode()
    assert "The same as a table" in answer.content.decode()


def test_each_decision_says_why_with_the_parts_of_its_score(sam, dana, clock_at_noon):
    run = begin(at=NOON + DAY)
    do(at=NOON + DAY)
    clock_at_noon.move_to(NOON + DAY)
    decision = MeditationDecision.objects.filter(reason=Reason.SOFT_LIMIT).order_by("pk")[0]

    text = sam.reads(run_page(run, "?tab=decisions&act=archived&reason=soft-limit"))

    assert f"Score {decision.score:.6f}, by scoring profile 1" in text
    assert "Its tier was over the soft limit, and it was among the least useful for its size" in text
    assert "Relevance to goals absent, so not counted: the user had no goal to compare it with" in text
    assert "Dana Whitfield" in text
    assert decision.score == scoring.score(
        scoring.parts(Inputs.kept(decision.inputs), stored.profile(1)), stored.profile(1)
    )


def test_decisions_are_read_page_by_page_each_once(sam, dana, clock_at_noon, monkeypatch):
    monkeypatch.setattr("ops.queries.decisions.SHOWN", 2)
    for _ in range(5):
        dana.writes("Short and soon over.", tier=Tier.SHORT_TERM)
    run = begin(at=NOON + DAY)
    do(at=NOON + DAY)
    clock_at_noon.move_to(NOON + DAY)
    found: list[Any] = []
    cursor: Any = ""

    while cursor is not None:
        page = sam.opens(run_page(run, f"?tab=decisions&cursor={cursor}")).context["page"]
        found += [row.item_id for row in page.rows]
        cursor = page.next_cursor

    assert len(found) == len(set(found)) == MeditationDecision.objects.filter(run=run).count() > 4


def test_a_cursor_that_was_tampered_with_is_refused(sam, dana, clock_at_noon):
    assert sam.opens(run_page(begin(), "?tab=decisions&cursor=x")).status_code == 422


def test_the_search_box_leads_from_a_runs_id_to_the_run(sam, dana, clock_at_noon):
    run = begin()

    answer = sam.opens(f"/ops/find/?q={run.public_id}")

    assert (answer.status_code, answer.url) == (302, run_page(run))
    assert sam.opens(f"/ops/find/?q=run_{'0' * 32}").status_code == 200


def test_a_run_that_is_not_there_is_not_found(sam, db):
    assert sam.opens(f"{MEDITATION}run_{'0' * 32}/").status_code == 404
    assert sam.opens(f"{MEDITATION}nonsense/").status_code == 404
    assert not MeditationRun.objects.exists()
