"""The memory core's jobs as tasks; the work is in the services."""

from celery import shared_task

from memory.services import embeddings

LATE_SECONDS = 45  # A run ends before the next one is sent.


@shared_task(name="memory.embed_late", acks_late=True, time_limit=120, expires=60)
def embed_late(**_kwargs: object) -> int:
    """Embed what has no vector of the current model yet; how many that were."""
    return embeddings.embed_late(seconds=LATE_SECONDS)
