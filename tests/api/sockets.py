"""Callers that speak HTTP byte by byte."""

import socket
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.web import WebServer


def request_head(method: str, path: str, *headers: str) -> bytes:
    """The request line and the headers, up to the empty line."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()


def connect(web: WebServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", web.port), timeout=20)


def answer_of(connection: socket.socket) -> bytes:
    """Everything the server says until it closes, or until a whole problem came."""
    said = b""
    while part := connection.recv(65536):
        said += part
        head, empty_line, body = said.partition(b"\r\n\r\n")
        if empty_line and len(body) >= _length(head):
            break
    return said


def status_of(answer: bytes) -> int:
    """The status in the answer's first line."""
    return int(answer.split(maxsplit=2)[1])


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class Dribbler:
    """Connections that all begin the same way and then send one byte a second."""

    def __init__(self, web: WebServer, *, number: int, begin: bytes, then: bytes) -> None:
        self._connections = [connect(web) for _ in range(number)]
        for connection in self._connections:
            connection.sendall(begin)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._dribble, args=(then,))

    def _dribble(self, then: Iterable[int]) -> None:
        for byte in then:
            for connection in self._connections:
                connection.sendall(bytes([byte]))
            if self._stop.wait(1.0):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()
