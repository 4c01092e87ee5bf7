"""Callers over HTTP in place of the people of the database tests."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.callers import Caller, service_client
from tests.web import WebServer


@pytest.fixture
def alice(web: WebServer) -> Iterator[Caller]:
    caller = Caller.of(web, "alice")
    with caller.http:
        yield caller


@pytest.fixture
def bob(web: WebServer) -> Iterator[Caller]:
    caller = Caller.of(web, "bob")
    with caller.http:
        yield caller


@pytest.fixture
def service(web: WebServer) -> Iterator[httpx.Client]:
    """A program with a key that is bound to nobody and has every scope."""
    with service_client(web) as client:
        yield client
