"""Answering a query: vectors, the cache, the statement, and a note of what was returned."""

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from pgvector import HalfVector

from kimberly.web import redisclient
from memory import metrics
from memory.embedding import chosen
from memory.queries import items, retrieval
from memory.queries.retrieval import Components, Found, Narrowing, Profile, Search
from memory.services import accesses, embeddings

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks of one user's memories."""

    user_id: UUID
    text: str
    top_k: int
    narrowing: Narrowing


@dataclass(frozen=True, slots=True)
class Reply:
    """What was found, best first, and how."""

    items: list[Found]
    profile: int
    is_lexical: bool
    """Whether vectors had no part in it: the embedder is away, or the text has none."""


def answer(question: Question, *, now: datetime) -> Reply:
    """The memories that the question is about. Kept as an access of the user."""
    reply = look(question)
    accesses.note(question.user_id, [found.id for found in reply.items], at=now)
    return reply


def look(question: Question) -> Reply:
    """As `answer`, but it leaves no trace: for operators who look for what a client would find."""
    started = time.perf_counter()
    mode, outcome = "hybrid", "error"
    try:
        reply = _reply(question)
        mode, outcome = "lexical" if reply.is_lexical else "hybrid", "ok"
    finally:
        metrics.RETRIEVAL_DURATION.labels(mode, outcome).observe(time.perf_counter() - started)
    metrics.RETRIEVAL_TOP_K.observe(question.top_k)
    metrics.RETRIEVAL_RESULTS.observe(len(reply.items))
    return reply


def _reply(question: Question) -> Reply:
    profile = retrieval.current_profile()
    kept = _Kept(question, profile)
    reply = kept.read()
    if reply is None:
        reply = _search(question, profile)
        kept.write(reply)
    return reply


def _search(question: Question, profile: Profile) -> Reply:
    vectors = vectors_of(question.text)
    started = time.perf_counter()
    search = Search(
        user_id=question.user_id,
        query=question.text,
        vectors=vectors,
        top_k=question.top_k,
        narrowing=question.narrowing,
        weights=profile.weights,
    )
    found = retrieval.find(search)
    metrics.VECTOR_QUERY_DURATION.observe(time.perf_counter() - started)
    return Reply(found, profile.version, not vectors)


def vectors_of(text: str) -> list[tuple[str, HalfVector]]:
    """The text's vector by every model that items' vectors are of; none by those that are away or switched off."""
    vectors: list[tuple[str, HalfVector]] = []
    if chosen.current().provider == "none":
        return vectors
    for model in retrieval.models_in_use() or [chosen.current().model]:
        embedder = chosen.of_model(model)
        embedded = embeddings.of_texts([text], embedder) if embedder else None
        if embedded and embedded[0].vector is not None:
            vectors.append((model, embedded[0].vector))
    return vectors


class _Kept:
    """A question's answer in Redis: ids and scores, never content. Its name has the number of the user's writes in it,
    so that what was read before a write is not found after it."""

    def __init__(self, question: Question, profile: Profile) -> None:
        self._seconds = settings.KIMBERLY.query_cache_seconds
        self._question = question
        self._profile = profile
        self._name = self._named() if self._seconds else ""

    def _named(self) -> str:
        question = self._question
        asked = repr((question.text, question.top_k, question.narrowing, self._profile.version, chosen.current().model))
        writes = retrieval.written(question.user_id)
        return f"query:{question.user_id}:{writes}:{hashlib.sha256(asked.encode()).hexdigest()}"

    def read(self) -> Reply | None:
        """The kept answer, with its items as they are now; None when there is none."""
        if not self._name:
            metrics.RETRIEVAL_CACHE.labels("bypass").inc()
            return None
        try:
            kept = redisclient.ask(lambda client: client.get(self._name))
        except redisclient.RedisAway:
            metrics.RETRIEVAL_CACHE.labels("bypass").inc()
            return None
        reply = self._unpacked(json.loads(str(kept, "utf-8"))) if isinstance(kept, bytes) else None
        metrics.RETRIEVAL_CACHE.labels("hit" if reply else "miss").inc()
        return reply

    def _unpacked(self, kept: dict[str, list[list[str | float]]]) -> Reply | None:
        rows = items.by_ids([UUID(str(row[0])) for row in kept["items"]])
        if len(rows) != len(kept["items"]):
            return None  # one was purged meanwhile
        found = []
        for item_id, score, *parts in kept["items"]:
            row = rows[UUID(str(item_id))]
            facts = (row["tier"], row["state"], row["content"], row["metadata"], row["created_at"])
            found.append(Found(row["id"], *facts, Components(*parts), float(score)))  # type: ignore[arg-type]
        return Reply(found, self._profile.version, bool(kept["is_lexical"]))

    def write(self, reply: Reply) -> None:
        if not self._name or reply.is_lexical:
            return  # an answer by words alone must not outlive the embedder's absence
        rows = [[str(found.id), found.score, *astuple(found.components)] for found in reply.items]
        text = json.dumps({"items": rows, "is_lexical": reply.is_lexical})
        with suppress(redisclient.RedisAway):
            redisclient.ask(lambda client: client.set(self._name, text, ex=self._seconds))
