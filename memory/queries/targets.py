"""The user that a call is about. Plain SQL: each API call asks once, and the ORM took longer than the query."""

from dataclasses import dataclass
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.remember import Remembered
from kimberly.lib.sql import statement
from memory.rules.tiers import UserState

REMEMBERED_SECONDS = 1.0  # Another plan or state works within this time, in every process (docs/adr/0009).
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """A user, with what decides whether a call about it may pass."""

    user_id: UUID
    external_id: str
    state: UserState
    plan: str
    write_per_minute: int
    query_per_minute: int


_by_external_id: Remembered[str, Target] = Remembered(seconds=REMEMBERED_SECONDS, most=MOST_REMEMBERED)
_by_id: Remembered[UUID, Target] = Remembered(seconds=REMEMBERED_SECONDS, most=MOST_REMEMBERED)


def by_external_id(external_id: str) -> Target | None:
    """The user with the client's own id, at most a second old; None for unknown and erased ones."""
    return _by_external_id.get(external_id, lambda wanted: _target("user_by_external_id", external_id=wanted))


def by_id(user_id: UUID) -> Target | None:
    """The user with our id, at most a second old."""
    return _by_id.get(user_id, lambda wanted: _target("user_by_id", user_id=wanted))


def by_item(item_id: UUID) -> Target | None:
    """The user whose item this is; None for unknown and purged items."""
    return _target("user_by_item", item_id=item_id)


def by_any_item(item_id: UUID) -> Target | None:
    """The same, for purged items as well."""
    return _target("user_by_any_item", item_id=item_id)


def _target(name: str, **parameters: UUID | str) -> Target | None:
    row = statements.fetch_one(statement(__file__, name), parameters)
    return Target(row[0], row[1], UserState(row[2]), *row[3:]) if row else None
