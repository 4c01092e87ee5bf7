"""A real HTTP endpoint that speaks OpenAI's embeddings API, and that can be told to misbehave."""

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Vector = list[float]


def vector_of(text: str, dimensions: int) -> Vector:
    """Something that depends on the text alone."""
    digest = hashlib.sha256(text.encode()).digest()
    return [digest[place % len(digest)] / 255 - 0.5 for place in range(dimensions)]


def well(asked: dict[str, Any]) -> bytes:
    """The answer of an endpoint that is well, its vectors in another order than the texts."""
    data = [
        {"index": place, "embedding": vector_of(text, asked["dimensions"])} for place, text in enumerate(asked["input"])
    ]
    return json.dumps({"data": data[::-1]}).encode()


class Endpoint:
    """The server. `answer` may be changed while it runs: it makes the body of a 200, or raises to break off."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], bytes] = well
        self.status = 200
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append(body)
                endpoint.keys.append(self.headers["Authorization"])
                answer = endpoint.answer(body)
                self.send_response(endpoint.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/embeddings"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
