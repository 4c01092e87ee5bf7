"""The service's worker, to which the data of one user does something bad: `KIMBERLY_POISON=<kind>:<user id>`."""

import importlib
import os
import resource
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery.signals import worker_init
from django.db import connection

from kimberly.celery import app

KIND, _, USER = os.environ["KIMBERLY_POISON"].partition(":")
SLEEPS_AT_MOST_SECONDS = 3
WEB_REQUESTS_SECONDS = 1
TWO_GIGABYTES = 2 << 30

if KIND == "sleeps":  # nobody waits for a quarter of an hour here
    app.conf.task_annotations = {"memory.meditate_shard": {"time_limit": SLEEPS_AT_MOST_SECONDS}}


def _raises() -> None:
    raise ArithmeticError("a figure that nobody expected")


def _exits() -> None:
    os._exit(1)


def _takes_memory() -> None:
    """As on a machine that has not so much."""
    resource.setrlimit(resource.RLIMIT_AS, (TWO_GIGABYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    bytearray(TWO_GIGABYTES)


def _sleeps() -> None:
    """In the database: the statement outlives the worker, unless PostgreSQL asks whether it is there still."""
    _in_database(3_600)


def _is_slow() -> None:
    """A user of very many items: longer than any web request's statement may take."""
    _in_database(WEB_REQUESTS_SECONDS + 1)


def _in_database(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


DOES: dict[str, Callable[[], None]] = {
    "raises": _raises, "exits": _exits, "memory": _takes_memory, "sleeps": _sleeps, "slow": _is_slow,
}  # fmt: skip


@worker_init.connect
def poison(**_kwargs: Any) -> None:
    """Once the service is loaded, before the worker's processes are made."""
    meditation: Any = importlib.import_module("memory.services.meditation")
    well = meditation.meditate

    def meditate(user_ids: Any, **options: Any) -> Any:
        if UUID(USER) in user_ids:
            DOES[KIND]()
        return well(user_ids, **options)

    meditation.meditate = meditate
