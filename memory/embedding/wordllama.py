"""The default embedder: averaged token vectors from a package that brings its weights, 0.05 ms a text, no network."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import wordllama  # type: ignore[import-untyped] # it has no types

from memory.embedding.base import Matrix

# Most calls have one short text: to hand it to a pool of threads and wait costs more than the work.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


class WordLlama:
    """wordllama's `l2_supercat`, 256 dimensions. It may be called from several threads."""

    provider = "wordllama"
    model = "wordllama:256"
    dimensions = 256

    def __init__(self) -> None:
        # Its tokenizer lies beside the code, where `load` looks only when told that this is its cache.
        package = Path(wordllama.__file__).parent
        loaded = wordllama.WordLlama.load(cache_dir=package, dim=self.dimensions, disable_download=True)
        self._tokenizer, self._tokens = loaded.tokenizer, loaded.embedding
        # Its own `embed` fills every text of a batch up to the longest and averages with a mask: for one text that took
        # twice as long, and for a long one among many it took the memory of as many long ones.
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text, the mean of its tokens' vectors. A text without tokens gets a row of zeros."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        # Fast: without the places of the tokens in the text, which nobody asks for.
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for row, encoded in zip(rows, encodings, strict=True):
            if tokens := encoded.ids:
                np.divide(self._tokens.take(tokens, axis=0).sum(axis=0), len(tokens), out=row)
        return rows
