"""What a query's words meet in one user's items: often all there is to say about why something was not found."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement

MOST_COUNTED = 60
"""Of a very long query the first words are counted; each costs a look into the index."""
MOST_CHARACTERS = 20_000
"""Of a very long text the beginning is looked through: a hundred of them still take less than half a second."""

Span = tuple[int, int]
"""Where a word begins and ends in a text."""


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word as it was typed, and how many of the user's items it stands in, in whatever form."""

    word: str
    active_items: int
    archived_items: int


@dataclass(frozen=True, slots=True)
class WordCounts:
    """The words that a query looks for, in its order; `is_cut` when it has more of them."""

    counts: list[WordCount]
    is_cut: bool


def counted(query: str, *, user_id: UUID) -> WordCounts:
    """The query's words with their counts; none for a query of nothing but words that say nothing, such as `the`."""
    parameters = {"query": query, "user_id": user_id, "most": MOST_COUNTED + 1}
    rows = statements.fetch_all(statement(__file__, "word_counts"), parameters)
    return WordCounts([WordCount(*row) for row in rows[:MOST_COUNTED]], len(rows) > MOST_COUNTED)


def shared_with(item_id: UUID, query: str, *, user_id: UUID) -> list[str]:
    """The query's words that stand in this item of the user, as they were typed."""
    parameters = {"query": query, "user_id": user_id, "item_id": item_id}
    return [word for (word,) in statements.fetch_all(statement(__file__, "words_in_item"), parameters)]


def places_in(contents: Mapping[UUID, str], query: str, *, user_id: UUID) -> dict[UUID, list[Span]]:
    """Where words of the query stand in the beginnings of these items of the user, in the order of each text."""
    mark = secrets.token_hex(8)  # what no content can know
    parameters = {
        "query": query,
        "user_id": user_id,
        "item_ids": list(contents),
        "mark": mark,
        "most": MOST_COUNTED,
        "most_characters": MOST_CHARACTERS,
    }
    rows = statements.fetch_all(statement(__file__, "words_in_items"), parameters) if contents else []
    return {item_id: _spans(marked.split(mark), contents[item_id]) for item_id, marked in rows}


def _spans(pieces: list[str], content: str) -> list[Span]:
    """Every second piece is a word. None where the parser has left something out, as it does with endless words."""
    spans: list[Span] = []
    at = 0
    for number, piece in enumerate(pieces):
        begin, at = at, _past(piece, content, at)
        if at < 0:
            return []
        if number % 2:
            spans.append((begin, at))
    return spans


def _past(piece: str, content: str, at: int) -> int:
    """Where the content goes on behind the piece, -1 when it is not there.

    A space that the content has not is one at which `memory_pieces` has broken a long run.
    """
    if content.startswith(piece, at):
        return at + len(piece)
    for character in piece:
        if content.startswith(character, at):
            at += 1
        elif character != " ":
            return -1
    return at
