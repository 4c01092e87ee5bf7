"""Callers over HTTP in place of the people of the database tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.api.callers import Caller, service_client
from tests.api.plans import make_plan
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


OnPlan = Callable[..., Caller]


@pytest.fixture
def on_plan(web: WebServer) -> Iterator[OnPlan]:
    """Makes people on a plan of their own: on_plan(archived_bytes=100)."""
    with ExitStack() as stack:

        def register(**limits: Any) -> Caller:
            caller = Caller.of(web, "carol", plan=make_plan(**limits))
            stack.enter_context(caller.http)
            return caller

        yield register


@pytest.fixture
def service(web: WebServer) -> Iterator[httpx.Client]:
    """A program with a key that is bound to nobody and has every scope."""
    with service_client(web) as client:
        yield client
