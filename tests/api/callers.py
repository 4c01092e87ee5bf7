"""Programs that call the API for the people of the tests."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from kimberly.clients.models import Scope
from kimberly.lib import clock
from tests.personas import Person, issue_key
from tests.web import WebServer

MEMORY = "/api/v1/memory"
USERS = "/api/v1/users"
OPERATIONS = "/api/v1/operations"
PLANS = "/api/v1/prune-plans"


@dataclass(frozen=True)
class Caller:
    """A person's program: an HTTP client, and whose memories it asks about."""

    http: httpx.Client
    person: Person
    key: str

    @classmethod
    def of(cls, web: WebServer, name: str, *scopes: Scope, **profile: Any) -> "Caller":
        """Someone new, with a key that is bound to them."""
        person = Person.register(name, at=clock.utc_now(), **profile)
        return cls.for_person(web, person, person.gets_key(*scopes))

    @classmethod
    def for_person(cls, web: WebServer, person: Person, key: str) -> "Caller":
        return cls(web.client(key), person, key)

    @property
    def user_id(self) -> str:
        return self.person.external_id

    def posts(
        self, content: str = "Prefers tea.", *, headers: dict[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """POST /memory, whatever comes back."""
        body = {"type": "long-term", "content": content, **fields}
        return self.http.post(MEMORY, json=body, headers=headers)

    def keeps(self, content: str = "Prefers tea.", **fields: Any) -> dict[str, Any]:
        """The item that was stored."""
        response = self.posts(content, **fields)
        assert response.status_code == 201, response.text
        stored: dict[str, Any] = response.json()
        return stored

    def posts_many(self, *items: Any, **fields: Any) -> httpx.Response:
        """POST /memory/bulk, whatever comes back."""
        return self.http.post(f"{MEMORY}/bulk", json={"items": items, **fields})

    def lists(self, **query: Any) -> dict[str, Any]:
        """GET /memory."""
        response = self.http.get(MEMORY, params=query)
        assert response.status_code == 200, response.text
        page: dict[str, Any] = response.json()
        return page

    def reads(self, item_id: str) -> httpx.Response:
        return self.http.get(f"{MEMORY}/{item_id}")

    def patches(self, item_id: str, *, if_match: str | None = None, **fields: Any) -> httpx.Response:
        """PATCH with this If-Match."""
        headers = {"If-Match": if_match} if if_match is not None else {}
        return self.http.patch(f"{MEMORY}/{item_id}", json=fields, headers=headers)

    def deletes(self, item_id: str, **query: Any) -> httpx.Response:
        return self.http.delete(f"{MEMORY}/{item_id}", params=query)

    def restores(self, item_id: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.http.post(f"{MEMORY}/{item_id}/restore", headers=headers)

    def plans(self, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """POST /prune-plans for half of what is there unless said otherwise, whatever comes back."""
        asked = {} if "target_bytes" in fields else {"target_share": 0.5}
        body = {"reason": "Room before the trip.", **asked, **fields}
        return self.http.post(PLANS, json=body, headers=headers)

    def usage(self, tier: str = "long-term") -> dict[str, Any]:
        """GET /memory/metrics for one tier."""
        response = self.http.get(f"{MEMORY}/metrics")
        assert response.status_code == 200, response.text
        rows: dict[str, dict[str, Any]] = {row["tier"]: row for row in response.json()["tiers"]}
        return rows[tier]


@contextmanager
def many_clients(web: WebServer, key: str, number: int) -> Iterator[list[httpx.Client]]:
    """So many programs with the same key, each with connections of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(web.client(key)) for _ in range(number)]


def service_client(web: WebServer, *scopes: Scope) -> httpx.Client:
    """A program whose key is bound to nobody."""
    return web.client(issue_key(*scopes))
