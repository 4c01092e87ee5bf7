"""What the search box finds while one types: a few customers, by the beginning of any of their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.models import MemoryUser

MOST_FOUND = 10
BY = {1: "external id", 2: "e-mail", 3: "name", 4: "last name"}


@dataclass(frozen=True, slots=True)
class Found:
    """A user, and by which of its names it was found; empty where nothing was typed."""

    user: MemoryUser
    by: str = ""


def beginning(text: str) -> list[Found]:
    """At most ten users whose external id, e-mail, name or last name begins so, in this order."""
    if not text or "\x00" in text:
        return []
    rows = statements.fetch_all(statement(__file__, "find_users"), {"beginning": text, "most": MOST_FOUND})
    return _with_users([(user_id, BY[place]) for user_id, place in rows])


def these(user_ids: Sequence[UUID]) -> list[Found]:
    """The users with these ids, in this order; those who are gone are left out."""
    return _with_users([(user_id, "") for user_id in user_ids])


def _with_users(found: list[tuple[UUID, str]]) -> list[Found]:
    users = MemoryUser.objects.in_bulk([user_id for user_id, _ in found]) if found else {}
    return [Found(users[user_id], by) for user_id, by in found if user_id in users]
