"""The API's operations as its OpenAPI lists them, and a valid call of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from kimberly.api import PREFIX, api
from kimberly.lib import clock
from kimberly.web import bodies
from memory.models import MeditationRun, MeditationShard
from memory.rules.meditation import RunState, ShardState
from tests.api.callers import MEMORY, OPERATIONS, PLANS, USERS, Caller
from tests.corpus import Template


@dataclass(frozen=True)
class Operation:
    """One operation of the OpenAPI document."""

    id: str
    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def body_schema(self) -> Mapping[str, Any]:
        """The schema of its JSON body, with references resolved at the top; without properties when it has none."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        for choice in (schema, *schema.get("anyOf", ())):
            if "$ref" in choice:
                named: Mapping[str, Any] = document()["components"]["schemas"][choice["$ref"].rpartition("/")[2]]
                return named
        return {"properties": {}, **schema}


@cache
def document() -> Any:
    """The OpenAPI document as clients read it; made once, it takes a third of a second."""
    return api.get_openapi_schema(path_prefix=PREFIX)


def operations() -> dict[str, Operation]:
    """Every operation by its id."""
    return {
        described["operationId"]: Operation(described["operationId"], method.upper(), path, described)
        for path, methods in document()["paths"].items()
        for method, described in methods.items()
    }


def writing() -> dict[str, Operation]:
    """The operations that may have a body."""
    return {name: one for name, one in operations().items() if one.method in ("POST", "PUT", "PATCH")}


@dataclass(frozen=True)
class Call:
    """A valid call: `send` may be given another body, other headers or another client in place of the right ones."""

    method: str
    path: str
    template: Template | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body_limit_bytes: int = bodies.BODY_LIMIT_BYTES

    def send(
        self, client: httpx.Client, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        if content is None and self.template is not None:
            content, headers = self.template.text.encode(), {"Content-Type": "application/json", **(headers or {})}
        merged = {**self.headers, **(headers or {})}
        return client.request(self.method, self.path, content=content, headers=merged, params=self.query)


def valid_call(operation_id: str, caller: Caller) -> Call:
    """A call of this operation on the caller's own things that would succeed. A new operation needs an entry here."""
    return VALID[operation_id](caller)


def _an_item(caller: Caller) -> dict[str, Any]:
    return caller.keeps("Something of one's own.", metadata={"tags": ["own"]})


def _archived_item(caller: Caller) -> dict[str, Any]:
    item = _an_item(caller)
    caller.deletes(item["id"])
    return item


def _write_item(caller: Caller) -> Call:
    body = {"user_id": caller.user_id, "type": "long-term", "content": "Likes figs.", "metadata": {"tags": ["food"]}}
    return Call("POST", MEMORY, Template(body, open_at="/metadata"))


def _write_items(caller: Caller) -> Call:
    item = {"type": "long-term", "content": "Likes figs.", "metadata": {"tags": ["food"]}}
    template = Template({"user_id": caller.user_id, "items": [item]}, open_at="/items/0/metadata")
    return Call("POST", f"{MEMORY}/bulk", template, body_limit_bytes=bodies.BULK_BODY_LIMIT_BYTES)


def _change_item(caller: Caller) -> Call:
    item = _an_item(caller)
    template = Template({"content": "Changed.", "metadata": {"tags": ["new"]}}, open_at="/metadata")
    return Call("PATCH", f"{MEMORY}/{item['id']}", template, headers={"If-Match": item["etag"]})


def _query(caller: Caller) -> Call:
    body = {"user_id": caller.user_id, "query": "figs", "tags": ["food"], "metadata": {"source": "chat"}}
    return Call("POST", f"{MEMORY}/query", Template(body, open_at="/metadata"))


def _give_feedback(caller: Caller) -> Call:
    return Call("POST", f"{MEMORY}/{_an_item(caller)['id']}/feedback", Template({"helpful": True}))


def _set_goal(caller: Caller) -> Call:
    return Call("POST", f"{USERS}/{caller.user_id}/goals", Template({"text": "Learn Italian."}))


def _remove_goal(caller: Caller) -> Call:
    made = _set_goal(caller).send(caller.http)
    return Call("DELETE", f"{USERS}/{caller.user_id}/goals/{made.json()['id']}")


def _begin_meditation(caller: Caller) -> Call:
    _a_run_ended(caller)
    return Call("POST", f"{MEMORY}/meditate", Template({"user_id": caller.user_id}))


def _read_operation(caller: Caller) -> Call:
    made = caller.http.post(f"{MEMORY}/meditate", json={"user_id": caller.user_id}).json()
    return Call("GET", f"{OPERATIONS}/{made.get('id') or made['existing_id']}")


def _a_run_ended(caller: Caller) -> None:
    """Nobody does the shards of the tests over HTTP: what the call before has begun would be in the way of the next."""
    now = clock.utc_now()
    runs = MeditationRun.objects.filter(user_id=caller.person.id, ended_at=None)
    MeditationShard.objects.filter(run__in=runs).update(state=ShardState.SUCCEEDED, ended_at=now)
    runs.update(state=RunState.ABORTED, ended_at=now)


def _put_user(caller: Caller) -> Call:
    return Call("PUT", f"{USERS}/{caller.user_id}", Template({"display_name": "Someone"}))


def _make_plan(caller: Caller) -> Call:
    _an_item(caller)
    body = {"user_id": caller.user_id, "target_bytes": 10, "reason": "Room before the trip."}
    return Call("POST", PLANS, Template(body))


def _a_plan(caller: Caller) -> str:
    return f"{PLANS}/{_make_plan(caller).send(caller.http).json()['id']}"


def _undo_plan(caller: Caller) -> Call:
    plan = _a_plan(caller)
    caller.http.post(f"{plan}/apply")
    return Call("POST", f"{plan}/undo", Template({}))


VALID: dict[str, Callable[[Caller], Call]] = {
    "write_item": _write_item,
    "write_items": _write_items,
    "list_items": lambda caller: Call("GET", MEMORY, query={"user_id": caller.user_id}),
    "read_item": lambda caller: Call("GET", f"{MEMORY}/{_an_item(caller)['id']}"),
    "change_item": _change_item,
    "delete_item": lambda caller: Call("DELETE", f"{MEMORY}/{_an_item(caller)['id']}"),
    "restore_item": lambda caller: Call("POST", f"{MEMORY}/{_archived_item(caller)['id']}/restore", Template({})),
    "explain_item": lambda caller: Call("GET", f"{MEMORY}/{_an_item(caller)['id']}/why"),
    "begin_meditation": _begin_meditation,
    "read_operation": _read_operation,
    "read_metrics": lambda caller: Call("GET", f"{MEMORY}/metrics", query={"user_id": caller.user_id}),
    "read_user": lambda caller: Call("GET", f"{USERS}/{caller.user_id}"),
    "put_user": _put_user,
    "query_memory": _query,
    "give_feedback": _give_feedback,
    "list_goals": lambda caller: Call("GET", f"{USERS}/{caller.user_id}/goals"),
    "set_goal": _set_goal,
    "remove_goal": _remove_goal,
    "make_plan": _make_plan,
    "read_plan": lambda caller: Call("GET", _a_plan(caller)),
    "list_plan_items": lambda caller: Call("GET", f"{_a_plan(caller)}/items"),
    "apply_plan": lambda caller: Call("POST", f"{_a_plan(caller)}/apply", Template({})),
    "undo_plan": _undo_plan,
    "remove_goals": lambda caller: Call("DELETE", f"{USERS}/{caller.user_id}/goals"),
}
