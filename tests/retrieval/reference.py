"""The recipe of 10-memory in plain Python, item by item, from what the database says the words of a text are."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import connection

from memory.models import MemoryItem
from memory.rules.retrieval import HALF_LIFE_SECONDS, Weights

D_WEIGHT = np.float32(0.1)  # of a word without a weight letter, as PostgreSQL has it
SUM_OF_INVERSE_SQUARES = np.float32(1.64493406685)  # pi^2 / 6


@dataclass(frozen=True)
class Item:
    """One item as the recipe sees it: each word with how often it stands there."""

    id: UUID
    session: str | None
    created_at: datetime
    words: dict[str, int]
    vector: list[float] | None


@dataclass(frozen=True)
class Scored:
    """An item's score and its parts."""

    id: UUID
    score: float
    semantic: float | None
    own_words: float | None
    context: float | None
    freshness: float | None


def items_of(user_id: UUID) -> list[Item]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, metadata ->> 'session', created_at,"
            " (SELECT jsonb_object_agg(lexeme, cardinality(positions)) FROM unnest(search_document))::text"
            " FROM memory_item WHERE user_id = %s AND state = 'active'",
            [user_id],
        )
        rows = cursor.fetchall()
    vectors = dict(MemoryItem.objects.filter(user_id=user_id).values_list("id", "embedding"))
    return [Item(row[0], row[1], row[2], json.loads(row[3] or "{}"), vectors[row[0]]) for row in rows]


def words_of(query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(memory_words(%s::text))", [query])
        return list(cursor.fetchone()[0])


def rank(words: dict[str, int], query: Sequence[str]) -> float:
    """ts_rank with normalisation 0 of the OR of the words: PostgreSQL's calc_rank_or, in its single precision."""
    total = np.float32(0)
    for word in query:
        if word in words:
            occurrences = np.float32(sum(1 / place**2 for place in range(1, words[word] + 1))) * D_WEIGHT
            # The best occurrence counts whole, wherever it stands; all weigh the same here, so it is the first.
            total += occurrences / SUM_OF_INVERSE_SQUARES
    return float(total / np.float32(len(query))) if query else 0.0


def scale(values: dict[UUID, float], *, among: int) -> dict[UUID, float]:
    """Min-max over so many candidates, of which the absent ones have the value 0."""
    if not values:
        return {}
    low = min(values.values()) if len(values) == among else 0.0
    high = max(values.values())
    if high > low:
        return {key: (value - low) / (high - low) for key, value in values.items()}
    return {key: float(value > 0) for key, value in values.items()}


def best(items: Sequence[Item], query: Sequence[str], vector: list[float] | None, weights: Weights) -> list[Scored]:
    """Every item that has any signal, best first."""
    number = len(items)
    before = _previous(items)
    by_id = {item.id: item for item in items}
    found = {word: sum(word in item.words for item in items) for word in query}
    idf = {word: math.log(1 + (number - df + 0.5) / (df + 0.5)) for word, df in found.items() if df}
    own = {item.id: rank(item.words, query) for item in items if any(word in item.words for word in query)}
    near = {}
    for item in items:
        around = set(item.words) | set(by_id[before[item.id]].words if item.id in before else ())
        if weight := [idf[word] for word in idf if word in around]:
            near[item.id] = math.fsum(weight)
    cosines = {item.id: _cosine(item.vector, vector) for item in items if item.vector and vector}
    semantic = scale(cosines, among=len(cosines))
    own, near = scale(own, among=number), scale(near, among=number)
    fresh = _freshness(items) if weights.freshness else {}
    scored = [
        Scored(
            item.id,
            weights.semantic * semantic.get(item.id, 0)
            + weights.own_words * own.get(item.id, 0)
            + weights.context * near.get(item.id, 0)
            + weights.freshness * fresh.get(item.id, 0),
            semantic.get(item.id),
            own.get(item.id),
            near.get(item.id),
            fresh.get(item.id),
        )
        for item in items
        if item.id in semantic or item.id in own or item.id in near
    ]
    return sorted(scored, key=lambda one: (-one.score, one.id))


def _previous(items: Sequence[Item]) -> dict[UUID, UUID]:
    """The newest item before each in its session."""
    latest: dict[str, UUID] = {}
    before = {}
    for item in sorted(items, key=lambda item: (item.created_at, item.id)):
        if item.session is not None:
            if item.session in latest:
                before[item.id] = latest[item.session]
            latest[item.session] = item.id
    return before


def _cosine(one: list[float], other: list[float]) -> float:
    a, b = np.array(one, dtype=np.float64), np.array(other, dtype=np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def _freshness(items: Sequence[Item]) -> dict[UUID, float]:
    newest = max(item.created_at for item in items)
    return {item.id: 2 ** ((item.created_at - newest).total_seconds() / HALF_LIFE_SECONDS) for item in items}
