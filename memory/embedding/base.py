"""What an embedder is, and what is asked of every vector before it may be kept.

Rows of what an embedder gives are float32 and belong to the texts in order.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

Matrix = NDArray[np.float32]

MOST_CHARACTERS = 8_000
"""Of each text the beginning counts: what is longer says little more, and costs a batch its memory."""
MOST_DIMENSIONS = 1_024
"""PostgreSQL's index holds rows of at most 2,704 bytes; half-precision vectors of this size fit, with room to spare."""
BATCH_TEXTS = 64
BATCH_CHARACTERS = 32_000
"""A batch is padded to its longest text: texts times longest text is what it costs, and this is its bound."""


class EmbedderAway(Exception):
    """The embedder did not answer, or not in time, or with something else than vectors."""


class Embedder(Protocol):
    """Makes vectors of texts; `model` is the name under which they are kept, and ends with `:<dimensions>`."""

    provider: str
    model: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text, shape (len(texts), dimensions). Raises EmbedderAway."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What is kept of a text: the model that saw it and its vector of norm 1, or None where it has none."""

    model: str
    vector: HalfVector | None


def embed(embedder: Embedder, texts: Sequence[str]) -> list[Embedded]:
    """Each text's vector, in order. Raises EmbedderAway.

    A text whose vector is not finite or has the norm 0 (an empty text) has none: its cosine with anything would be NaN,
    and one NaN would spoil the scaling of a user's whole answer.
    """
    found: list[Embedded | None] = [None] * len(texts)
    cut = [text[:MOST_CHARACTERS] for text in texts]
    for places in batches(cut):
        rows = _checked(embedder, [cut[place] for place in places])
        for place, row in zip(places, rows, strict=True):
            found[place] = Embedded(embedder.model, unit(row))
    return [one for one in found if one is not None]


def batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Places of texts of similar length, so that padding a batch to its longest text costs little."""
    batch: list[int] = []
    for place in sorted(range(len(texts)), key=lambda place: len(texts[place])):
        if batch and (len(batch) == BATCH_TEXTS or (len(batch) + 1) * len(texts[place]) > BATCH_CHARACTERS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _checked(embedder: Embedder, texts: list[str]) -> Matrix:
    rows = embedder.embed(texts)
    if rows.shape != (len(texts), embedder.dimensions):
        expected = (len(texts), embedder.dimensions)
        raise EmbedderAway(f"{embedder.model} gave vectors of shape {rows.shape} instead of {expected}")
    return rows


def unit(row: NDArray[Any]) -> HalfVector | None:
    """The vector scaled to norm 1, so that half precision can hold it; None where it has no direction."""
    values = row.astype(np.float64)  # the squares of the largest single precision fit
    norm = math.sqrt(np.dot(values, values))
    if not math.isfinite(norm) or norm == 0:
        return None
    return HalfVector(values / norm)
