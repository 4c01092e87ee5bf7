"""The trail's owner, who can break what the app's role cannot; servers that have counted nothing yet."""

from collections.abc import Iterator

import pytest

from tests.audit.conftest import as_owner
from tests.web import WebServer

__all__ = ["as_owner"]


@pytest.fixture
def fresh_web(committed_db: None) -> Iterator[WebServer]:
    """A server that has counted nothing yet."""
    with WebServer() as server:
        yield server


@pytest.fixture(scope="module")
def unasked_web(django_db_setup: None) -> Iterator[WebServer]:
    """A server that is never asked for anything but /metrics."""
    with WebServer() as server:
        yield server
