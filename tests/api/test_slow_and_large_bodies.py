"""Bodies that are too large or come too slowly do not stop anybody else."""

import json
import time
from collections.abc import Callable

import httpx
import pytest

from kimberly.lib.webthreads import MOST_WAITING_FOR_BODIES
from tests.api.callers import MEMORY, Caller
from tests.api.problems import problem_in
from tests.api.sockets import Dribbler, answer_of, connect, request_head, status_of
from tests.counts import rounds
from tests.waiting import until
from tests.web import WebServer

pytestmark = pytest.mark.promise("R8")

JSON = "Content-Type: application/json"
SOCKETS = rounds(20, 100)
TEN_MEGABYTES = 10_000_000


@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
def test_a_body_of_10_megabytes_is_refused_at_once_and_not_read_to_the_end(alice: Caller, web, declared):
    framing = f"Content-Length: {TEN_MEGABYTES}" if declared else "Transfer-Encoding: chunked"
    head = request_head("POST", MEMORY, f"Authorization: Bearer {alice.key}", JSON, framing)
    beginning = b"x" * 1_100_000
    sent = head + (beginning if declared else b"%x\r\n%s\r\n" % (len(beginning), beginning))

    answers, took = [], []
    for _ in range(5):
        with connect(web) as connection:
            began = time.perf_counter()
            connection.sendall(sent)
            answers.append(answer_of(connection))
            took.append(time.perf_counter() - began)

    assert {status_of(answer) for answer in answers} == {413}
    assert json.loads(answers[0].partition(b"\r\n\r\n")[2])["type"].endswith("/problems/body-too-large")
    assert min(took) < 0.2  # the quickest of five: other programs share the machine


def test_a_strangers_body_is_not_read_at_all(web):
    head = request_head("POST", MEMORY, JSON, "Content-Length: 1000")

    with connect(web) as connection:
        connection.sendall(head)
        answer = answer_of(connection)

    assert status_of(answer) == 401


def test_callers_are_served_while_others_send_their_bodies_a_byte_a_second(alice: Caller, bob: Caller, web):
    authorization = f"Authorization: Bearer {bob.key}"
    head = request_head("POST", MEMORY, authorization, JSON, "Content-Length: 1000")

    with Dribbler(web, number=SOCKETS, begin=head + b"{", then=b" " * 999):
        took = [timed(call) for _ in range(10) for call in (alice.lists, alice.keeps)]

    assert max(took) < 1


def test_callers_are_served_while_others_send_their_headers_a_byte_a_second(alice: Caller, web):
    head = request_head("POST", MEMORY, JSON)

    with Dribbler(web, number=SOCKETS, begin=head[:10], then=head[10:]):
        took = [timed(call) for _ in range(10) for call in (alice.lists, alice.keeps)]

    assert max(took) < 1


def test_the_call_after_a_refused_body_is_answered(alice: Caller):
    """The refusal says that the connection ends, so that a client's pool opens another."""
    too_large = b" " * ((1 << 20) + 1)

    for _ in range(20):
        refused = alice.http.post(MEMORY, content=too_large, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.headers["connection"]) == (413, "close")
        assert alice.http.get(MEMORY).status_code == 200


def test_a_slow_body_is_stored_when_it_is_whole(alice: Caller, web):
    body = b'{"type": "long-term", "content": "Slow."}'
    authorization = f"Authorization: Bearer {alice.key}"
    head = request_head("POST", MEMORY, authorization, JSON, f"Content-Length: {len(body)}")

    with connect(web) as connection:
        connection.sendall(head + body[:10])
        listed_meanwhile = alice.lists()["total"]
        connection.sendall(body[10:])
        answer = answer_of(connection)

    assert status_of(answer) == 201
    assert (listed_meanwhile, alice.lists()["total"]) == (0, 1)


def test_a_body_that_breaks_off_is_not_stored(alice: Caller, web):
    body = b'{"type": "long-term", "content": "Broken off."}'
    authorization = f"Authorization: Bearer {alice.key}"
    head = request_head("POST", MEMORY, authorization, JSON, "Content-Length: 1000")

    with connect(web) as connection:
        connection.sendall(head + body)

    alice.keeps("Whole.")
    assert [item["content"] for item in alice.lists()["items"]] == ["Whole."]


@pytest.mark.slow
def test_when_too_many_are_still_sending_reads_go_on_and_writes_are_told_to_wait(django_db_setup, committed_db):
    """One process, and more slow senders than it has threads for bodies."""
    with WebServer(workers=1) as web, Caller.of(web, "alice").http as http:
        head = request_head(
            "POST", MEMORY, f"Authorization: {http.headers['authorization']}", JSON, "Content-Length: 1000"
        )
        body = {"type": "long-term", "content": "x"}
        with Dribbler(web, number=MOST_WAITING_FOR_BODIES + 5, begin=head + b"{", then=b" " * 999):
            refused = until(lambda: refusal_in(http.post(MEMORY, json=body)), what="the threads for bodies to be taken")
            took = [timed(lambda: http.get(MEMORY)) for _ in range(10)]
            alive = http.get("/healthz").status_code

        stored = until(lambda: http.post(MEMORY, json=body).status_code == 201, what="writes to go on")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert problem_in(refused)["type"].endswith("/problems/too-many-bodies")
    assert (max(took) < 1, alive, stored) == (True, 200, True)


def refusal_in(response: httpx.Response) -> httpx.Response | None:
    return response if response.status_code == 503 else None


def timed(call: Callable[[], object]) -> float:
    """Seconds that the call took."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
