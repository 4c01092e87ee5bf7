"""The memory core's jobs as tasks; the work is in the services."""

from typing import Any

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from kimberly.audit.trail import Why
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.web import redisclient
from kimberly.web.redisclient import RedisAway
from memory.queries import nightly
from memory.rules.meditation import Trigger
from memory.services import embeddings, meditationruns, meditationundos, plancohorts, samples
from memory.services.meditationbrakes import AlreadyMeditating

logger = structlog.get_logger(__name__)

SHARD_SECONDS, LANE_SECONDS = 900, 60
LATE_SECONDS = 45  # A run ends before the next one is sent.


@shared_task(name="memory.embed_late", acks_late=True, time_limit=120, expires=60)
def embed_late(**_kwargs: object) -> int:
    """Embed what has no vector of the current model yet; how many that were."""
    return embeddings.embed_late(seconds=LATE_SECONDS)


@shared_task(name="memory.sample_usage", acks_late=True, time_limit=600, expires=1800)
def sample_usage(**_kwargs: object) -> int | None:
    """Sample the counters that have changed; how many, None when another has sampled this hour."""
    return samples.take(now=clock.utc_now())


@shared_task(name="memory.meditate_nightly", acks_late=True, time_limit=600, expires=6 * 3600)
def meditate_nightly(**_kwargs: object) -> str | None:
    """Begin the night's run of all customers; its id, None when no schedule wants one or the run before is not
    finished.
    """
    if not nightly.is_scheduled():  # whoever switches it off is not surprised by what was on its way
        logger.info("meditation_not_scheduled")
        return None
    actor, now = Actor.job("memory.meditate_nightly"), clock.utc_now()
    due_at = nightly.due_at(now=now)
    try:
        run = meditationruns.begin(Trigger.NIGHTLY, due_at=due_at, actor=actor, why=Why(), now=now)
    except AlreadyMeditating as refusal:
        # With the same due time another beat has sent it too, or a clock went back: it is not skipped but done.
        if due_at is None or refusal.existing.due_at != due_at:
            meditationruns.skip(Trigger.NIGHTLY, refusal.existing)
        return None
    send_lanes()
    return run.public_id


@shared_task(name="memory.meditate_shard", acks_late=True, time_limit=SHARD_SECONDS)
def meditate_shard(**_kwargs: object) -> str | None:
    """Do the next shard that waits, and send for the one after it; how it stands then, None when none waited."""
    shard = meditationruns.take(now=clock.utc_now())
    if shard is None:
        return None
    try:
        meditationruns.do(shard, tell_time=clock.utc_now)
    except Exception as error:  # whatever one user's data does, everybody else is done
        logger.exception("meditation_shard_failed", run=shard.run.public_id, shard=shard.number, tries=shard.tries)
        meditationruns.fail(shard, type(error).__name__, now=clock.utc_now())
    # Whoever came while the canary was done found nothing to take, and was gone.
    if shard.is_canary:
        send_lanes()
    elif meditationruns.idle_lanes():
        meditate_shard.apply_async()
    return str(shard)


@shared_task(name="memory.watch_meditations", acks_late=True, time_limit=60, expires=60)
def watch_meditations(**_kwargs: object) -> int:
    """Take up what a killed worker or a lost message left; how many workers were asked to go on.

    Undos and the plans of cohorts are looked after as well: they are left in the same ways, and wait as long.
    In a new installation the first night is begun at once, not only the next time it is due.
    """
    now = clock.utc_now()
    if not meditationruns.has_had_a_night() and nightly.due_at(now=now) is not None:
        meditate_nightly()
    meditationruns.watch(now=now)
    return send_lanes() + send_for_undo() + send_for_cohort()


@shared_task(name="memory.undo_meditation", acks_late=True, time_limit=SHARD_SECONDS)
def undo_meditation(**_kwargs: object) -> str | None:
    """Go on for a while with an undo on which nobody works; its id, None when there is none."""
    undo = meditationundos.take(now=clock.utc_now())
    if undo is None:
        return None
    if not meditationundos.go_on(undo, tell_time=clock.utc_now, seconds=LATE_SECONDS):
        send_for_undo()
    return undo.public_id


@shared_task(name="memory.go_on_with_cohort", acks_late=True, time_limit=SHARD_SECONDS)
def go_on_with_cohort(**_kwargs: object) -> str | None:
    """Go on for a while with a cohort on whose plans nobody works; its id, None when there is none."""
    cohort = plancohorts.take(now=clock.utc_now())
    if cohort is None:
        return None
    if not plancohorts.go_on(cohort, tell_time=clock.utc_now, seconds=LATE_SECONDS):
        send_for_cohort()
    return cohort.public_id


def send_lanes() -> int:
    """Ask as many workers as there is work for; one that comes too late finds none, and that is all."""
    return _send(meditate_shard, meditationruns.idle_lanes())


def send_for_undo() -> int:
    """Ask a worker to go on with an undo on which nobody works."""
    return _send(undo_meditation, int(meditationundos.waiting(now=clock.utc_now())))


def send_for_cohort() -> int:
    """Ask a worker to go on with a cohort on whose plans nobody works."""
    return _send(go_on_with_cohort, int(plancohorts.waiting(now=clock.utc_now())))


def _send(task: Any, times: int) -> int:
    """While Redis is away nobody is asked: the watch asks again within a minute."""
    try:
        # The broker's own client waits for seconds for a server that is away, and without an end for one that hangs.
        redisclient.ask(lambda client: client.ping())
        for _ in range(times):
            task.apply_async(expires=LANE_SECONDS, retry=False)
    except (RedisAway, OperationalError) as error:
        logger.warning("workers_not_asked", task=task.name, times=times, error=type(error).__name__)
        return 0
    return times
