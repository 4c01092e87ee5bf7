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
from memory.queries.words import Span, WordCount
from memory.rules import writing
from memory.services import embeddings, retrieval
from memory.services.retrieval import Question, Reply
from ops import excerpts, scores, verdicts
from ops.excerpts import Passage
from ops.queries import candidates
from ops.queries.reveals import RevealRow
from ops.scores import Part
from ops.services import expectations
from ops.services.expectations import Expectation
from ops.verdicts import Nothing, Verdict
from ops.words import shortened

# What the search document holds beside the content, in the order in which one reads it.
ABOUT = ("title", "speaker", "session", "tags")
LONGEST_FACT = 80
SHORTEST_PART = 3
"""What is looked for inside of longer words has so many letters, unless its script sets no spaces between words."""


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
    passage: Passage
    about: list[tuple[str, str]]
    is_expected: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question, and where it stands.

    `results` counts the results that have it inside of a longer word only; `is_unspaced` where it may be a sentence.
    """

    count: WordCount
    results: int
    is_unspaced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The results, best first, and how they came about. `lexical_because` is empty where vectors had their part."""

    results: list[Result]
    took_ms: float
    profile: Profile
    verdict: Verdict | None
    nothing: Nothing | None
    """One of the two: what to say of the results, or of there being none."""
    lexical_because: str
    by_spelling: bool
    words: list[Word]
    words_are_cut: bool
    no_words_because: str
    expectation: Expectation | None

    @property
    def has_unspaced(self) -> bool:
        return any(word.is_unspaced for word in self.words)


def search(asked: Asked, *, reveal: RevealRow, now: datetime) -> Answer:
    """Look for the question in the memories that the reveal shows."""
    profile = profiles.current_profile()
    question = Question(reveal.user_id, asked.text, asked.top_k, asked.narrowing)
    started = time.perf_counter()
    reply = retrieval.look(question)
    took_ms = (time.perf_counter() - started) * 1000
    expectation = expectations.explain(asked.expected, question, reply, now=now) if asked.expected else None
    counts = words.counted(asked.text, user_id=reveal.user_id)
    places = _places(reply.items, asked.text, counts.counts, user_id=reveal.user_id)
    return Answer(
        results=[
            _result(rank, found, profile, places[found.id], is_expected=found.id == asked.expected)
            for rank, found in enumerate(reply.items, start=1)
        ],
        took_ms=took_ms,
        profile=profile,
        verdict=_verdict(asked, reply, has_words=bool(counts.counts)),
        nothing=_nothing(asked, reply, user_id=reveal.user_id),
        lexical_because=_why_by_words_alone(asked.text) if reply.is_lexical else "",
        by_spelling=any(found.components.spelling is not None for found in reply.items),
        words=[_word(count, reply.items) for count in counts.counts],
        words_are_cut=counts.is_cut,
        no_words_because="" if counts.counts else verdicts.why_no_words(asked.text),
        expectation=expectation,
    )


def _result(rank: int, found: Found, profile: Profile, places: list[Span], *, is_expected: bool) -> Result:
    return Result(
        rank=rank,
        found=found,
        parts=scores.parts_of(found.components, profile.weights),
        passage=excerpts.passage_of(found.content, places),
        about=_about(found.metadata),
        is_expected=is_expected,
    )


def _verdict(asked: Asked, reply: Reply, *, has_words: bool) -> Verdict | None:
    return verdicts.of_results(reply.items, question=asked.text, has_words=has_words) if reply.items else None


def _nothing(asked: Asked, reply: Reply, *, user_id: UUID) -> Nothing | None:
    if reply.items:
        return None
    return verdicts.of_nothing(asked.narrowing, any_pass=candidates.any_pass(asked.narrowing, user_id=user_id))


def _places(found: list[Found], text: str, counts: list[WordCount], *, user_id: UUID) -> dict[UUID, list[Span]]:
    """What to mark in each text: the question's words in any form, and those that stand inside of longer words."""
    inside = [count.word for count in counts if _is_looked_for_inside(count)]
    whole = words.places_in({one.id: one.content for one in found}, text, user_id=user_id)
    return {
        one.id: [*whole.get(one.id, []), *(place for word in inside for place in _places_inside(word, one))]
        for one in found
    }


def _word(count: WordCount, found: list[Found]) -> Word:
    has_it = (bool(_places_inside(count.word, one)) for one in found)
    return Word(count, sum(has_it) if _is_looked_for_inside(count) else 0, writing.is_unspaced(count.word))


def _is_looked_for_inside(count: WordCount) -> bool:
    is_long_enough = len(count.word) >= SHORTEST_PART or writing.is_unspaced(count.word)
    return is_long_enough and not count.active_items and not count.archived_items


def _places_inside(word: str, found: Found) -> list[Span]:
    return excerpts.places_of(word, found.content[: words.MOST_CHARACTERS])


def _about(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """What clients wrote there may be of any type: lists are told as such, the rest as its text."""
    told = []
    for name in ABOUT:
        value = metadata.get(name)
        text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        if text:
            told.append((name.capitalize(), shortened(text, LONGEST_FACT)))
    return told


def _why_by_words_alone(text: str) -> str:
    if chosen.current().provider == "none":
        return "no embedder is set"
    if embeddings.of_texts([text]) is None:
        return "the embedder does not answer"
    return "the embedder sees no direction in the question"
