from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from memory.models import MemoryUser
from memory.rules.tiers import UserState
from memory.services import users
from memory.services.quotas import UserGone, UserSuspended
from memory.services.users import UserNotActive, UserNotSuspended
from tests.personas import TESTER

WHY = Why("The owner reported a stolen phone", "HD-1")


def suspend(person, noon):
    return users.suspend(person.id, actor=TESTER, why=WHY, now=noon)


def test_a_suspended_user_writes_no_more_and_the_trail_says_why(alice, noon):
    suspend(alice, noon)

    with pytest.raises(UserSuspended):
        alice.writes("One more thing")
    entry = AuditEntry.objects.get(action="user.suspended", subject_id=str(alice.id))
    assert (entry.text.reason, entry.text.ticket) == (WHY.reason, WHY.ticket)
    assert MemoryUser.objects.get(pk=alice.id).state == UserState.SUSPENDED


def test_who_is_suspended_cannot_be_suspended_again(alice, noon):
    suspend(alice, noon)

    with pytest.raises(UserNotActive):
        suspend(alice, noon)


def test_a_resumed_user_writes_again_and_the_trail_says_why(alice, noon):
    suspend(alice, noon)

    entry = users.resume(alice.id, actor=TESTER, why=Why("The phone was found again"), now=noon)

    alice.writes("One more thing")
    assert (entry.action, entry.before, entry.after) == (
        "user.resumed", {"state": "suspended"}, {"state": "active"},
    )  # fmt: skip
    assert entry.text.reason == "The phone was found again"


def test_who_is_not_suspended_cannot_be_resumed(alice, noon):
    with pytest.raises(UserNotSuspended):
        users.resume(alice.id, actor=TESTER, why=WHY, now=noon)


@pytest.mark.parametrize("act", [users.suspend, users.resume])
def test_an_unknown_user_is_neither_suspended_nor_resumed(db, noon, act):
    with pytest.raises(UserGone):
        act(uuid4(), actor=TESTER, why=WHY, now=noon)
