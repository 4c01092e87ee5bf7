"""What one person keeps never appears in any answer to another, however many are served at once."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.api.callers import MEMORY, PLANS, USERS, Caller
from tests.counts import rounds
from tests.personas import content_of
from tests.races.together import at_once
from tests.web import WebServer

pytestmark = pytest.mark.promise("R2")

PEOPLE = rounds(20, 200)
AT_ONCE = 20


@dataclass(frozen=True)
class Keeper:
    """A person with words of their own in every place that a client can write to."""

    caller: Caller
    canary: str
    items: list[str]
    plan: str
    idempotency_key: str

    @classmethod
    def begin(cls, web: WebServer) -> "Keeper":
        canary = f"canary{secrets.token_hex(8)}"
        caller = Caller.of(web, canary, display_name=f"Name {canary}", email=f"{canary}@example.org")
        key = secrets.token_hex(8)
        kept = [
            caller.keeps(f"Says {canary}.", metadata={"tags": [canary], canary: {"deep": [canary]}}),
            caller.posts(f"Repeats {canary}.", headers={"Idempotency-Key": key}).json(),
            caller.keeps(f"Archived {canary}.", type="permanent"),
            caller.keeps(f"Purged {canary}.", type="short-term"),
        ]
        plan = caller.plans(reason=f"For {canary}.", target_share=1.0).json()["id"]
        caller.http.post(f"{USERS}/{caller.user_id}/goals", json={"text": f"Reach {canary}."})
        caller.deletes(kept[2]["id"])
        caller.deletes(kept[3]["id"], purge="true")
        return cls(caller, canary, [item["id"] for item in kept], plan, key)

    def asks_for_everything(self, other: "Keeper") -> list[httpx.Response]:
        """Every sort of call, good and bad, many of them with the other one's ids."""
        http, theirs = self.caller.http, other.items[0]
        calls: list[Callable[[], httpx.Response]] = [
            lambda: http.get(MEMORY),
            lambda: http.get(MEMORY, params={"q": "canary", "per_page": 100}),
            lambda: http.get(MEMORY, params={"state": "archived", "sort": "-size_bytes"}),
            lambda: http.get(MEMORY, params={"q": "Says", "since": "0001-01-01T00:00:00Z"}),
            lambda: http.get(f"{MEMORY}/metrics"),
            lambda: http.post(f"{MEMORY}/query", json={"query": f"says {other.canary}", "top_k": 100}),
            lambda: http.post(f"{MEMORY}/query", json={"query": "canary", "include_archived": True}),
            lambda: http.post(f"{MEMORY}/query", json={"query": "x", "user_id": other.caller.user_id}),
            lambda: http.post(f"{MEMORY}/{theirs}/feedback", json={"helpful": True}),
            lambda: http.get(f"{USERS}/{self.caller.user_id}/goals"),
            lambda: http.get(f"{USERS}/{self.caller.user_id}"),
            *(lambda item=item: http.get(f"{MEMORY}/{item}") for item in (*self.items, *other.items)),
            lambda: http.patch(f"{MEMORY}/{theirs}", json={"content": "x"}, headers={"If-Match": "*"}),
            lambda: http.delete(f"{MEMORY}/{theirs}"),
            lambda: http.post(f"{MEMORY}/{other.items[2]}/restore"),
            *(lambda plan=plan: http.get(f"{PLANS}/{plan}") for plan in (self.plan, other.plan)),
            *(lambda plan=plan: http.get(f"{PLANS}/{plan}/items") for plan in (self.plan, other.plan)),
            lambda: http.post(f"{PLANS}/{other.plan}/apply"),
            lambda: http.post(f"{PLANS}/{other.plan}/undo"),
            lambda: self.caller.posts("x", headers={"Idempotency-Key": other.idempotency_key}),
            lambda: self.caller.posts("", metadata={"x": 1}),
            lambda: self.caller.posts_many({"type": "long-term", "content": content_of(190_000)}, {}, atomic=False),
            lambda: self.caller.posts(content_of(190_000), type="short-term", created_at="never"),
            lambda: http.get("/api/v1/nothing"),
            lambda: http.get("/api/v1/openapi.json"),
        ]
        return [call() for call in calls]


@pytest.fixture
def begin(web: WebServer) -> Iterator[Callable[[], Keeper]]:
    """Makes people who keep things; their connections are closed at the end."""
    with ExitStack() as stack:

        def begin() -> Keeper:
            keeper = Keeper.begin(web)
            stack.callback(keeper.caller.http.close)
            return keeper

        yield begin


def heard(response: httpx.Response) -> str:
    """Everything in an answer that a caller can read."""
    return "\n".join([*(f"{name}: {value}" for name, value in response.headers.items()), response.text])


def test_nobody_hears_what_another_keeps(begin: Callable[[], Keeper]):
    people = [begin() for _ in range(PEOPLE)]
    neighbours = list(zip(people, [*people[1:], people[0]], strict=True))

    answers: list[list[httpx.Response]] = []
    for first in range(0, PEOPLE, AT_ONCE):
        some = neighbours[first : first + AT_ONCE]
        answers += at_once([partial(one.asks_for_everything, other) for one, other in some])

    everything = ["\n".join(map(heard, responses)) for responses in answers]
    assert [person.canary for person, said in zip(people, everything, strict=True) if person.canary not in said] == []
    leaks = [
        (person.canary, response.request.method, str(response.url))
        for person, responses in zip(people, answers, strict=True)
        for response in responses
        if "canary" in heard(response).replace(person.canary, "")
    ]
    assert leaks == []


def test_a_key_that_is_bound_to_nobody_hears_one_person_at_a_time(begin: Callable[[], Keeper], service: httpx.Client):
    one, other = begin(), begin()

    said_of_one = heard(service.get(MEMORY, params={"user_id": one.caller.user_id}))
    said_of_other = heard(service.get(MEMORY, params={"user_id": other.caller.user_id}))

    assert (one.canary in said_of_one, other.canary in said_of_one) == (True, False)
    assert (one.canary in said_of_other, other.canary in said_of_other) == (False, True)


def test_the_figures_for_operators_hold_nothing_of_anybody(web: WebServer, begin: Callable[[], Keeper]):
    person = begin()
    token = {"Authorization": f"Bearer {settings.KIMBERLY.metrics_token}"}

    with web.client() as scraper:
        answers: list[Any] = [scraper.get(path, headers=token) for path in ("/metrics", "/readyz", "/healthz")]

    assert [response.status_code for response in answers] == [200, 200, 200]
    assert not [response.url for response in answers if person.canary in heard(response)]


def test_no_api_key_opens_the_figures_for_operators(web: WebServer, alice: Caller):
    assert alice.http.get("/metrics").status_code == 403
