"""A small client of this project's own API, for commands: standard library only, waits when it is told to."""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

PREFIX = "/api/v1"
TIMEOUT_SECONDS = 60.0
TRIES = 20
LONGEST_WAIT_SECONDS = 120  # Whoever is told to wait longer than this asks again later, not now.
PAUSE_SECONDS = 1.0
TRY_AGAIN = (429, 503)


class CallFailed(Exception):
    """A call came to nothing; the message says why. No Refusal: the service itself refuses nothing here."""


class WrongAddress(CallFailed):
    """The base URL is none."""


class NoAnswer(CallFailed):
    """Nothing answers at the base URL, or not like this API does."""


class Refused(CallFailed):
    """The API answered with a problem."""

    def __init__(self, call: str, status: int, problem: Mapping[str, Any]) -> None:
        said = problem.get("detail") or problem.get("title") or "no reason given"
        super().__init__(f"{call} answered {status}: {said}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer."""

    body: dict[str, Any]
    headers: http.client.HTTPMessage

    @property
    def was_replayed(self) -> bool:
        """Whether the answer is the kept one of an earlier call with the same Idempotency-Key."""
        return "Idempotency-Replayed" in self.headers


class Client:
    """One connection, one key. Calls are repeated after an outage: send an Idempotency-Key with every POST."""

    def __init__(self, base_url: str, key: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        """Raises WrongAddress."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise WrongAddress("The base URL must begin with http:// or https:// and name a host.")
        self.base_url = base_url.rstrip("/")
        self._path = parts.path.rstrip("/") + PREFIX
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._wait = wait

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, **query: str | int) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def call(self, method: str, path: str, *, body: Any = None, idempotency_key: str = "") -> Reply:
        """The answer, after as many tries as the server's Retry-After asks for. Raises Refused or NoAnswer."""
        headers = dict(self._headers)
        payload = None if body is None else json.dumps(body).encode("ascii")
        if payload is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        for last in _tries():
            status, answer_headers, answer = self._send(method, path, payload, headers)
            if 200 <= status < 300:
                return Reply(answer, answer_headers)
            pause = _seconds(answer_headers.get("Retry-After", ""))
            if status not in TRY_AGAIN or pause > LONGEST_WAIT_SECONDS or last:
                break
            self._wait(pause)
        raise Refused(f"{method} {path.partition('?')[0]}", status, answer)

    def _send(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        for last in _tries(3):
            try:
                self._connection.request(method, self._path + path, payload, headers)
                response = self._connection.getresponse()
                return response.status, response.headers, _json(response.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                # A server that was restarted leaves a dead connection: the next try opens another.
                self._connection.close()
                if last:
                    raise NoAnswer(
                        f"{self.base_url} does not answer as this API would ({str(error) or type(error).__name__}). "
                        "Is it running, is the URL right?"
                    ) from error
                self._wait(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")


def _tries(number: int = TRIES) -> Iterator[bool]:
    """False for each try but the last, which is True."""
    for left in reversed(range(number)):
        yield left == 0


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else PAUSE_SECONDS


def _json(raw: bytes) -> dict[str, Any]:
    """The body as an object; ValueError when it is none, as from a server that is not ours."""
    parsed = json.loads(raw)
    if not isinstance(parsed, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 # what json.loads raises for other wrong bodies
    return parsed
