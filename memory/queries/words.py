"""What a query's words meet in one user's items: often all there is to say about why something was not found."""

from dataclasses import dataclass
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement

MOST_COUNTED = 60
"""Of a very long query the first words are counted; each costs a look into the index."""


@dataclass(frozen=True, slots=True)
class WordCount:
    """A word as the search documents have it, and how many of the user's items it stands in."""

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
    """The query's words that stand in this item of the user."""
    parameters = {"query": query, "user_id": user_id, "item_id": item_id}
    return [word for (word,) in statements.fetch_all(statement(__file__, "words_in_item"), parameters)]
