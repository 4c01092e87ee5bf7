"""A run is done shard by shard, each once, whatever happens to those who do it; and it ends once."""

from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from memory.models import ItemScore, MeditationDecision, MeditationRun, MeditationShard, UserScoring
from memory.rules import meditation as rules
from memory.rules.meditation import RunState, ShardState, Trigger
from memory.rules.tiers import Purpose, Tier
from memory.services import meditationruns as runs
from memory.services import users
from memory.services.meditationbrakes import AlreadyMeditating
from memory.services.quotas import UserGone
from memory.services.users import Profile
from tests.meditation.runs import JOB, at, begin, do_all, taken
from tests.personas import NOON, TESTER, Person, unique

MINUTE = timedelta(minutes=1)


@pytest.fixture
def small_shards(monkeypatch):
    """Two users each, so that a few people make a run of several shards."""
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 2)


@pytest.fixture
def people(db, small_shards):
    made = [Person.register(f"person{n}") for n in range(5)]
    for person in made:
        person.writes("Prefers the window seat.", tier=Tier.SHORT_TERM)
    return made


def test_a_run_of_all_scores_every_customer_and_ends(people):
    canary, _ = users.put(unique("canary"), Profile(), actor=TESTER, now=NOON, purpose=Purpose.CANARY)
    run = begin()

    assert do_all() == 3

    run.refresh_from_db()
    assert (run.state, run.ended_at) == (RunState.SUCCEEDED, NOON)
    assert ItemScore.objects.count() == 5
    assert not UserScoring.objects.filter(user=canary).exists()
    assert sum(run.shards.values_list("users_done", flat=True)) == 5


def test_who_was_not_scored_for_longest_comes_first(people):
    begin(person=people[0])
    do_all()

    run = begin(now=NOON + MINUTE)

    assert run.shards.get(number=3).user_ids[-1] == people[0].id


def test_shards_are_cut_by_items_too(people, monkeypatch):
    monkeypatch.setattr(runs, "MOST_USERS_IN_A_SHARD", 200)
    monkeypatch.setattr(runs, "MOST_ITEMS_IN_A_SHARD", 3)

    assert [len(shard.user_ids) for shard in begin().shards.order_by("number")] == [1, 3, 1]


def test_two_runs_of_all_never_overlap(people):
    first = begin()

    with pytest.raises(AlreadyMeditating) as refusal:
        begin(Trigger.MANUAL)

    assert refusal.value.existing == first
    assert MeditationRun.objects.count() == 1


def test_a_run_of_one_user_may_stand_beside_one_of_all_and_goes_first(people):
    begin()
    mine = begin(Trigger.MANUAL, person=people[4])

    shard = taken()

    assert shard.run == mine
    with pytest.raises(AlreadyMeditating):
        begin(Trigger.MANUAL, person=people[4])


def test_nobody_has_no_meditation(db):
    with pytest.raises(UserGone):
        runs.begin(Trigger.MANUAL, user_id=uuid4(), actor=JOB, why=Why(), now=NOON)


def test_users_whom_another_run_has_come_once_more_at_the_end(people):
    run = begin()
    with psycopg.connect(settings.KIMBERLY.database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('meditation ' || %s::uuid, 0))", [people[0].id])
        for _ in range(3):
            runs.do(taken(), tell_time=at(NOON))
    run.refresh_from_db()
    assert run.state == RunState.RUNNING

    do_all()

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert run.shards.get(number=4).user_ids == [people[0].id]
    assert UserScoring.objects.count() == 5


def test_a_shard_whose_worker_is_gone_is_taken_back_and_done_once(people):
    run = begin()
    gone = taken()

    runs.watch(now=NOON + rules.DEAD_AFTER)
    assert MeditationShard.objects.get(pk=gone.pk).state == ShardState.RUNNING
    runs.watch(now=NOON + rules.DEAD_AFTER + timedelta(seconds=1))
    assert MeditationShard.objects.get(pk=gone.pk).state == ShardState.QUEUED
    do_all(NOON + MINUTE)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert runs.do(gone, tell_time=at(NOON + 2 * MINUTE)) is False
    assert sum(run.shards.values_list("users_done", flat=True)) == 5


def test_a_shard_that_somebody_holds_is_not_dead_until_it_says_nothing_for_long(people):
    begin()
    held = taken()
    with psycopg.connect(settings.KIMBERLY.database_url, autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(hashtextextended('shard ' || %s::uuid, 0))", [held.pk])

        runs.watch(now=NOON + MINUTE)
        assert MeditationShard.objects.get(pk=held.pk).state == ShardState.RUNNING
        runs.watch(now=NOON + rules.HEARTBEAT_LIMIT + timedelta(seconds=1))

    assert MeditationShard.objects.get(pk=held.pk).state == ShardState.QUEUED


def test_a_shard_that_fails_three_times_fails_by_name_and_everybody_else_is_done(people):
    run = begin()
    bad = run.shards.get(number=1)
    for _ in range(rules.MOST_TRIES):
        shard = taken()
        assert shard == bad
        runs.fail(shard, "MemoryError", now=NOON)

    do_all()

    run.refresh_from_db()
    bad.refresh_from_db()
    assert (bad.state, bad.error, bad.tries) == (ShardState.FAILED, "MemoryError", 3)
    assert (run.state, run.error) == (RunState.FAILED, "1 of 3 shards failed")
    assert UserScoring.objects.count() == 4


def test_of_a_shard_that_fails_its_users_are_tried_apart(db):
    """One user's data stops nobody else, and is tried three times at most."""
    people = [Person.register(f"apart{n}") for n in range(5)]
    for person in people:
        person.writes("Prefers the window seat.")
    run, bad = begin(), people[2]
    tries: Counter[UUID] = Counter()

    while (shard := runs.take(now=NOON)) is not None:
        tries.update(shard.user_ids)
        if bad.id in shard.user_ids:
            runs.fail(shard, "DataError", now=NOON)
        else:
            runs.do(shard, tell_time=at(NOON))

    run.refresh_from_db()
    failed = run.shards.get(state=ShardState.FAILED)
    assert (failed.user_ids, failed.error, tries[bad.id]) == ([bad.id], "DataError", rules.MOST_TRIES)
    assert run.state == RunState.FAILED
    scored = set(UserScoring.objects.values_list("user_id", flat=True))
    assert scored == {person.id for person in people if person != bad}
    assert max(tries.values()) == rules.MOST_TRIES


def test_a_try_that_was_given_up_says_nothing_any_more(people):
    begin()
    old = taken()
    runs.fail(old, "silent", now=NOON)
    again = taken()

    runs.fail(old, "late", now=NOON)

    assert MeditationShard.objects.get(pk=again.pk).state == ShardState.RUNNING


def test_a_run_without_users_ends_at_once_when_somebody_looks(db):
    run = begin()

    runs.watch(now=NOON + MINUTE)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


def test_every_step_of_a_run_is_in_the_trail(people):
    begin()
    do_all()

    acts = AuditEntry.objects.filter(subject_kind="meditation").order_by("at", "pk").values_list("action", flat=True)
    assert sorted(acts) == ["meditation.begun", "meditation.ended", *["meditation.shard"] * 3]


def test_lanes_are_as_many_as_there_is_work_for(people, monkeypatch):
    begin()
    assert runs.idle_lanes() == 3

    monkeypatch.setattr(runs, "LANES", 2)
    taken()

    assert runs.idle_lanes() == 1


def test_decisions_name_their_run(people):
    run = begin(now=NOON + timedelta(days=1))

    do_all(NOON + timedelta(days=1))

    assert set(MeditationDecision.objects.values_list("run", flat=True)) == {run.pk}
