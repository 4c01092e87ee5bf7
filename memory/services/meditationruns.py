"""Runs of the meditation: begun, done shard by shard, taken up again after whatever happened, and ended once.

A run and its shards are rows. Whoever finds one that nobody works on may work on it: the queue only says that there is
something to look at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.crashpoints import crashpoint
from kimberly.lib.errors import Kind, Refusal
from kimberly.lib.sql import statement
from memory import metrics
from memory.models import MeditationRun, MeditationShard, MemoryUser
from memory.queries import cohorts, scoring
from memory.queries.cohorts import Cohort
from memory.rules import brakes
from memory.rules.brakes import Held
from memory.rules.meditation import (
    DEAD_AFTER,
    HEARTBEAT_LIMIT,
    MOST_ITEMS_IN_A_SHARD,
    MOST_TRIES,
    MOST_USERS_IN_A_SHARD,
    TRIES_TOGETHER,
    UNFINISHED,
    Act,
    RunState,
    Scope,
    ShardState,
    Trigger,
)
from memory.rules.scoring import Profile
from memory.rules.tiers import UserState
from memory.services import heartbeats, meditation, meditationbrakes, quotas
from memory.services.meditation import Outcome
from memory.services.meditationbrakes import AlreadyMeditating

logger = structlog.get_logger(__name__)
LANES = 8
"""So many workers at most meditate at once; the others stay free for what people wait for."""
LATER_SHARDS = 1_000
"""So many times users whom another run had may be put off within a run."""


class NobodyThere(Refusal):
    """Nobody is in the cohort."""

    slug = "nobody-there"
    kind = Kind.CONFLICT
    title = "Nobody is among those on whom to meditate. Nothing was begun."


@dataclass(frozen=True, slots=True)
class Meditator:
    """A user whom a run is about, with what is active."""

    id: UUID
    items: int
    active_bytes: int


@dataclass(slots=True)
class Part:
    """Users of one shard, and how many items they have."""

    user_ids: list[UUID]
    items: int


def begin(
    trigger: Trigger,
    *,
    user_id: UUID | None = None,
    cohort: Cohort | None = None,
    due_at: datetime | None = None,
    actor: Actor,
    why: Why,
    now: datetime,
) -> MeditationRun:
    """Leave a run of all customers, of some or of one user, with its shards to be done.

    `due_at` is when a schedule wanted it: of however many who send it, one begins it. Raises UserGone, NobodyThere or
    AlreadyMeditating.
    """
    if cohort == cohorts.EVERYBODY:
        cohort = None
    scope = Scope.USER if user_id else Scope.SOME if cohort else Scope.ALL
    whom = _whom(user_id, cohort, now=now)
    try:
        with transaction.atomic():
            _require_free(user_id)
            run = MeditationRun.objects.create(
                trigger=trigger,
                user_id=user_id,
                due_at=due_at,
                cohort=cohorts.kept(cohort) if cohort else {},
                profile_version=scoring.current_profile().version,
                created_at=now,
                created_by=str(actor),
            )
            crashpoint("run-made")
            _cut_into_shards(run, whom, now=now)
            crashpoint("run-cut")
            facts = {"trigger": trigger, "shards": run.shards.count(), "user": str(user_id) if user_id else None}
            facts |= {"cohort": run.cohort} if cohort else {}
            trail.record("meditation.begun", subject=_subject(run), actor=actor, now=now, after=facts, why=why)
    except IntegrityError:
        raise AlreadyMeditating(_other(scope, due_at)) from None
    return run


def skip(trigger: Trigger, existing: MeditationRun) -> None:
    """Count a run that was due and did not begin, because another one was not finished."""
    logger.warning("meditation_skipped", trigger=trigger, existing=existing.public_id, state=existing.state)
    metrics.MEDITATION_RUNS.add(1, trigger, "skipped")


def take(*, now: datetime) -> MeditationShard | None:
    """Make a shard that waits ours, in a transaction of its own, so that everybody sees it; None when none waits."""
    row = statements.fetch_one(statement(__file__, "take_shard"), {"now": now})
    return MeditationShard.objects.select_related("run").get(pk=row[0]) if row else None


def do(shard: MeditationShard, *, tell_time: Callable[[], datetime]) -> bool:
    """Do a shard that was taken; gives whether it counts. Raises what its users' data raises.

    The work and the word that it is done are one transaction: a shard is done once, however often it is tried.
    """
    crashpoint("shard-taken")
    begun_at, profile = tell_time(), scoring.profile(shard.run.profile_version)
    try:
        return _do(shard, profile, begun_at, tell_time)
    except meditationbrakes.CapReached:
        meditationbrakes.hold(shard.run_id, Held.RUN_CAP, now=tell_time())
        _wait(shard)
        return False


def _do(shard: MeditationShard, profile: Profile, begun_at: datetime, tell_time: Callable[[], datetime]) -> bool:
    with heartbeats.of(shard.pk, tell_time=tell_time), transaction.atomic():
        statements.fetch_one(statement(__file__, "hold_shard"), {"shard_id": shard.pk})
        outcome = meditation.meditate(shard.user_ids, run_id=shard.run_id, profile=profile, now=begun_at)
        ours = MeditationShard.objects.filter(pk=shard.pk, state=ShardState.RUNNING, tries=shard.tries)
        if not ours.update(state=ShardState.SUCCEEDED, ended_at=tell_time(), **_counts(outcome)):
            transaction.set_rollback(True)  # the watchdog took it back meanwhile: the next try counts
            return False
        _put_off(shard, outcome)
        # Foreign keys are checked now, not at the commit: from here on the others wait for the run's row.
        statements.execute("SET CONSTRAINTS ALL IMMEDIATE", {})
        meditationbrakes.spend(shard.run_id, outcome.brought_down_bytes, now=tell_time())
        meditationbrakes.look(shard.run_id, now=tell_time())
        facts = {"shard": shard.number, **_counts(outcome)}
        trail.record("meditation.shard", subject=_subject(shard.run), actor=_actor(), now=begun_at, after=facts)
        crashpoint("shard-recorded")
    crashpoint("shard-committed")
    finish(shard.run_id, now=tell_time())
    return True


def _wait(shard: MeditationShard) -> None:
    """Put the shard back as if it had not been tried: nothing is wrong with it."""
    ours = MeditationShard.objects.filter(pk=shard.pk, state=ShardState.RUNNING, tries=shard.tries)
    ours.update(state=ShardState.QUEUED, tries=F("tries") - 1)


def fail(shard: MeditationShard, error: str, *, now: datetime) -> None:
    """Note what a try ended with; after the last one the shard has failed, else it waits for the next.

    Before its last try a shard is taken apart: one user's data must not keep the others from being done.
    """
    has_failed = shard.tries >= MOST_TRIES
    state, ended_at = (ShardState.FAILED, now) if has_failed else (ShardState.QUEUED, None)
    given_up = MeditationShard.objects.filter(pk=shard.pk, state=ShardState.RUNNING, tries=shard.tries)
    with transaction.atomic():
        if not given_up.update(state=state, ended_at=ended_at, error=error[:80]):
            return
        if shard.tries == TRIES_TOGETHER:
            _take_apart(shard, error[:80])
    if has_failed:
        metrics.MEDITATED_USERS.add(len(shard.user_ids), "failed")
        finish(shard.run_id, now=now)


def _take_apart(shard: MeditationShard, error: str) -> None:
    """Leave the shard its first user, and make shards of the others, each with as many tries left."""
    first, *others = shard.user_ids
    MeditationShard.objects.filter(pk=shard.pk).update(user_ids=[first])
    number = _last_number(shard.run_id) if others else 0
    MeditationShard.objects.bulk_create(
        MeditationShard(
            run_id=shard.run_id,
            number=place,
            user_ids=[user_id],
            is_canary=shard.is_canary,
            tries=shard.tries,
            error=error,
        )
        for place, user_id in enumerate(others, start=number + 1)
    )


def _last_number(run_id: UUID) -> int:
    """The number of the run's last shard. Until the end of the transaction nobody else adds one."""
    MeditationRun.objects.select_for_update(no_key=True).get(pk=run_id)
    return MeditationShard.objects.filter(run_id=run_id).count()


def finish(run_id: UUID, *, now: datetime) -> MeditationRun:
    """End the run when no shard of it is left; gives the run as it is then."""
    with transaction.atomic():
        run = MeditationRun.objects.select_for_update(no_key=True).get(pk=run_id)
        open_shards = run.shards.filter(state__in=(ShardState.QUEUED, ShardState.RUNNING))
        if run.state != RunState.RUNNING or open_shards.exists():
            return run
        failed = run.shards.filter(state=ShardState.FAILED).count()
        run.state, run.ended_at = (RunState.FAILED if failed else RunState.SUCCEEDED), now
        run.error = f"{failed} of {run.shards.count()} shards failed" if failed else ""
        run.save(update_fields=["state", "ended_at", "error"])
        facts = {"state": run.state, "error": run.error}
        crashpoint("run-ending")
        trail.record("meditation.ended", subject=_subject(run), actor=_actor(), now=now, after=facts)
        transaction.on_commit(partial(_count_run, run, has_partly_failed=bool(failed) and failed < run.shards.count()))
    return run


def watch(*, now: datetime) -> None:
    """Take back the shards of which nothing is heard any more, and end the runs of which nothing is left."""
    limits = {"dead_before": now - DEAD_AFTER, "frozen_before": now - HEARTBEAT_LIMIT}
    with transaction.atomic():
        silent = [row[0] for row in statements.fetch_all(statement(__file__, "silent_shards"), limits)]
        for shard in MeditationShard.objects.filter(pk__in=silent).order_by("pk"):
            fail(shard, "silent", now=now)
    for run_id in MeditationRun.objects.filter(state=RunState.RUNNING).order_by("pk").values_list("pk", flat=True):
        finish(run_id, now=now)


def has_had_a_night() -> bool:
    """Whether a night's run was ever begun here."""
    return MeditationRun.objects.filter(trigger=Trigger.NIGHTLY).exists()


def idle_lanes() -> int:
    """How many more workers could take a shard now: of the lanes that are free as many as there are shards."""
    waiting = MeditationShard.objects.filter(state=ShardState.QUEUED, run__state=RunState.RUNNING)
    running = MeditationShard.objects.filter(state=ShardState.RUNNING)
    return max(0, min(LANES - running.count(), waiting[:LANES].count()))


def _require_free(user_id: UUID | None) -> None:
    if user_id is not None:
        alive = MemoryUser.objects.select_for_update(no_key=True).filter(
            pk=user_id, state__in=(UserState.ACTIVE, UserState.SUSPENDED)
        )
        if not alive.exists():
            raise quotas.UserGone
        existing = MeditationRun.objects.filter(user_id=user_id, state__in=UNFINISHED).first()
        if existing is not None:
            raise AlreadyMeditating(existing)


def _other(scope: Scope, due_at: datetime | None) -> MeditationRun:
    """The run that was due then; else that of as many which is not finished, or was not a moment ago."""
    due = MeditationRun.objects.filter(due_at=due_at).first() if due_at else None
    return due or MeditationRun.objects.filter(scope=scope).latest("created_at", "pk")


def _whom(user_id: UUID | None, cohort: Cohort | None, *, now: datetime) -> list[UUID] | None:
    """The users whom the run is about; None for all customers."""
    if cohort is None:
        return [user_id] if user_id else None
    found = cohorts.user_ids(cohort, now=now)
    if not found:
        raise NobodyThere
    return found


def _cut_into_shards(run: MeditationRun, user_ids: list[UUID] | None, *, now: datetime) -> None:
    """At most so many users and items each: some from everywhere first, then those not scored for longest."""
    rows = statements.fetch_all(statement(__file__, "users_to_meditate"), {"user_ids": user_ids})
    users = [Meditator(*row) for row in rows]
    first = brakes.canary_users(len(users))
    canary = users[:: len(users) // first][:first] if first else []
    chosen = set(canary)
    others = [user for user in users if user not in chosen]
    parts = [(part, is_canary) for group, is_canary in ((canary, True), (others, False)) for part in _parts(group)]
    MeditationShard.objects.bulk_create(
        MeditationShard(run=run, number=number, user_ids=part.user_ids, is_canary=is_canary)
        for number, (part, is_canary) in enumerate(parts, start=1)
    )
    # A run without users is over at once; it is ended like any other.
    run.state, run.started_at = RunState.RUNNING, now
    run.cap_bytes = None if run.user_id else brakes.cap_bytes(sum(user.active_bytes for user in users))
    run.save(update_fields=["state", "started_at", "cap_bytes"])


def _parts(users: Sequence[Meditator]) -> Iterator[Part]:
    part = Part([], 0)
    for user in users:
        is_full = len(part.user_ids) == MOST_USERS_IN_A_SHARD or part.items + user.items > MOST_ITEMS_IN_A_SHARD
        if part.user_ids and is_full:
            yield part
            part = Part([], 0)
        part.user_ids.append(user.id)
        part.items += user.items
    if part.user_ids:
        yield part


def _put_off(shard: MeditationShard, outcome: Outcome) -> None:
    """Users whom another run had come once more, at the end of this one."""
    if outcome.left:
        number = _last_number(shard.run_id)
        if number < LATER_SHARDS + shard.number:
            MeditationShard.objects.create(run=shard.run, number=number + 1, user_ids=outcome.left)
    metrics.MEDITATED_USERS.add(len(outcome.left), "left")


def _counts(outcome: Outcome) -> dict[str, int]:
    return {
        "users_done": len(outcome.users),
        "users_left": len(outcome.left),
        "items_scored": outcome.items_scored,
        "kept": sum(outcome.kept.values()),
        "protected": sum(outcome.protected.values()),
        "promoted": outcome.items(Act.PROMOTED),
        "archived": outcome.items(Act.ARCHIVED),
        "purged": outcome.items(Act.PURGED),
        "freed_bytes": outcome.freed_bytes,
    }


def _count_run(run: MeditationRun, *, has_partly_failed: bool) -> None:
    outcome = "ok" if run.state == RunState.SUCCEEDED else "partial" if has_partly_failed else "failed"
    metrics.MEDITATION_RUNS.add(1, run.trigger, outcome)
    if run.started_at and run.ended_at:
        metrics.MEDITATION_DURATION.observe((run.ended_at - run.started_at).total_seconds(), run.trigger)


def _actor() -> Actor:
    return Actor.job("meditation")


def _subject(run: MeditationRun) -> Subject:
    return Subject("meditation", str(run.pk))
