"""Clients that write and read at a steady pace through whatever happens, and remember every answer they got."""

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from tests.waiting import until


@dataclass(frozen=True)
class Answered:
    """One call and its answer; the status is 0 when there was none. Times are of time.monotonic()."""

    kind: str
    status: int
    began_at: float
    ended_at: float
    slug: str = ""
    retry_after: str = ""
    item_id: UUID | None = None

    @property
    def took_seconds(self) -> float:
        return self.ended_at - self.began_at


@dataclass
class Load:
    """So many writers and readers, each on a connection of its own and at its pace, as long as the `with` lasts.

    With `retries` a write goes with an Idempotency-Key, and is sent again until it is answered. What is written is
    short, or longer by so many characters that do not compress.
    """

    url: str
    key: str
    user_ids: list[str]
    writers: int = 4
    readers: int = 4
    per_second: float = 50
    retries: bool = False
    tier: str = "permanent"
    more_characters: int = 0
    answers: list[Answered] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._pause_seconds = (self.writers + self.readers) / self.per_second
        jobs = [self._write] * self.writers + [self._read] * self.readers
        self._threads = [
            threading.Thread(target=self._work, args=(job, self.user_ids[number % len(self.user_ids)]))
            for number, job in enumerate(jobs)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, job: Any, user_id: str) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30) as client:
            while not self._over.wait(self._pause_seconds):
                job(client, user_id)

    def _write(self, client: httpx.Client, user_id: str) -> None:
        content = f"a note {secrets.token_hex(8)}{secrets.token_urlsafe(self.more_characters)[: self.more_characters]}"
        self.sent.append(content)
        body = {"user_id": user_id, "type": self.tier, "content": content}
        headers = {"Idempotency-Key": secrets.token_hex(8)} if self.retries else {}
        answer = self._ask("write", client, "POST", "/api/v1/memory", json=body, headers=headers)
        while self.retries and answer.status in (0, 409, 503):
            threading.Event().wait(0.1)
            answer = self._ask("write", client, "POST", "/api/v1/memory", json=body, headers=headers)

    def _read(self, client: httpx.Client, user_id: str) -> None:
        self._ask("read", client, "GET", "/api/v1/memory", params={"user_id": user_id, "per_page": 1})

    def _ask(self, kind: str, client: httpx.Client, method: str, path: str, **options: Any) -> Answered:
        began_at = time.monotonic()
        try:
            answer = understood(kind, began_at, client.request(method, path, **options))
        except httpx.TransportError as error:
            answer = Answered(kind, 0, began_at, time.monotonic(), slug=repr(error))
        self.answers.append(answer)
        return answer

    def answers_more(self, number: int) -> list[Answered]:
        """Wait until this many more calls were answered; gives them."""
        before = len(self.answers)
        until(lambda: len(self.answers) >= before + number, what=f"{number} answers", limit_seconds=60)
        return self.answers[before : before + number]

    def goes_on(self, *, seconds: float) -> None:
        """Let so much time pass under the load."""
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() >= end, what="time to pass", limit_seconds=seconds + 5)

    def statuses(self, kind: str) -> Counter[int]:
        """How many calls of the kind were answered how."""
        return Counter(answer.status for answer in self.answers if answer.kind == kind)

    def outages(self) -> list[Answered]:
        return [answer for answer in self.answers if answer.status == 503]


def understood(kind: str, began_at: float, response: httpx.Response) -> Answered:
    """The answer with what matters of it; a problem must say its type."""
    is_problem = response.headers["content-type"] == "application/problem+json"
    body = response.json()
    return Answered(
        kind=kind,
        status=response.status_code,
        began_at=began_at,
        ended_at=time.monotonic(),
        slug=body["type"].rpartition("/")[2] if is_problem else "",
        retry_after=response.headers.get("retry-after", ""),
        item_id=UUID(body["id"].removeprefix("mem_")) if response.status_code == 201 else None,
    )
