"""What a client would find for a question, as support looks at it: results with their parts, and why one is missing.

A search needs the reader's reveal, and searches the user of that reveal. It leaves no access event and takes nothing
from the user's rate: nothing about the user changes by it.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from memory.embedding import chosen
from memory.queries import retrieval as profiles
from memory.queries import words
from memory.queries.retrieval import Found, Narrowing, Profile
from memory.queries.words import WordCounts
from memory.services import embeddings, retrieval
from memory.services.retrieval import Question
from ops import excerpts, scores
from ops.excerpts import Excerpt
from ops.queries.reveals import RevealRow
from ops.scores import Part
from ops.services import expectations
from ops.services.expectations import Expectation

# What the search document holds beside the content, in the order in which one reads it.
ABOUT = ("title", "speaker", "session", "tags")
LONGEST_FACT = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the form sends it; `expected` is the item that somebody misses."""

    text: str
    top_k: int
    narrowing: Narrowing
    expected: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One memory that was found. `about` holds what its metadata says to a search: name and text."""

    rank: int
    found: Found
    parts: list[Part]
    excerpt: Excerpt
    about: list[tuple[str, str]]
    is_expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The results, best first, and how they came about. `lexical_because` is empty where vectors had their part."""

    results: list[Result]
    took_ms: float
    profile: Profile
    lexical_because: str
    by_spelling: bool
    words: WordCounts
    expectation: Expectation | None


def search(asked: Asked, *, reveal: RevealRow, now: datetime) -> Answer:
    """Look for the question in the memories that the reveal shows."""
    profile = profiles.current_profile()
    question = Question(reveal.user_id, asked.text, asked.top_k, asked.narrowing)
    started = time.perf_counter()
    reply = retrieval.look(question)
    took_ms = (time.perf_counter() - started) * 1000
    expectation = expectations.explain(asked.expected, question, reply, now=now) if asked.expected else None
    return Answer(
        results=[
            _result(rank, found, profile, is_expected=found.id == asked.expected)
            for rank, found in enumerate(reply.items, start=1)
        ],
        took_ms=took_ms,
        profile=profile,
        lexical_because=_why_by_words_alone(asked.text) if reply.is_lexical else "",
        by_spelling=any(found.components.spelling is not None for found in reply.items),
        words=words.counted(asked.text, user_id=reveal.user_id),
        expectation=expectation,
    )


def _result(rank: int, found: Found, profile: Profile, *, is_expected: bool) -> Result:
    return Result(
        rank=rank,
        found=found,
        parts=scores.parts_of(found.components, profile.weights),
        excerpt=excerpts.of(found.content),
        about=_about(found.metadata),
        is_expected=is_expected,
    )


def _about(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """What clients wrote there may be of any type: lists are told as such, the rest as its text."""
    told = []
    for name in ABOUT:
        value = metadata.get(name)
        text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        if text:
            told.append((name.capitalize(), text[:LONGEST_FACT]))
    return told


def _why_by_words_alone(text: str) -> str:
    if chosen.current().provider == "none":
        return "no embedder is set"
    if embeddings.of_texts([text]) is None:
        return "the embedder does not answer"
    return "the embedder sees no direction in the question"
