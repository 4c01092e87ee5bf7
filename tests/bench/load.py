"""Load from many clients at once: as plain SQL in this process, or as HTTP from a process of its own."""

import json
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

CLIENTS = 8
SECONDS = 4.0


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
    every = sorted(duration for mine in took for duration in mine)
    cuts = statistics.quantiles(every, n=100)
    return Result(len(every) / seconds, cuts[49] * 1000, cuts[94] * 1000)


@dataclass(frozen=True)
class Request:
    """One HTTP request, ready to be sent again and again on one connection."""

    port: int
    raw: bytes
    expected_status: int

    @classmethod
    def post(cls, port: int, path: str, key: str, body: dict[str, object], *, expected_status: int = 201) -> "Request":
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return cls(port, head.encode() + content, expected_status)

    def prepare(self) -> Callable[[], None]:
        """Connect; the call sends the request and reads the answer. Raw sockets: a client library would be the load."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        expected = f"HTTP/1.1 {self.expected_status}".encode()

        def call() -> None:
            connection.sendall(self.raw)
            answer = connection.recv(65536)
            head, _, rest = answer.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(rest) < length:
                rest += connection.recv(65536)
            if not answer.startswith(expected):
                raise RuntimeError(answer.decode(errors="replace"))

        return call


def run_http(requests: list[Request], *, seconds: float = SECONDS) -> Result:
    """The requests, one client each, from another process, so that the clients do not share this one's lock."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_http_round, (requests, seconds))


def _http_round(requests: list[Request], seconds: float) -> Result:
    return run(lambda number: requests[number].prepare(), clients=len(requests), seconds=seconds)
