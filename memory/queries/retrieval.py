"""Finding the memories of one user that a query is about, each with the parts of its score."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from pgvector import HalfVector

from kimberly.db import statements
from kimberly.lib.remember import Remembered
from kimberly.lib.sql import statement
from memory.models import MemoryItem, RetrievalProfile
from memory.rules import writing
from memory.rules.retrieval import HALF_LIFE_SECONDS, Weights
from memory.rules.tiers import ItemState, Tier

REMEMBERED_SECONDS = 1.0
_current: Remembered[str, "Profile"] = Remembered(seconds=REMEMBERED_SECONDS, most=1)

ONE_STATE = {"{states}": "= 'active'", "{candidates}": "", "{number}": "(SELECT items FROM held)"}
WITH_ARCHIVED = {"{states}": "IN ('active', 'archived')"}
NARROWED = {
    # `IS TRUE` keeps it a look into a hash table, whatever the planner believes of sizes.
    "{candidates}": "AND (item.id IN (SELECT id FROM candidates)) IS TRUE",
    "{number}": "(SELECT count(*) FROM candidates)",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A version of the recipe's weights."""

    version: int
    weights: Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which of the user's items are candidates; None and empty mean any."""

    tier: Tier | None = None
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    include_archived: bool = False

    @property
    def is_there(self) -> bool:
        """Whether it leaves anything out."""
        return any((self.tier, self.tags, self.since, self.until, self.metadata))

    def as_metadata(self) -> dict[str, str | None]:
        """What an item's metadata must contain, as JSON by parameter: the given members, and all of the tags."""
        return {
            "metadata": json.dumps(self.metadata) if self.metadata else None,
            "tags": json.dumps({"tags": self.tags}) if self.tags else None,
        }


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of a score, each from 0 to 1; None where an item has no such part.

    Either `own_words` or `spelling` is there: spelling counts only where no word of the query was found at all.
    """

    semantic: float | None
    own_words: float | None
    spelling: float | None
    context: float | None
    freshness: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """One memory that was found."""

    id: UUID
    tier: str
    state: str
    content: str
    metadata: dict[str, Any]
    created_at: datetime
    components: Components
    score: float


def current_profile() -> Profile:
    """The newest version of the weights."""
    profile = _current.get("", lambda _: _newest())
    if profile is None:
        raise RuntimeError("there is no retrieval profile; `manage.py migrate` makes the first")
    return profile


def _newest() -> Profile | None:
    row = RetrievalProfile.objects.order_by("-version").first()
    if row is None:
        return None
    return Profile(row.version, Weights(row.semantic, row.own_words, row.context, row.freshness))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search in one user's items. `vectors`: the query's vector for each model that items' vectors are of."""

    user_id: UUID
    query: str
    vectors: Sequence[tuple[str, HalfVector]]
    top_k: int
    narrowing: Narrowing
    weights: Weights

    def statement(self) -> tuple[str, dict[str, Any]]:
        """The SQL and its parameters."""
        return text_of(self.narrowing), {
            "user_id": self.user_id,
            "query": self.query,
            "models": [model for model, _ in self.vectors],
            "vectors": [vector for _, vector in self.vectors],
            "top_k": self.top_k,
            "archived": self.narrowing.include_archived,
            "tier": self.narrowing.tier and str(self.narrowing.tier),
            "since": self.narrowing.since,
            "until": self.narrowing.until,
            **self.narrowing.as_metadata(),
            "semantic": self.weights.semantic,
            "own_words": self.weights.own_words,
            "context": self.weights.context,
            "freshness": self.weights.freshness,
            "half_life": HALF_LIFE_SECONDS,
            "unspaced": writing.UNSPACED,
        }


def find(search: Search) -> list[Found]:
    """The best items first, at most `top_k`."""
    return [_found(row) for row in statements.fetch_all(*search.statement())]


def _found(row: statements.Row) -> Found:
    item_id, tier, state, content, metadata, created_at, *parts, score = row
    read = json.loads(metadata) if isinstance(metadata, str) else metadata
    return Found(item_id, tier, state, content, read, created_at, Components(*parts), score)


def text_of(narrowing: Narrowing) -> str:
    """The statement for such a narrowing: what is not narrowed must not pay for it."""
    marks = {**ONE_STATE, **(NARROWED if narrowing.is_there else {})}
    if narrowing.include_archived:
        marks.update(WITH_ARCHIVED)
    text = statement(__file__, "search_items")
    for mark, meaning in marks.items():
        text = text.replace(mark, meaning)
    return text


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the items. `size_bytes` is None when there is no such index."""

    name: str
    size_bytes: int | None
    is_valid: bool


def indexes(names: Sequence[str]) -> list[Index]:
    """These indexes as the database has them; one that was dropped is not valid."""
    rows = statements.fetch_all(statement(__file__, "indexes"), {"names": list(names)})
    return [Index(*row) for row in rows]


def written(user_id: UUID) -> int:
    """A number that grows with every write of the user's items."""
    row = statements.fetch_one(statement(__file__, "writes_of_user"), {"user_id": user_id})
    return int(row[0]) if row else 0


def models_in_use() -> list[str]:
    """The models that active items' vectors are of, in any order."""
    rows = _models.get("", lambda _: statements.fetch_all(statement(__file__, "embedding_models"), {}))
    return [model for (model,) in rows or [] if model is not None]


def without_current_vector(model: str) -> int:
    """How many active items this model has not seen yet."""
    active = MemoryItem.objects.filter(state=ItemState.ACTIVE)
    return active.filter(Q(embedding_model=None) | Q(embedding_model__lt=model) | Q(embedding_model__gt=model)).count()


_models: Remembered[str, list[statements.Row]] = Remembered(seconds=REMEMBERED_SECONDS, most=1)
