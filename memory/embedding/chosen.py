"""Which embedder the settings choose, and which one made a vector that is there already."""

from functools import cache

from django.conf import settings

from memory.embedding.base import Embedder
from memory.embedding.http import HttpEmbedder
from memory.embedding.nothing import NoEmbedder
from memory.embedding.wordllama import WordLlama


@cache
def current() -> Embedder:
    """The embedder of new vectors."""
    config = settings.KIMBERLY
    if config.embedder == "http":
        return _http(config.embedder_model, config.embedder_dimensions)
    return _wordllama() if config.embedder == "wordllama" else NoEmbedder()


@cache
def of_model(model: str) -> Embedder | None:
    """The embedder that made vectors of this model, or None where the settings know none any more.

    After a change of model it embeds queries until every item has a vector of the new one.
    """
    if model == current().model:
        return current()
    if model == WordLlama.model:
        return _wordllama()
    name, _, dimensions = model.removeprefix("http/").rpartition(":")
    if model.startswith("http/") and settings.KIMBERLY.embedder_url:
        return _http(name, int(dimensions))
    return None


@cache
def _wordllama() -> Embedder:
    return WordLlama()


def _http(name: str, dimensions: int) -> Embedder:
    config = settings.KIMBERLY
    return HttpEmbedder(
        url=config.embedder_url,
        name=name,
        dimensions=dimensions,
        key=config.embedder_key,
        timeout_seconds=config.embedder_timeout_seconds,
    )
