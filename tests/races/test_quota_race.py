"""F1: two hundred writers on one user at the limit, over HTTP, two web processes, keys bound to the user."""

from functools import partial

import httpx
import pytest

from kimberly.lib import clock
from memory.models import Refusal
from memory.rules.tiers import Tier
from memory.services import reconcile
from ops.services import invariants
from tests.counts import rounds
from tests.personas import Person, content_of
from tests.races.together import at_once

pytestmark = [pytest.mark.slow, pytest.mark.promise("F1")]

WRITERS = 200
SIZE_BYTES = 611
FITTING = 70
FACTS = {"tier", "used_bytes", "limit_bytes", "needed_bytes", "limit_source", "next_meditation_at", "remedies"}


@pytest.mark.parametrize("round_number", range(rounds(3, 20)))
def test_two_hundred_writers_at_the_limit_get_not_a_byte_too_much(web, round_number):
    now = clock.utc_now()
    alice = Person.register("alice", at=now)
    alice.fill(Tier.SHORT_TERM, leaving_bytes=FITTING * SIZE_BYTES + SIZE_BYTES - 1, at=now)
    key = alice.gets_key()
    body = {"type": "short-term", "content": content_of(SIZE_BYTES)}

    clients = [web.client(key) for _ in range(WRITERS)]
    answers = at_once([partial(client.post, "/api/v1/memory", json=body) for client in clients])
    for client in clients:
        client.close()

    stored = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 413]
    usage = alice.usage(Tier.SHORT_TERM, at=clock.utc_now())
    assert (len(stored), len(refused)) == (FITTING, WRITERS - FITTING)
    assert usage.active_bytes == usage.limit_bytes - (SIZE_BYTES - 1)
    assert reconcile.drifts([alice.id]) == []
    assert all(says_everything(answer) for answer in refused)
    assert {row.request_id for row in Refusal.objects.filter(user_id=alice.id)} == {
        answer.json()["request_id"] for answer in refused
    }
    assert not [found for found in invariants.check(now=clock.utc_now()) if str(alice.id) in found.text]


def says_everything(answer: httpx.Response) -> bool:
    """The refusal has all facts, and they agree with one another."""
    problem = answer.json()
    fits = problem["used_bytes"] + problem["needed_bytes"] <= problem["limit_bytes"]
    return problem.keys() >= FACTS and problem["needed_bytes"] == SIZE_BYTES and not fits
