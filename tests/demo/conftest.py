from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.demo import generator, loading
from ops.services import invariants
from tests.demo.furnished import Furnished
from tests.meditation.alone import nobody_else


@pytest.fixture(scope="module")
def furnished(django_db_setup: None, django_db_blocker) -> Iterator[Furnished]:
    """The demo, made once for the tests that only look at it, beside whatever other tests have committed."""
    now = clock.utc_now()
    with django_db_blocker.unblock(), transaction.atomic():
        before = invariants.check(now=now + timedelta(minutes=3))
        plan = generator.plan(seed="tests", now=now)
        vectors = loading.vectors_of(plan)
        with nobody_else():
            loaded = loading.carry_out(plan, vectors, actor=Actor.command("tests"), now=now)
        yield Furnished(plan, loaded, now, before)
        transaction.set_rollback(True)
