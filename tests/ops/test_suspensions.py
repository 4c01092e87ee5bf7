"""Suspending and resuming a user from the portal."""

import pytest

from kimberly.audit.models import AuditEntry
from memory.models import MemoryUser
from memory.rules.tiers import UserState
from tests.ops.portal import WHY, suspend_page, text_of, user_page
from tests.personas import Person

pytestmark = pytest.mark.usefixtures("clock_at_noon")


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


def state_of(person):
    return MemoryUser.objects.get(pk=person.id).state


def test_a_lead_suspends_and_resumes_and_both_are_told(lena, dana):
    suspended = lena.suspends(dana, ticket="HD-9")
    assert state_of(dana) == UserState.SUSPENDED
    assert "Suspended: no writes and no queries. Undo" in lena.reads(suspended.url)

    resumed = lena.resumes(dana, reason="The phone was found again")

    entries = AuditEntry.objects.filter(actor_kind="staff").order_by("pk")
    assert state_of(dana) == UserState.ACTIVE
    assert "Resumed: writes and queries go on." in lena.reads(resumed.url)
    assert [(entry.action, entry.text.reason) for entry in entries] == [
        ("user.suspended", WHY),
        ("user.resumed", "The phone was found again"),
    ]


@pytest.mark.parametrize("typed", ["", "dana", "usr_0"])
def test_suspending_asks_to_type_whom_it_is_about(lena, dana, typed):
    answer = lena.suspends(dana, whom=typed)

    assert answer.status_code == 422
    assert f"Type {dana.external_id}" in text_of(answer)
    assert state_of(dana) == UserState.ACTIVE


def test_support_is_told_that_a_lead_suspends(sam, dana):
    page, answer = sam.reads(suspend_page(dana)), sam.suspends(dana)

    assert f"{sam.staff.username} (support) cannot suspend users: lead can." in page
    assert (answer.status_code, state_of(dana)) == (403, UserState.ACTIVE)


def test_what_was_typed_is_shown_to_whoever_suspends_second(lena, dana):
    lena.suspends(dana)

    answer = lena.suspends(dana, reason="The owner called once more")

    text = text_of(answer)
    assert answer.status_code == 409
    assert "This user is suspended already." in text
    assert "What you typed was not kept: The owner called once more" in text


def test_who_is_not_suspended_is_not_resumed(lena, dana):
    answer = lena.resumes(dana)

    assert answer.status_code == 409
    assert "This user is not suspended: there is nothing to resume." in text_of(answer)


def test_the_page_offers_to_resume_only_while_the_user_is_suspended(lena, dana):
    before = lena.reads(user_page(dana))
    lena.suspends(dana)

    assert "Resume" not in before
    assert "Resume writes and queries go on" in lena.reads(user_page(dana))
