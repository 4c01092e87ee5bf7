"""Ops' jobs as tasks; the work is in the services."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings

from kimberly.clients import idempotency
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from memory.services import accesses, reconcile, refusals, samples
from ops.services import invariants
from ops.sessionstore import SessionStore

logger = structlog.get_logger(__name__)


@shared_task(name="ops.sweep_idempotency", acks_late=True, time_limit=600, expires=3600)
def sweep_idempotency(**_kwargs: object) -> int:
    return idempotency.sweep(now=clock.utc_now())


@shared_task(name="ops.sweep_refusals", acks_late=True, time_limit=1800, expires=3600)
def sweep_refusals(**_kwargs: object) -> int:
    keep = timedelta(days=settings.KIMBERLY.refusal_retention_days)
    return refusals.sweep(keep=keep, now=clock.utc_now())


@shared_task(name="ops.sweep_accesses", acks_late=True, time_limit=1800, expires=3600)
def sweep_accesses(**_kwargs: object) -> int:
    keep = timedelta(days=settings.KIMBERLY.access_retention_days)
    return accesses.sweep(keep=keep, now=clock.utc_now())


@shared_task(name="ops.sweep_usage_samples", acks_late=True, time_limit=1800, expires=3600)
def sweep_usage_samples(**_kwargs: object) -> int:
    keep = timedelta(days=settings.KIMBERLY.usage_sample_retention_days)
    return samples.sweep(keep=keep, now=clock.utc_now())


@shared_task(name="ops.sweep_sessions", acks_late=True, time_limit=600, expires=3600)
def sweep_sessions(**_kwargs: object) -> None:
    """Delete the sessions that have ended."""
    SessionStore.clear_expired()


@shared_task(name="ops.reconcile_usage", acks_late=True, time_limit=1800, expires=3600)
def reconcile_usage(**_kwargs: object) -> int:
    """Mend drifting counters; the number of findings."""
    return len(reconcile.run(actor=Actor.job("ops.reconcile_usage"), now=clock.utc_now()))


@shared_task(name="ops.check_invariants", acks_late=True, time_limit=1800, expires=3600)
def check_invariants(**_kwargs: object) -> int:
    """Check every invariant, keep the counts for the gauge; the number of violations."""
    violations = invariants.check_and_remember(now=clock.utc_now())
    for violation in violations:
        logger.error("invariant_violated", invariant=violation.invariant, text=violation.text)
    return len(violations)
