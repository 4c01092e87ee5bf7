"""The recipe's weights and constants. What is done with them is in memory/sql/search_items.sql."""

from dataclasses import dataclass

MOST_QUERY_CHARACTERS = 8_000
MOST_TAGS, LONGEST_TAG = 20, 500
"""What one query may ask for, by the API and by the portal."""

HALF_LIFE_SECONDS = 30 * 86_400
"""Freshness halves with each 30 days of age, counted back from the user's newest memory."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a score weighs.

    Each part is scaled from 0 to 1 over the candidates: (value - least) / (most - least), and 1 where all are alike.
    The idf of a word is ln(1 + (N - df + .5) / (df + .5)), with N the user's items and df those that have the word
    (Robertson and Sparck Jones, as BM25 uses it).
    """

    semantic: float
    own_words: float
    context: float
    freshness: float
