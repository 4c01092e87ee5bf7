"""Bodies that are too large or come too slowly do not stop anybody else."""

import json
import time
from collections.abc import Callable

import pytest

from tests.api.callers import MEMORY, Caller
from tests.api.sockets import Dribbler, answer_of, connect, request_head
from tests.counts import rounds

SOCKETS = rounds(20, 100)
TEN_MEGABYTES = 10_000_000


@pytest.mark.promise("R8")
@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
def test_a_body_of_10_megabytes_is_refused_at_once_and_not_read_to_the_end(alice: Caller, web, declared):
    framing = f"Content-Length: {TEN_MEGABYTES}" if declared else "Transfer-Encoding: chunked"
    head = request_head("POST", MEMORY, f"Authorization: Bearer {alice.key}", "Content-Type: application/json", framing)
    megabyte = b"x" * 1_100_000
    began = time.perf_counter()

    with connect(web) as connection:
        connection.sendall(head + (megabyte if declared else b"%x\r\n%s\r\n" % (len(megabyte), megabyte)))
        answer = answer_of(connection)
    took_seconds = time.perf_counter() - began

    assert b" 413 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"].endswith("/problems/body-too-large")
    assert took_seconds < 0.2


@pytest.mark.promise("R8")
def test_a_strangers_body_is_not_read_at_all(web):
    head = request_head("POST", MEMORY, "Content-Type: application/json", "Content-Length: 1000")

    with connect(web) as connection:
        connection.sendall(head)
        answer = answer_of(connection)

    assert b" 401 " in answer.splitlines()[0]


@pytest.mark.promise("R8")
def test_callers_are_served_while_others_send_their_bodies_a_byte_a_second(alice: Caller, bob: Caller, web):
    authorization = f"Authorization: Bearer {bob.key}"
    head = request_head("POST", MEMORY, authorization, "Content-Type: application/json", "Content-Length: 1000")

    with Dribbler(web, number=SOCKETS, begin=head + b"{", then=b" " * 999):
        took = [timed(call) for _ in range(10) for call in (alice.lists, alice.keeps)]

    assert max(took) < 1


@pytest.mark.promise("R8")
def test_callers_are_served_while_others_send_their_headers_a_byte_a_second(alice: Caller, web):
    head = request_head("POST", MEMORY, "Content-Type: application/json")

    with Dribbler(web, number=SOCKETS, begin=head[:10], then=head[10:]):
        took = [timed(call) for _ in range(10) for call in (alice.lists, alice.keeps)]

    assert max(took) < 1


@pytest.mark.promise("R8")
def test_a_slow_body_is_stored_when_it_is_whole(alice: Caller, web):
    body = b'{"type": "long-term", "content": "Slow."}'
    authorization = f"Authorization: Bearer {alice.key}"
    head = request_head("POST", MEMORY, authorization, "Content-Type: application/json", f"Content-Length: {len(body)}")

    with connect(web) as connection:
        connection.sendall(head + body[:10])
        listed_meanwhile = alice.lists()["total"]
        connection.sendall(body[10:])
        answer = answer_of(connection)

    assert b" 201 " in answer.splitlines()[0]
    assert (listed_meanwhile, alice.lists()["total"]) == (0, 1)


@pytest.mark.promise("R8")
def test_a_body_that_breaks_off_is_not_stored(alice: Caller, web):
    body = b'{"type": "long-term", "content": "Broken off."}'
    authorization = f"Authorization: Bearer {alice.key}"
    head = request_head("POST", MEMORY, authorization, "Content-Type: application/json", "Content-Length: 1000")

    with connect(web) as connection:
        connection.sendall(head + body)

    alice.keeps("Whole.")
    assert [item["content"] for item in alice.lists()["items"]] == ["Whole."]


def timed(call: Callable[[], object]) -> float:
    """Seconds that the call took."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
