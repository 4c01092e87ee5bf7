"""Fixtures: the database as migrated by its owner, the people of the tests, and a web server for tests over HTTP.

Rollback tests ask for `db`. Tests over HTTP ask for `web`, whose fixture opens the database without a transaction: what
they write is committed, so they make people of their own and compare with figures of their own.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from kimberly.lib.remember import forget_everything
from tests.personas import NOON, Person
from tests.web import WebServer


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Migrate as the owner; the tests then run as the app's role, with its rights and no others."""
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0, interactive=False)


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_looked_for_when_asked() -> None:
    """Each test client would list them all anew, for 20 ms; the web server of the tests does as any other."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database without a transaction around the test."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """People, keys and throttles of one test must not be known to the next."""
    forget_everything()


@pytest.fixture(scope="session")
def web_server(django_db_setup: None) -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def web(web_server: WebServer, committed_db: None) -> WebServer:
    """The web server of this test process, with the database open to the test as well."""
    return web_server


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def alice(db: None) -> Person:
    return Person.register("alice")


@pytest.fixture
def bob(db: None) -> Person:
    return Person.register("bob")
