"""The embedder of a test: the real one, an endpoint, or none."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from memory.embedding import chosen
from memory.services import embeddings
from tests.embedding.endpoint import Endpoint

DIMENSIONS = 16


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def choose(settings: Any) -> Iterator[Callable[..., None]]:
    """Change the embedder's settings as a restart of the process would."""

    def forget() -> None:
        chosen.current.cache_clear()
        chosen.of_model.cache_clear()
        embeddings.wake()

    def change(embedder: str, **more: Any) -> None:
        settings.KIMBERLY = replace(settings.KIMBERLY, embedder=embedder, **more)
        forget()

    yield change
    forget()


@pytest.fixture
def by_http(choose: Callable[..., None], endpoint: Endpoint) -> Endpoint:
    """The endpoint, chosen as the embedder."""
    choose("http", embedder_url=endpoint.url, embedder_model="test-model", embedder_dimensions=DIMENSIONS)
    return endpoint
