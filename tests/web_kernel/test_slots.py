"""A process works on few requests at once, and those that wait for their bodies are not among them."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.http import HttpResponse, StreamingHttpResponse

from kimberly.lib import webthreads
from kimberly.web.slots import Limited, TooManyBodies
from tests.races.together import at_once
from tests.waiting import until

pytestmark = pytest.mark.promise("R8")


class SlowBody(BytesIO):
    """A body that comes when the test says so."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.is_awaited, self.has_come = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.is_awaited.set()
        assert self.has_come.wait(10)
        return super().read(size)


def environ(body: BytesIO | None = None, *, path: str = "/") -> dict[str, Any]:
    return {"PATH_INFO": path, "wsgi.input": body or BytesIO()}


def ask(application: Limited, body: BytesIO | None = None, *, path: str = "/") -> bytes:
    """The whole answer, in a thread of its own as granian gives one."""
    [answer] = at_once([lambda: list(application(environ(body, path=path), lambda *_: None))])  # type: ignore[arg-type]
    return b"".join(answer)


def headers_of(application: Limited, body: bytes, **more: str) -> dict[str, str]:
    """The headers that the server is given for a request with this body."""
    given: list[tuple[str, str]] = []
    request = {**environ(BytesIO(body)), **more}
    at_once([lambda: list(application(request, lambda _status, headers, *_: given.extend(headers)))])  # type: ignore[arg-type]
    return dict(given)


def reads(size: int) -> Limited:
    """An application that reads so many bytes and answers."""

    def work(environ: Any, start: Any) -> HttpResponse:
        environ["wsgi.input"].read(size)
        start("200 OK", [("X", "1")])
        return HttpResponse()

    return Limited(work, number=1, statement_seconds=30)


@pytest.mark.parametrize(
    ("size", "framing", "closes"),
    [
        (0, {"CONTENT_LENGTH": "5"}, True),
        (4, {"CONTENT_LENGTH": "5"}, True),
        (5, {"CONTENT_LENGTH": "5"}, False),
        (0, {}, False),
        (5, {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        (6, {"HTTP_TRANSFER_ENCODING": "chunked"}, False),
    ],
)
def test_an_answer_before_the_bodys_end_says_that_the_connection_ends_with_it(size, framing, closes):
    headers = headers_of(reads(size), b"12345", **framing)

    assert headers == {"X": "1", **({"Connection": "close"} if closes else {})}


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> HttpResponse:
    return HttpResponse(environ["wsgi.input"].read(100))


@pytest.fixture
def waiting() -> Iterator[tuple[Limited, SlowBody, list[bytes]]]:
    """An application with one slot, and a caller in a thread of its own whose body does not come."""
    application, body, answers = Limited(echo, number=1, statement_seconds=30), SlowBody(b"at last"), []
    thread = threading.Thread(target=lambda: answers.append(ask(application, body)))
    thread.start()
    assert body.is_awaited.wait(10)
    yield application, body, answers
    body.has_come.set()
    thread.join()


def test_while_one_waits_for_its_body_another_is_served(waiting):
    application, body, answers = waiting

    assert ask(application, BytesIO(b"quick")) == b"quick"
    assert answers == []
    body.has_come.set()
    assert until(lambda: answers, what="the slow one to be served as well") == [b"at last"]


def test_no_more_are_worked_on_at_once_than_there_are_slots():
    busy, most, lock = [0], [0], threading.Lock()
    pause = threading.Event()

    def work(_environ: Any, _start: Any) -> HttpResponse:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        pause.wait(0.01)
        with lock:
            busy[0] -= 1
        return HttpResponse()

    application = Limited(work, number=3, statement_seconds=30)
    at_once([lambda: ask(application)] * 30)

    assert most == [3]


def test_nobody_works_with_the_connection_of_another():
    using: set[int] = set()
    seen: set[int] = set()
    shared = []

    def work(environ: Any, _start: Any) -> HttpResponse:
        for _ in range(3):
            mine = id(connections["default"])
            shared.extend([mine] if mine in using else [])
            using.add(mine)
            seen.add(mine)
            using.discard(mine)
            environ["wsgi.input"].read(1)
        return HttpResponse()

    application = Limited(work, number=2, statement_seconds=30)
    at_once([lambda: ask(application)] * 20)

    assert shared == []
    assert len(seen) == 2


def test_a_slot_is_free_again_when_the_application_fails():
    def fail(_environ: Any, _start: Any) -> HttpResponse:
        raise ZeroDivisionError

    application = Limited(fail, number=1, statement_seconds=30)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ask(application)


def test_a_transaction_keeps_its_connection_while_it_waits(committed_db):
    def work(environ: Any, _start: Any) -> HttpResponse:
        with transaction.atomic():
            before = connections["default"]
            environ["wsgi.input"].read(1)
            same = connections["default"] is before and before.in_atomic_block
        before.close()
        return HttpResponse(json.dumps(same))

    assert ask(Limited(work, number=2, statement_seconds=30)) == b"true"


def test_a_requests_statement_is_ended_where_that_of_a_task_goes_on(committed_db):
    def work(environ: Any, _start: Any) -> HttpResponse:
        with pytest.raises(OperationalError, match="statement timeout"):
            waits_seconds(2)
        connections["default"].close()
        return HttpResponse()

    ask(Limited(work, number=1, statement_seconds=1))
    waits_seconds(1.1)


def waits_seconds(seconds: float) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def test_bodies_never_take_every_thread(waiting, monkeypatch):
    application, _, _ = waiting
    monkeypatch.setattr(webthreads, "MOST_WAITING_FOR_BODIES", 1)

    with pytest.raises(TooManyBodies) as refusal:
        ask(application, BytesIO(b"one too many"))

    assert refusal.value.retry_after_seconds == 5
    assert webthreads.MOST > 96


def test_whether_the_process_is_alive_needs_no_slot():
    held = threading.Event()

    def work(environ: Any, _start: Any) -> HttpResponse:
        if environ["PATH_INFO"] != "/healthz":
            assert held.wait(10)
        return HttpResponse(b"ok")

    application = Limited(work, number=1, statement_seconds=30)
    thread = threading.Thread(target=lambda: ask(application))
    thread.start()
    alive = ask(application, path="/healthz")
    held.set()
    thread.join()

    assert alive == b"ok"


def test_a_file_is_sent_without_a_slot():
    application = Limited(lambda *_: StreamingHttpResponse(iter([b"a", b"b"])), number=1, statement_seconds=30)

    def begin() -> Iterable[bytes]:
        return application(environ(), lambda *_: None)  # type: ignore[arg-type]

    answers = at_once([begin, begin])

    assert list(map(list, answers)) == [[b"a", b"b"]] * 2


def test_lines_and_iteration_give_the_same_bytes():
    def lines(environ: Any, _start: Any) -> HttpResponse:
        body = environ["wsgi.input"]
        return HttpResponse(b"|".join([body.readline(), *body]))

    assert ask(Limited(lines, number=1, statement_seconds=30), BytesIO(b"a\nb\nc")) == b"a\n|b\n|c"
