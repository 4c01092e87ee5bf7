"""Before what destroys, whoever sits there proves that it is still the person who signed in; nothing typed is lost."""

from dataclasses import replace

import pytest

from memory.models import Throttle
from ops import roles
from ops.models import Authenticator
from ops.roles import Role
from tests.ops.portal import WHY, text_of, throttle_page
from tests.ops.signing import Visitor
from tests.personas import PASSWORD, hire

pytestmark = pytest.mark.promise("P3")

QUESTION = "You signed in more than 10 min ago"


@pytest.fixture
def throttling_destroys(monkeypatch):
    """As if throttling needed it: the actions that do are no matter of these tests."""
    monkeypatch.setitem(roles.ACTIONS, "throttle", replace(roles.THROTTLE, needs_fresh_sign_in=True))


@pytest.fixture
def stale(sam, throttling_destroys, time_machine_from_now):
    """Sam, ten minutes after signing in."""
    time_machine_from_now(minutes=10)
    return sam


def proves(portal, path, **fields):
    return portal.client.post(path, {"proof-password": PASSWORD, **fields})


def test_nothing_is_asked_shortly_after_signing_in(sam, alice, throttling_destroys):
    assert QUESTION not in sam.reads(throttle_page(alice))
    assert sam.throttles(alice).status_code == 302


def test_the_page_asks_before_it_shows_its_form(stale, alice):
    said = stale.reads(throttle_page(alice))

    assert QUESTION in said
    assert "Throttle this user" not in said


def test_the_right_answer_leads_to_the_form_and_holds_for_a_while(stale, alice):
    answer = proves(stale, throttle_page(alice), proving="looking")

    assert answer.url == throttle_page(alice)
    assert QUESTION not in stale.reads(throttle_page(alice))
    assert stale.throttles(alice).status_code == 302


def test_a_form_that_is_sent_too_late_waits_with_all_that_was_typed(stale, alice):
    answer = stale.throttles(alice, reason="A long\nreason & <more>, HD-2214")

    assert answer.status_code == 403
    assert "What you typed is kept, and is sent with this." in text_of(answer)
    assert ("reason", "A long\nreason & <more>, HD-2214") in answer.context["asked"].carried
    assert "csrfmiddlewaretoken" not in dict(answer.context["asked"].carried)
    assert not Throttle.objects.exists()


def test_and_is_sent_with_the_right_answer(stale, alice):
    waiting = stale.throttles(alice).context["asked"].carried

    answer = proves(stale, throttle_page(alice), proving="sending", **dict(waiting))

    assert answer.status_code == 302
    assert Throttle.objects.get().reason == WHY


def test_a_wrong_answer_does_nothing_and_keeps_what_was_typed(stale, alice):
    waiting = stale.throttles(alice).context["asked"].carried

    answer = proves(stale, throttle_page(alice), proving="sending", **{**dict(waiting), "proof-password": "wrong"})

    assert "That did not work. The password or the code is wrong. 4 tries are left" in text_of(answer)
    assert sorted(answer.context["asked"].carried) == sorted(waiting)
    assert not Throttle.objects.exists()


def test_wrong_answers_lock_as_those_of_signing_in_do(stale, alice):
    for _ in range(5):
        proves(stale, throttle_page(alice), proving="looking", **{"proof-password": "wrong"})

    answer = proves(stale, throttle_page(alice), proving="looking")

    assert answer.status_code == 429
    assert "Too many wrong tries." in text_of(answer)


def test_the_answer_of_somebody_else_is_wrong(stale, alice, vera):
    vera.staff.set_password("the password of vera, long")
    vera.staff.save()

    answer = proves(stale, throttle_page(alice), proving="looking", **{"proof-password": "the password of vera, long"})

    assert "That did not work." in text_of(answer)


def test_who_may_not_take_the_action_is_told_so_instead(vera, alice, throttling_destroys, time_machine_from_now):
    time_machine_from_now(minutes=10)

    assert "cannot throttle users" in vera.reads(throttle_page(alice))


def test_other_pages_do_not_ask(stale):
    assert QUESTION not in stale.reads("/ops/users/")


def test_with_a_second_factor_the_code_is_asked_for_too(
    db, alice, second_factor_is_required, throttling_destroys, time_machine_from_now
):
    sam = Visitor(hire("sam", Role.SUPPORT)).signs_in()
    time_machine_from_now(minutes=10)
    sam.forgets_spent_codes()

    without = proves(sam, throttle_page(alice), proving="looking")
    wrong = proves(sam, throttle_page(alice), proving="looking", **{"proof-code": sam.phone.shows_nothing_like()})
    right = proves(sam, throttle_page(alice), proving="looking", **{"proof-code": sam.phone.shows()})

    assert [answer.status_code for answer in (without, wrong, right)] == [200, 200, 302]


@pytest.mark.parametrize("path", ["/ops/account/second-factor/", "/ops/account/recovery-codes/"])
def test_an_open_window_is_no_way_to_another_second_factor(sam, path, time_machine_from_now):
    time_machine_from_now(minutes=10)

    assert QUESTION in sam.reads(path)
    assert sam.client.post(path, {"code": "000000"}).status_code == 403
    assert not Authenticator.objects.exists()
