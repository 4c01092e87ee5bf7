"""The memory core's jobs as tasks; the work is in the services."""

from celery import shared_task

from kimberly.lib import clock
from memory.services import embeddings, samples

LATE_SECONDS = 45  # A run ends before the next one is sent.


@shared_task(name="memory.embed_late", acks_late=True, time_limit=120, expires=60)
def embed_late(**_kwargs: object) -> int:
    """Embed what has no vector of the current model yet; how many that were."""
    return embeddings.embed_late(seconds=LATE_SECONDS)


@shared_task(name="memory.sample_usage", acks_late=True, time_limit=600, expires=1800)
def sample_usage(**_kwargs: object) -> int | None:
    """Sample the counters that have changed; how many, None when another has sampled this hour."""
    return samples.take(now=clock.utc_now())
