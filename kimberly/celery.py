"""The worker's and beat's application."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_success
from kombu.entity import Queue

from kimberly.lib import clock
from ops.services import pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kimberly.settings")

QUEUES = ("default", "meditation", "maintenance", "notifications")
LONGEST_TASK_SECONDS = 3600

app = Celery("kimberly")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="default",
    # Here, not at the tasks: Celery 6 will not read a task's own queue.
    task_routes={
        "audit.*": {"queue": "default"},
        "memory.meditate_shard": {"queue": "meditation"},
        "memory.undo_meditation": {"queue": "meditation"},
        "memory.go_on_with_cohort": {"queue": "meditation"},
        "memory.*": {"queue": "maintenance"},
        "ops.*": {"queue": "maintenance"},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # A task is delivered again when it was not acknowledged in this time: longer than the longest task may run.
    broker_transport_options={"visibility_timeout": LONGEST_TASK_SECONDS * 2},
    task_time_limit=LONGEST_TASK_SECONDS,
    timezone="UTC",
    enable_utc=True,
)
app.autodiscover_tasks(["kimberly.audit", "memory", "ops"])


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Celery would replace the handlers; the settings have set them up already."""


@task_success.connect
def note_that_it_is_done(sender: Any, **_kwargs: Any) -> None:
    """By these notes the overview shows that beat sends and workers take."""
    pulse.note(sender.name, now=clock.utc_now())
