"""Vectors for what is written, at once where the embedder answers, later where it does not."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory import metrics
from memory.embedding import base, chosen
from memory.embedding.base import Embedded, Embedder, EmbedderAway
from memory.models import Goal, MemoryItem
from memory.rules.tiers import ItemState
from memory.services import quotas
from memory.services.drafts import Draft

logger = structlog.get_logger(__name__)
REST_SECONDS = 5.0
"""After a failure nobody asks the embedder for this long: a write must not wait for its timeout again and again."""
LATE_BATCH = 200

_rest_until: dict[str, float] = {}
_lock = threading.Lock()


def of_drafts(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts with their vectors; without, where the embedder is away: they get them later."""
    embedded = of_texts([draft.content for draft in drafts])
    if embedded is None:
        return list(drafts)
    return [replace(draft, embedded=one) for draft, one in zip(drafts, embedded, strict=True)]


def of_texts(texts: Sequence[str], embedder: Embedder | None = None) -> list[Embedded] | None:
    """What the embedder makes of each text, or None while it is away. Never inside of a transaction: it may be slow."""
    asked = embedder or chosen.current()
    if time.monotonic() < _rest_until.get(asked.model, 0.0):
        return None
    started = time.perf_counter()
    try:
        embedded = base.embed(asked, texts)
    except EmbedderAway as error:
        with _lock:
            _rest_until[asked.model] = time.monotonic() + REST_SECONDS
        metrics.EMBEDDING_REQUESTS.add(1, asked.provider, "error")
        if asked.provider != "none":
            logger.warning("embedder_away", model=asked.model, error=str(error))
        return None
    metrics.EMBEDDING_REQUESTS.add(1, asked.provider, "ok")
    metrics.EMBEDDING_DURATION.observe(time.perf_counter() - started)
    return embedded


def wake() -> None:
    """Ask again at once, whatever failed before."""
    with _lock:
        _rest_until.clear()


def embed_late(*, seconds: float) -> int:
    """Embed items and goals that have no vector of the current model, for so long at most; gives how many it did.

    Batch by batch, each by itself: whoever is killed in between has lost nothing, and the next call goes on.
    """
    end = time.monotonic() + seconds
    done = _embed_goals()
    for model in _other_models():
        while time.monotonic() < end:
            batch = _batch_of(model)
            embedded = of_texts([content for _, _, _, content in batch]) if batch else None
            if embedded is None:
                break
            done += _keep(batch, embedded)
    return done


Row = tuple[UUID, UUID, int, str]
"""Item, user, version, content."""


def _other_models() -> list[str | None]:
    """The models that active items have and that are not the current one; None for the items without any."""
    rows = statements.fetch_all(statement(__file__, "embedding_models"), {})
    return [model for (model,) in rows if model != chosen.current().model]


def _batch_of(model: str | None) -> list[Row]:
    pending = MemoryItem.objects.filter(state=ItemState.ACTIVE, embedding_model=model)
    rows = pending.order_by("id").values_list("id", "user_id", "version", "content")
    return [(item, user, version, content or "") for item, user, version, content in rows[:LATE_BATCH]]


def _keep(batch: list[Row], embedded: list[Embedded]) -> int:
    """Store the vectors of the items that are still what was embedded."""
    parameters = {
        "ids": [item_id for item_id, _, _, _ in batch],
        "versions": [version for _, _, version, _ in batch],
        "vectors": [one.vector for one in embedded],
        "model": chosen.current().model,
    }
    with transaction.atomic():
        for user_id in sorted({user_id for _, user_id, _, _ in batch}):
            quotas.note_change(user_id)
        return statements.execute(statement(__file__, "keep_embeddings"), parameters)


def _embed_goals() -> int:
    model = chosen.current().model
    pending = Goal.objects.filter(Q(embedding_model=None) | ~Q(embedding_model=model)).order_by("id")[:LATE_BATCH]
    goals = list(pending)
    embedded = of_texts([goal.text for goal in goals]) if goals else None
    for goal, one in zip(goals, embedded or [], strict=False):
        Goal.objects.filter(pk=goal.pk).update(embedding=one.vector, embedding_model=one.model)
    return len(embedded or [])
