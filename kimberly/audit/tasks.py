"""The minute's seal as a task."""

from celery import shared_task
from django.conf import settings

from kimberly.audit import sealing
from kimberly.lib import clock


@shared_task(name="audit.seal", acks_late=True, time_limit=120, soft_time_limit=100, expires=120)
def seal(**_kwargs: object) -> int:
    """Seal the pending entries; how many seals that took, 0 when there was nothing to seal."""
    made = 0
    while newest := sealing.seal(now=clock.utc_now()):
        sealing.remember(newest, folder=settings.KIMBERLY.data_dir)
        made += 1
    return made
