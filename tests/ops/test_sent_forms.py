"""What is sent takes effect once: sent twice, sent again when it was refused, and changed and sent again."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine

from kimberly.audit.models import AuditEntry
from memory.models import QuotaOverride, Throttle
from ops.models import SentForm
from tests.ops.portal import local, text_of
from tests.personas import NOON, Person

pytestmark = pytest.mark.usefixtures("clock_at_noon")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


@pytest.mark.promise("P7")
@pytest.mark.parametrize("action", ["throttles", "raises"])
def test_a_form_that_is_sent_twice_has_one_effect(sam, dana, action):
    token = uuid4()

    answers = [getattr(sam, action)(dana, once=token) for _ in range(3)]

    assert len({answer.url for answer in answers}) == 1
    assert Throttle.objects.count() + QuotaOverride.objects.count() == 1
    assert AuditEntry.objects.filter(actor_kind="staff").count() == 1


@pytest.mark.promise("P7")
def test_a_form_that_was_sent_and_changed_and_sent_again_says_that_it_was_not_done(sam, dana):
    """Back in the browser, other calls chosen, sent: the page must not look as if that had been done."""
    token = uuid4()
    sam.throttles(dana, once=token)

    answer = sam.throttles(dana, once=token, scope="query")

    assert answer.status_code == 409
    assert "It has been changed since: what it says now was not done." in text_of(answer)
    assert list(Throttle.objects.values_list("scope", flat=True)) == ["write"]
    [token_now] = re.findall(r'name="once" value="([^"]+)"', answer.content.decode())
    assert sam.throttles(dana, once=token_now, scope="query").status_code == 302
    assert sorted(Throttle.objects.values_list("scope", flat=True)) == ["query", "write"]


@pytest.mark.promise("P7")
def test_lifting_twice_with_one_form_is_told_as_one(sam, dana):
    throttle, token = dana.is_throttled(at=NOON - HOUR, until=NOON + HOUR), uuid4()

    first, second = (sam.lifts(throttle, once=token) for _ in range(2))

    assert first.url == second.url
    assert AuditEntry.objects.filter(action="throttle.lifted").count() == 1


def test_a_form_that_was_refused_may_be_sent_again(sam, dana):
    token = uuid4()
    sam.throttles(dana, once=token, end="at", ends_at=local(NOON - DAY))

    answer = sam.throttles(dana, once=token)

    assert answer.status_code == 302


def test_tokens_are_forgotten_after_two_days(sam, dana):
    sam.throttles(dana)

    with time_machine.travel(NOON + 3 * DAY, tick=False):
        sam.throttles(dana)

    assert SentForm.objects.count() == 1
