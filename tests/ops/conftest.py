"""The staff of the tests, and the portal as each of them sees it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from kimberly.web import redisclient
from memory.embedding import chosen
from memory.rules import brakes
from memory.rules.tiers import Tier
from memory.services import embeddings, items
from ops.roles import Role
from tests.ops.portal import Portal
from tests.personas import NOON, TESTER, Person, hire


@pytest.fixture(autouse=True)
def _passwords_are_hashed_quickly(settings):
    """Half a second for each person of each test would be spent on what these tests do not look at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clock_at_noon():
    """The clock of the test, which stands until it is moved."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def time_machine_from_now():
    """Moves the clock on: `time_machine_from_now(minutes=15)`. Until then it runs as everywhere."""
    with ExitStack() as moved:
        yield lambda **span: moved.enter_context(time_machine.travel(datetime.now(UTC) + timedelta(**span)))


@pytest.fixture
def second_factor_is_required(settings):
    """As everywhere but in a demo."""
    settings.KIMBERLY = replace(settings.KIMBERLY, second_factor=True)


@pytest.fixture
def second_factor_is_not_required(settings):
    """As in a demo."""
    settings.KIMBERLY = replace(settings.KIMBERLY, second_factor=False)


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
def olivia(db):
    """An operator."""
    return Portal.of(hire("olivia", Role.OPERATOR))


@pytest.fixture
def no_brake_holds(monkeypatch):
    """Of so few items each night archives a large share."""
    monkeypatch.setattr(brakes, "RUN_CAP_SHARE", 1.0)


@pytest.fixture
def eve(db):
    """Signs in, and has no role."""
    return Portal.of(hire("eve"))


@pytest.fixture
def stranger(db):
    """Not signed in."""
    return Portal()


@pytest.fixture
def change_embedder(settings: Any) -> Iterator[Callable[..., None]]:
    """Change the embedder: to one at an address (`http`; where nobody listens unless given), or to none (`none`)."""

    def forget() -> None:
        chosen.current.cache_clear()
        chosen.of_model.cache_clear()
        embeddings.wake()

    def change(embedder: str, url: str = "http://127.0.0.1:9") -> None:
        where = {"embedder_url": url, "embedder_model": "test-model", "embedder_dimensions": 16}
        settings.KIMBERLY = replace(settings.KIMBERLY, embedder=embedder, **where)
        forget()

    yield change
    forget()


@pytest.fixture
def dana(db):
    """Somebody with four memories, the last of them archived."""
    person = Person.register("dana", display_name="Dana Whitfield")
    person.writes("Prefers the window seat on long flights.", metadata={"tags": ["travel"], "session": "s1"})
    person.writes("Is allergic to hazelnuts.", tier=Tier.PERMANENT, metadata={"tags": ["food"], "speaker": "Ines"})
    person.writes("Went to the dentist in Utrecht.", at=NOON + timedelta(hours=1), metadata={"session": "s1"})
    old = person.writes("Flew from Lisbon to Utrecht in a window seat.")
    embeddings.embed_late(seconds=10)
    items.delete_item(old.id, user_id=person.id, actor=TESTER, now=NOON)
    return person


@pytest.fixture
def reader(lena, dana):
    """A lead to whom Dana's content is revealed."""
    lena.reveals(dana)
    return lena


@pytest.fixture
def lose_redis(monkeypatch):
    """Lose it for the rest of the test, as in the second after a failure; tests/faults has it killed for good."""
    monkeypatch.setattr(redisclient, "REST_SECONDS", 600)

    def lose():
        redisclient._rest.begin()
        with pytest.raises(redisclient.RedisAway):
            redisclient.ask(lambda client: client.ping())

    yield lose
    redisclient._rest.end()
