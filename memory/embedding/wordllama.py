"""The default embedder: averaged token vectors from a package that brings its weights. No network, 0.1 ms a text."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import wordllama  # type: ignore[import-untyped] # it has no types

from memory.embedding.base import Matrix


class WordLlama:
    """wordllama's `l2_supercat`, 256 dimensions. It may be called from several threads."""

    provider = "wordllama"
    model = "wordllama:256"
    dimensions = 256

    def __init__(self) -> None:
        # Its tokenizer lies beside the code, where `load` looks only when told that this is its cache.
        package = Path(wordllama.__file__).parent
        self._model = wordllama.WordLlama.load(cache_dir=package, dim=self.dimensions, disable_download=True)

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text. A text without tokens gets a row of zeros."""
        return np.asarray(self._model.embed(list(texts)), dtype=np.float32)
