"""The staff of the tests, and the portal as each of them sees it."""

import pytest

from ops.roles import Role
from tests.ops.portal import Portal
from tests.personas import hire


@pytest.fixture(autouse=True)
def _passwords_are_hashed_quickly(settings):
    """Half a second for each person of each test would be spent on what these tests do not look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def sam(db):
    """Support."""
    return Portal.of(hire("sam", Role.SUPPORT))


@pytest.fixture
def lena(db):
    """A lead."""
    return Portal.of(hire("lena", Role.LEAD))


@pytest.fixture
def vera(db):
    """A viewer."""
    return Portal.of(hire("vera", Role.VIEWER))


@pytest.fixture
def eve(db):
    """Signs in, and has no role."""
    return Portal.of(hire("eve"))


@pytest.fixture
def stranger(db):
    """Not signed in."""
    return Portal()
