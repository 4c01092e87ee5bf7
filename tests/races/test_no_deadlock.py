"""Every kind of write on one user at once: nobody waits for each other in a circle."""

import random
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from memory.rules.tiers import Tier
from memory.services import reconcile
from tests.api.callers import PLANS
from tests.counts import rounds
from tests.personas import Person
from tests.races.together import at_once
from tests.web import WebServer

pytestmark = [pytest.mark.slow, pytest.mark.promise("F1")]

CALLS = 40
BODY = {"content": "Plays chess on Sundays.", "metadata": {"tags": ["games"]}}
TIERS = ("short-term", "long-term", "permanent")


class Busy:
    """One caller that writes, changes, deletes, restores and purges what all of them share, and prunes it."""

    def __init__(self, web: WebServer, key: str, shared: list[str], plans: list[str], seed: int) -> None:
        self.client = web.client(key)
        self.shared = shared
        self.chance = random.Random(seed)
        self.plans = plans

    def works(self) -> set[int]:
        with self.client:
            return {self.does_something() for _ in range(CALLS)}

    def does_something(self) -> int:
        one = f"/api/v1/memory/{self.chance.choice(self.shared)}"
        tiers = [{"type": tier, **BODY} for tier in self.chance.sample(TIERS, 3)]
        plan = f"{PLANS}/{self.chance.choice(self.plans[-3:])}"
        calls: list[Callable[[], httpx.Response]] = [
            self.plans_half,
            partial(self.client.post, f"{plan}/apply"),
            partial(self.client.post, f"{plan}/undo"),
            partial(self.client.post, "/api/v1/memory", json=tiers[0]),
            partial(self.client.post, "/api/v1/memory/bulk", json={"items": tiers}),
            partial(self.client.post, "/api/v1/memory/bulk", json={"items": tiers, "atomic": False}),
            partial(self.client.patch, one, json={"content": "x" * self.chance.randrange(1, 90)}, headers=ANY),
            partial(self.client.delete, one),
            partial(self.client.post, f"{one}/restore"),
            partial(self.client.delete, one, params={"purge": "true"}),
        ]
        return self.chance.choice(calls)().status_code

    def plans_half(self) -> httpx.Response:
        response = self.client.post(PLANS, json={"target_share": 0.5, "reason": "All of us at once."})
        self.plans += [response.json()["id"]]
        return response


ANY = {"If-Match": "*"}


@pytest.mark.parametrize("seed", range(rounds(2, 20)))
def test_all_kinds_of_writes_at_once_are_answered_and_add_up(web, seed):
    alice = Person.register("alice")
    tiers = [Tier(tier) for tier in TIERS]
    shared = [str(alice.writes("Likes tea.", tier=tiers[place % 3]).id) for place in range(30)]
    key = alice.gets_key()

    plans = ["plan_none"]
    callers = [Busy(web, key, shared, plans, seed=seed * 100 + number) for number in range(12)]
    statuses = set().union(*at_once([caller.works for caller in callers]))

    assert statuses <= {200, 201, 404, 409}
    assert reconcile.drifts([alice.id]) == []
