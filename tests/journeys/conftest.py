"""A real Chromium on a real web server, and the people who sit before it."""

import os
import shutil
from collections.abc import Iterator

import pytest

from memory.rules.tiers import Tier
from ops.roles import Role
from tests.journeys.window import DESKTOP, Window
from tests.personas import Person, hire

# Chromium's own sandbox cannot start as root; the pages are ours.
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]


@pytest.fixture(scope="session", autouse=True)
def _database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; Django would refuse to ask the database beside it."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing; on Debian: sudo apt-get install -y chromium"
    return {**browser_type_launch_args, "executable_path": chromium, "args": ARGUMENTS}


@pytest.fixture
def open_window(browser, web):
    """Opens windows: `open_window(scripts=False, size=PHONE, scheme="dark")`."""
    windows = []

    def open_one(*, scripts=True, size=DESKTOP, scheme="light"):
        context = browser.new_context(
            base_url=web.url, viewport=size, color_scheme=scheme, java_script_enabled=scripts, timezone_id="UTC"
        )
        windows.append(Window(context, web.url))
        return windows[-1]

    yield open_one
    for window in windows:
        window.context.close()


@pytest.fixture(scope="session")
def _people(django_db_setup, django_db_blocker):
    """Hired once a process: hashing a password takes half a second."""
    with django_db_blocker.unblock():
        return {role: hire(str(role), role) for role in (Role.SUPPORT, Role.LEAD, Role.VIEWER, Role.OPERATOR)}


@pytest.fixture
def sam(_people):
    """Support."""
    return _people[Role.SUPPORT].username


@pytest.fixture
def lena(_people):
    """A lead."""
    return _people[Role.LEAD].username


@pytest.fixture
def olivia(_people):
    """An operator."""
    return _people[Role.OPERATOR].username


@pytest.fixture
def vera(_people):
    """A viewer."""
    return _people[Role.VIEWER].username


@pytest.fixture
def dana(web):
    """A user with something in each tier, short-term nearly full."""
    person = Person.register("dana", display_name="Dana Whitfield")
    person.fill(Tier.SHORT_TERM, leaving_bytes=176)
    person.writes("Prefers the window seat.", tier=Tier.PERMANENT)
    return person
