"""No embedder: memories are found by their words alone."""

from collections.abc import Sequence

from memory.embedding.base import EmbedderAway, Matrix


class NoEmbedder:
    """Says that it is away, whatever it is asked."""

    provider = "none"
    model = "none:1"
    dimensions = 1

    def embed(self, texts: Sequence[str]) -> Matrix:
        raise EmbedderAway("no embedder is set")
