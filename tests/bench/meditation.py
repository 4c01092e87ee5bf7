"""Meditation: scoring by one statement against a loop over the ORM, at growing numbers; and whole runs by workers."""

import statistics
import time
from datetime import timedelta

from django.db import connection, transaction

from kimberly.celery import app
from kimberly.db import statements
from kimberly.lib import clock
from kimberly.lib.sql import statement
from memory import tasks
from memory.models import ItemScore, MeditationRun, MemoryItem, MemoryUser
from memory.queries import scoring
from memory.rules.meditation import UNFINISHED, RunState
from memory.rules.tiers import Purpose
from tests.api.plans import make_plan
from tests.bench.create import Section
from tests.bench.query import FILL
from tests.bench.settling import settle
from tests.meditation import reference
from tests.meditation.runs import begin
from tests.meditation.workers import Worker
from tests.personas import Person
from tests.waiting import until

ITEMS_OF_EACH = 1_000
SIZES = (50_000, 200_000, 800_000)
RUN_ITEMS, LOOPED = 200_000, 1_000
ROUNDS, WORKERS = 3, (1, 2)
LEAST_PER_SECOND, STRETCH, LEAST_TIMES_THE_LOOP, MOST_GROWTH = 25_000, 100_000, 50, 1.15
LEAST_WHOLE, LEAST_TIMES_ONE_WORKER = 20_000, 1.7
SHARD_USERS = 20  # as many as a shard of 20,000 items holds


def measure() -> Section:
    """Score growing numbers of items, loop over some, and let one worker and then two meditate."""
    each = RUN_ITEMS // ITEMS_OF_EACH
    people = _crowd(max(max(SIZES) // ITEMS_OF_EACH, each * len(WORKERS) * ROUNDS))
    per_second = {
        items: statistics.median(_scored_per_second(people[: items // ITEMS_OF_EACH]) for _ in range(ROUNDS))
        for items in SIZES
    }
    looped = statistics.median(_looped_per_second(people[0]) for _ in range(ROUNDS))
    MemoryUser.objects.filter(pk__in=[person.id for person in people]).update(purpose=Purpose.DRILL)
    crowds = (people[first : first + each] for first in range(0, len(people), each))
    runs = [[_whole_per_second(next(crowds), workers) for workers in WORKERS] for _ in range(ROUNDS)]
    whole = {workers: statistics.median(rates) for workers, rates in zip(WORKERS, zip(*runs, strict=True), strict=True)}
    return _section(per_second, looped, whole)


def _crowd(users: int) -> list[Person]:
    """People a little above their soft limit, with as many items each."""
    size = ITEMS_OF_EACH * 150
    plan = make_plan(hard_bytes=size * 2, soft_bytes=size * 97 // 100)
    people = [Person.register("meditates", plan=plan, at=clock.utc_now()) for _ in range(users)]
    with connection.cursor() as cursor:
        for person in people:
            cursor.execute(FILL, {"user_id": person.id, "items": ITEMS_OF_EACH, "words": 5_000})
        cursor.execute(
            "UPDATE usage_counter SET active_items = %s, active_bytes = %s "
            "WHERE user_id = ANY(%s) AND tier = 'long-term'",
            [ITEMS_OF_EACH, size, [person.id for person in people]],
        )
    settle()
    return people


def _scored_per_second(people: list[Person]) -> float:
    """Score and rank in shards, as one worker does, and throw the result away."""
    profile = scoring.current_profile()
    text = f"CREATE TEMPORARY TABLE scored ON COMMIT DROP AS {statement(scoring.__file__, 'scored_items')}"
    begun = time.perf_counter()
    for first in range(0, len(people), SHARD_USERS):
        user_ids = [person.id for person in people[first : first + SHARD_USERS]]
        with transaction.atomic(), statements.without_nested_loops():
            statements.execute(text, {"user_ids": user_ids, **profile.parameters()})
    return len(people) * ITEMS_OF_EACH / (time.perf_counter() - begun)


def _looped_per_second(person: Person) -> float:
    """The same for one user, item by item: read as objects, scored in Python, saved one by one."""
    profile, begun = scoring.current_profile(), time.perf_counter()
    with transaction.atomic():
        items = list(MemoryItem.objects.filter(user_id=person.id).order_by("pk")[:LOOPED])
        newest = max(item.created_at for item in items)
        memories = [
            reference.Memory(
                item.pk,
                item.content or "",
                frozenset((item.content or "").split()),
                (newest - item.created_at) / timedelta(days=1),
                item.access_count,
                None,
                None,
                item.feedback.filter(helpful=True).count(),
                item.feedback.filter(helpful=False).count(),
            )
            for item in items
        ]
        for key, score in reference.scores(memories, profile).items():
            ItemScore.objects.update_or_create(
                item_id=key,
                defaults={
                    "score": score, "predictive": 0, "recency": 0, "profile_version": 1, "scored_at": newest,
                },
            )  # fmt: skip
    return LOOPED / (time.perf_counter() - begun)


def _whole_per_second(people: list[Person], workers: int) -> float:
    """A run of these people from its beginning to its end, by a worker of so many processes."""
    user_ids = [person.id for person in people]
    ItemScore.objects.filter(item__user_id__in=user_ids).delete()
    # Of these alone: those whom other benchmarks have made are left out, as drills are.
    MemoryUser.objects.exclude(pk__in=user_ids).update(purpose=Purpose.DRILL)
    MemoryUser.objects.filter(pk__in=user_ids).update(purpose=Purpose.CUSTOMER)
    settle()
    with Worker(processes=workers):
        until(app.control.ping, what="the worker to be up", limit_seconds=60)
        run = begin(now=clock.utc_now())
        tasks.send_lanes()
        # Whoever asks often takes from the workers what is measured.
        until(lambda: _has_ended(run), what="the run to end", limit_seconds=600, every_seconds=0.5)
    MemoryUser.objects.filter(pk__in=user_ids).update(purpose=Purpose.DRILL)
    if run.state != RunState.SUCCEEDED or run.started_at is None or run.ended_at is None:
        raise RuntimeError(f"the run is {run.state} {run.held_reason}")
    seconds: float = (run.ended_at - run.started_at).total_seconds()
    return RUN_ITEMS / seconds


def _has_ended(run: MeditationRun) -> bool:
    run.refresh_from_db()
    return run.state not in UNFINISHED or run.state == RunState.HELD


def _section(per_second: dict[int, float], looped: float, whole: dict[int, float]) -> Section:
    slowest, growth = min(per_second.values()), per_second[min(SIZES)] / per_second[max(SIZES)]
    times_loop, times_one = slowest / looped, whole[2] / whole[1]
    minutes = 10_000_000 / (whole[2] * 2) / 60
    passed = (
        slowest >= LEAST_PER_SECOND
        and times_loop >= LEAST_TIMES_THE_LOOP
        and growth <= MOST_GROWTH
        and whole[2] >= LEAST_WHOLE
        and times_one >= LEAST_TIMES_ONE_WORKER
        and minutes <= 10
    )
    lines = "\n".join(f"| scored and ranked, {items:,} items | {rate:,.0f} |" for items, rate in per_second.items())
    text = f"""## Meditation

Users of {ITEMS_OF_EACH:,} items, median of {ROUNDS}; one worker unless it says otherwise.

| | items per second |
| --- | --- |
| floor: a loop over the ORM, {LOOPED:,} items | {looped:,.0f} |
{lines}
| whole run, {RUN_ITEMS:,} items, one worker | {whole[1]:,.0f} |
| whole run, {RUN_ITEMS:,} items, two workers | {whole[2]:,.0f} |

Scoring: {times_loop:.0f} times the loop (target >= {LEAST_TIMES_THE_LOOP}), at least {LEAST_PER_SECOND:,} a second \
(stretch {STRETCH:,}); time per item from {min(SIZES):,} to {max(SIZES):,} items: {growth:.2f} x (target <= \
{MOST_GROWTH}). Two workers: {times_one:.2f} times one (target >= {LEAST_TIMES_ONE_WORKER}), at least {LEAST_WHOLE:,} \
a second; 10 million items on four workers, computed from two: {minutes:.1f} minutes (target <= 10).

{"Reached." if passed else "Not reached."}"""
    return Section(text, passed)
