"""Why one memory is, or is not, among the results of a search: the answer to "why did it not remember"."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from kimberly.lib import ids
from memory.embedding import chosen
from memory.models import MemoryItem
from memory.queries import retrieval as profiles
from memory.queries import words as query_words
from memory.queries.retrieval import Found, Narrowing
from memory.rules import writing
from memory.rules.tiers import ItemState
from memory.services import retrieval
from memory.services.retrieval import Question, Reply
from ops import excerpts, scores, words
from ops.excerpts import Excerpt
from ops.scores import Part

MOST_RANKED = 100
"""As far as the API goes: what is further behind no client can see."""
COLUMNS = (
    "id", "tier", "state", "content", "metadata", "embedding_model", "created_at", "archived_at", "archive_reason",
    "purged_at", "purge_reason",
)  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What became of the memory that was expected. `because` are sentences; `found` is there when it has a rank.

    `excerpt` is its text, unless it stands among the results.
    """

    public_id: str
    tone: str
    says: str
    because: list[str] = field(default_factory=list)
    excerpt: Excerpt | None = None
    found: Found | None = None
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps an item out of a search, and the narrowing without it."""

    says: str
    without: dict[str, Any]


def explain(item_id: UUID, question: Question, reply: Reply, *, now: datetime) -> Expectation:
    """Where the item stands among the first 100 of this search, or why it does not.

    What the archive or a filter leaves out is looked for once more without that.
    """
    public_id = ids.encode(ids.Prefix.ITEM, item_id)
    row: Row | None = MemoryItem.objects.filter(pk=item_id, user_id=question.user_id).values(*COLUMNS).first()
    if row is None:
        says = "This user has no memory with this id"
        return Expectation(public_id, "bad", says, ["It may be another user’s, or the id was copied wrongly."])
    if row["state"] == ItemState.PURGED:
        return Expectation(public_id, "bad", "It is purged", [_purged(row, now)])
    obstacles = list(_obstacles(row, question.narrowing, now))
    wider = question.narrowing
    for obstacle in obstacles:
        wider = replace(wider, **obstacle.without)
    ranked = _ranked(item_id, replace(question, narrowing=wider), None if obstacles else reply)
    place = next((place for place, one in enumerate(ranked.items, start=1) if one.id == item_id), None)
    if place is not None:
        return _placed(public_id, place, ranked.items[place - 1], obstacles, question)
    says = "It is left out" if obstacles else f"It is not among the first {MOST_RANKED}"
    because = [obstacle.says for obstacle in obstacles]
    also = "Without that it would not be found either. " if obstacles else ""
    because.append(also + _why_not_near(row, question, ranked))
    return Expectation(public_id, "bad", says, because, excerpts.of(row["content"]))


def _ranked(item_id: UUID, question: Question, reply: Reply | None) -> Reply:
    """The first hundred; the reply itself where the item is in it already."""
    if reply is not None and any(found.id == item_id for found in reply.items):
        return reply
    return retrieval.look(replace(question, top_k=MOST_RANKED))


def _placed(public_id: str, place: int, found: Found, obstacles: list[Obstacle], question: Question) -> Expectation:
    parts = scores.parts_of(found.components, profiles.current_profile().weights)
    text = excerpts.of(found.content)
    if obstacles:
        because = [*(obstacle.says for obstacle in obstacles), f"Without that it would be number {place}."]
        return Expectation(public_id, "warn", "It is left out", because, text, found, parts)
    if place > question.top_k:
        because = [f"It comes behind the {question.top_k} that were asked for."]
        return Expectation(public_id, "info", f"It is number {place}", because, text, found, parts)
    because = ["It is among the results below."]
    return Expectation(public_id, "ok", f"It is number {place}", because, None, found, parts)


def _purged(row: Row, now: datetime) -> str:
    why = words.ARCHIVED_BECAUSE.get(row["purge_reason"], row["purge_reason"])
    return f"Its content was erased {words.relative(row['purged_at'], now)}, because {why}. Nothing can find it."


def _obstacles(row: Row, narrowing: Narrowing, now: datetime) -> Iterator[Obstacle]:
    if row["state"] == ItemState.ARCHIVED and not narrowing.include_archived:
        why = words.ARCHIVED_BECAUSE.get(row["archive_reason"], row["archive_reason"])
        when = words.relative(row["archived_at"], now)
        says = f"It was archived {when}, because {why}. A search leaves the archive out unless it is asked for."
        yield Obstacle(says, {"include_archived": True})
    if narrowing.tier is not None and row["tier"] != narrowing.tier:
        yield Obstacle(f"It lies in {row['tier']}; only {narrowing.tier} was searched.", {"tier": None})
    if missing := _missing_tags(row["metadata"], narrowing.tags):
        noun = "tag" if len(missing) == 1 else "tags"
        yield Obstacle(f"It lacks the {noun} {', '.join(missing)}, which the search asks for.", {"tags": ()})
    if narrowing.since is not None and row["created_at"] < narrowing.since:
        yield Obstacle(f"It is of {words.exact(row['created_at'])}, before the search begins.", {"since": None})
    if narrowing.until is not None and row["created_at"] >= narrowing.until:
        yield Obstacle(f"It is of {words.exact(row['created_at'])}, after the search ends.", {"until": None})


def _missing_tags(metadata: dict[str, Any], wanted: tuple[str, ...]) -> list[str]:
    held = metadata.get("tags")
    return [tag for tag in wanted if not isinstance(held, list) or tag not in held]


def _why_not_near(row: Row, question: Question, ranked: Reply) -> str:
    shared = query_words.shared_with(row["id"], question.text, user_id=question.user_id)
    by_words = "It shares no word with the question"
    if shared:
        by_words = f"It shares {_listed(shared)} with the question"
    elif writing.is_unspaced(question.text):
        by_words = "No word of the question can be told apart in it"
    end = f"At least {MOST_RANKED} others come before it."
    if len(ranked.items) < MOST_RANKED:
        end = "So the question has nothing to find it by."
    return f"{by_words}, and {_of_its_vector(row, ranked)}. {end}"


def _of_its_vector(row: Row, ranked: Reply) -> str:
    """The second half of a sentence: what its meaning did for it."""
    model = row["embedding_model"]
    if model is None and row["state"] == ItemState.ACTIVE:
        return "it has no vector yet: the embedder was away when it was written, and a job makes one each minute"
    if model is None:
        return "it has no vector: it was archived before one was made"
    if ranked.is_lexical:
        return "meaning was not compared, because the search went by words alone"
    if chosen.of_model(model) is None:
        return f"its vector is of {model}, which no embedder of the settings speaks"
    if not MemoryItem.objects.filter(pk=row["id"], embedding__isnull=False).exists():
        return "it has no vector: the embedder saw no direction in its text"
    return "its meaning is not near enough"


def _listed(shared: list[str]) -> str:
    named = ", ".join(f"“{word}”" for word in shared[:5])
    return f"{named} and {len(shared) - 5} more words" if len(shared) > 5 else named
