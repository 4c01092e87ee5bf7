"""Load from many clients at once: as plain SQL in this process, or as HTTP from a process of its own."""

import itertools
import json
import multiprocessing
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

CLIENTS = 8
SECONDS = 4.0
WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Result:
    """What one round gave."""

    per_second: float
    p50_ms: float
    p95_ms: float


def run(make_call: Callable[[int], Callable[[], None]], *, clients: int = CLIENTS, seconds: float = SECONDS) -> Result:
    """Each client calls as often as it can for so long. `make_call(n)` prepares the n-th client's call."""
    took: list[list[float]] = [[] for _ in range(clients)]
    begin = threading.Barrier(clients + 1)

    def work(number: int) -> None:
        call = make_call(number)
        for _ in range(20):
            call()
        begin.wait()
        end = time.perf_counter() + seconds
        while (started := time.perf_counter()) < end:
            call()
            took[number].append(time.perf_counter() - started)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    begin.wait()
    for thread in threads:
        thread.join()
    return _result([duration for mine in took for duration in mine], seconds)


@dataclass(frozen=True)
class Client:
    """One client's HTTP requests, ready to be sent one after the other, again and again, on one connection."""

    port: int
    requests: tuple[bytes, ...]
    expected_status: int

    @classmethod
    def posting(
        cls, port: int, path: str, key: str, *bodies: dict[str, object], expected_status: int = 201
    ) -> "Client":
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        contents = [json.dumps(body).encode() for body in bodies]
        requests = tuple(f"{head}{len(content)}\r\n\r\n".encode() + content for content in contents)
        return cls(port, requests, expected_status)

    def connect(self) -> socket.socket:
        """The connection on which this client asks, one request after another."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def run_http(clients: list[Client], *, seconds: float = SECONDS) -> Result:
    """The clients, all at once, from another process, so that the clients do not share this one's lock."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_http_round, (clients, seconds))


def _http_round(clients: list[Client], seconds: float) -> Result:
    """One thread waits for every client's answer at once: threads of their own would compete with the service."""
    selector = selectors.DefaultSelector()
    sent_at: dict[socket.socket, float] = {}
    took: list[float] = []
    for number, client in enumerate(clients):
        connection = client.connect()
        turns = itertools.cycle(_from(client.requests, number))
        selector.register(connection, selectors.EVENT_READ, (client, turns))
        connection.sendall(next(turns))
        sent_at[connection] = time.perf_counter()
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select():
            connection, (client, turns) = cast("socket.socket", key.fileobj), key.data
            read_answer(connection, client.expected_status)
            now = time.perf_counter()
            if sent_at[connection] >= begin:
                took.append(now - sent_at[connection])
            connection.sendall(next(turns))
            sent_at[connection] = now
    return _result(took, seconds)


def _from(requests: tuple[bytes, ...], number: int) -> tuple[bytes, ...]:
    """Each client begins with another request."""
    first = number % len(requests)
    return requests[first:] + requests[:first]


def read_answer(connection: socket.socket, expected_status: int) -> None:
    """Read one answer to its end. Raw sockets: a client library would be the load."""
    answer = connection.recv(65536)
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)
    if not answer.startswith(f"HTTP/1.1 {expected_status}".encode()):
        raise RuntimeError(answer.decode(errors="replace"))


def _result(took: list[float], seconds: float) -> Result:
    cuts = statistics.quantiles(took, n=100)
    return Result(len(took) / seconds, cuts[49] * 1000, cuts[94] * 1000)
