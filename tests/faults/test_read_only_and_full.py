"""A database that can only be read, or has no room: reads go on, writes get the 503 that says which, /readyz too."""

import time
from contextlib import contextmanager

import pytest

from kimberly.local.databases import OWNER
from tests.counts import rounds
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F9")]

NO_ROOM = """
CREATE FUNCTION there_is_no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON memory_item FOR EACH ROW EXECUTE FUNCTION there_is_no_room()
"""


@contextmanager
def read_only_by_setting(stack):
    stack.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    stack.sql("SELECT pg_reload_conf()")
    yield
    stack.sql("ALTER SYSTEM RESET default_transaction_read_only")
    stack.sql("SELECT pg_reload_conf()")


@contextmanager
def read_only_as_a_standby(stack):
    """The same data as a server in recovery, which is how the app meets a primary that has become a standby."""
    (stack.postgres.cluster.folder / "standby.signal").touch()
    stack.postgres.restart()
    yield
    stack.sql("SELECT pg_promote()")


@contextmanager
def full(stack):
    stack.sql(NO_ROOM, role=OWNER)
    yield
    stack.sql("DROP TRIGGER no_room ON memory_item; DROP FUNCTION there_is_no_room", role=OWNER)


FAULTS = {"read-only": read_only_by_setting, "full": full, "read-only standby": read_only_as_a_standby}
A_NOTE = {"type": "permanent", "content": "a note"}
SLUGS = {"read-only": "database-read-only", "full": "database-full", "read-only standby": "database-read-only"}


def says(stack, state):
    """Whether both processes say so; which of them a connection meets is left to chance."""
    answers = [stack.readiness() for _ in range(8)]
    return all(status == 200 and said["database"]["state"] == state for status, said in answers)


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("nth", range(rounds(1, 2)))
def test_reads_go_on_and_writes_say_why_they_cannot(stack, fault, nth):
    load = stack.load()
    with load:
        with FAULTS[fault](stack):
            until(lambda: says(stack, fault.partition(" ")[0]), what=f"/readyz to say that it is {fault}")
            since = time.monotonic()
            load.answers_more(60)
            during = [answer for answer in load.answers if answer.began_at > since]
        until(lambda: load.answers[-1].status == 201, what="writes to go on")
        afterwards = load.answers_more(40)

    assert {answer.status for answer in during if answer.kind == "read"} == {200}
    assert {(answer.status, answer.slug) for answer in during if answer.kind == "write"} == {(503, SLUGS[fault])}
    assert {answer.status for answer in afterwards} == {200, 201}
    stack.assert_nothing_lost(load)


@pytest.fixture
def item(stack):
    with stack.client() as client:
        made = client.post("/api/v1/memory", json={"user_id": stack.new_user("alice"), **A_NOTE})
    assert made.status_code == 201, made.text
    return made.json()


def every_read(item):
    user = {"user_id": item["user_id"]}
    yield "GET", "/api/v1/memory", {"params": user}
    yield "GET", f"/api/v1/memory/{item['id']}", {}
    yield "GET", f"/api/v1/users/{item['user_id']}", {}
    yield "GET", "/api/v1/memory/metrics", {"params": user}


def every_write(item):
    user = {"user_id": item["user_id"]}
    yield "POST", "/api/v1/memory", {"json": {**user, **A_NOTE}}
    yield "POST", "/api/v1/memory", {"json": {**user, **A_NOTE}, "headers": {"Idempotency-Key": "once"}}
    yield "POST", "/api/v1/memory/bulk", {"json": {**user, "items": [A_NOTE]}}
    yield "POST", "/api/v1/memory/bulk", {"json": {**user, "items": [A_NOTE], "atomic": False}}
    yield "PATCH", f"/api/v1/memory/{item['id']}", {"json": {"content": "new"}, "headers": {"If-Match": item["etag"]}}
    yield "DELETE", f"/api/v1/memory/{item['id']}", {}
    yield "DELETE", f"/api/v1/memory/{item['id']}", {"params": {"purge": "true"}}
    yield "PUT", "/api/v1/users/somebody-new", {"json": {}}


@pytest.mark.parametrize("fault", ["read-only", "full"])
def test_every_endpoint_answers_as_designed(stack, item, fault):
    stack.sql("UPDATE api_key SET last_used_at = NULL")
    writes = list(every_write(item))[: -1 if fault == "full" else None]  # only items have no room in this fault
    with FAULTS[fault](stack), stack.client() as client:
        until(lambda: client.post("/api/v1/memory", json=writes[0][2]["json"]).status_code == 503, what="the fault")
        read = [client.request(method, path, **options) for method, path, options in every_read(item)]
        written = [client.request(method, path, **options) for method, path, options in writes]

    assert {answer.status_code for answer in read} == {200}
    assert {answer.status_code for answer in written} == {503}
    assert {answer.json()["type"].rpartition("/")[2] for answer in written} == {SLUGS[fault]}
    assert all(int(answer.headers["Retry-After"]) >= 30 for answer in written)
