"""Any endpoint that speaks OpenAI's embeddings API."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException

import numpy as np

from memory.embedding.base import EmbedderAway, Matrix


class HttpEmbedder:
    """`POST <url>` with {model, input, dimensions} -> {data: [{index, embedding}]}."""

    provider = "http"

    def __init__(self, *, url: str, name: str, dimensions: int, key: str, timeout_seconds: float) -> None:
        self.model = f"http/{name}:{dimensions}"
        self.dimensions = dimensions
        self._url = url
        self._name = name
        self._headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._timeout_seconds = timeout_seconds

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text. Raises EmbedderAway for whatever is not an answer with as many vectors."""
        asked = {"model": self._name, "input": list(texts), "dimensions": self.dimensions, "encoding_format": "float"}
        request = urllib.request.Request(self._url, json.dumps(asked).encode(), self._headers)  # noqa: S310 # config allows http and https only
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:  # noqa: S310
                return self._rows(json.load(answer), len(texts))
        except urllib.error.HTTPError as error:
            error.close()  # its body may quote what was sent
            raise EmbedderAway(f"{self.model}: HTTP status {error.code}") from None
        except (OSError, HTTPException) as error:
            raise EmbedderAway(f"{self.model}: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise EmbedderAway(f"{self.model} gave no list of vectors ({type(error).__name__})") from error

    def _rows(self, answer: dict[str, list[dict[str, object]]], number: int) -> Matrix:
        rows = np.full((number, self.dimensions), np.nan, dtype=np.float32)
        for one in answer["data"]:
            place = int(str(one["index"]))
            with np.errstate(over="ignore"):
                vector = np.asarray(one["embedding"], dtype=np.float32)
            # A vector of another length is no vector of this model: the text stays without one.
            if 0 <= place < number and vector.shape == (self.dimensions,):
                rows[place] = vector
        return rows
