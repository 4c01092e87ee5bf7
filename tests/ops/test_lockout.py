"""Five wrong passwords or five wrong codes lock for a quarter of an hour; it is recorded, counted, and ends."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
from axes.models import AccessAttempt
from django.conf import global_settings

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from kimberly.lib.metrics import SharedCounter
from ops import sealed
from ops.models import Authenticator
from ops.roles import Role
from ops.services import secondfactors
from tests.counts import rounds
from tests.ops.portal import text_of
from tests.ops.signing import CODE, LOGIN, Phone, Visitor
from tests.personas import PASSWORD, TESTER, hire, unique
from tests.web import WebServer

pytestmark = [pytest.mark.promise("P2"), pytest.mark.usefixtures("second_factor_is_required")]

LIMIT = 5
LOCKED = "Too many wrong tries. Signing in with this name waits until"


@pytest.fixture
def olivia(db):
    return Visitor(hire("olivia", Role.OPERATOR))


@pytest.fixture
def enrolled(olivia):
    """Olivia with a second factor, signed out."""
    return olivia.signs_in().elsewhere()


@pytest.fixture
def web(web, settings):
    """The web server, which takes no password that was hashed as quickly as in the tests of pages."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    return web


def fails_with_passwords(visitor, times=LIMIT, **options):
    return [visitor.gives_password("wrong", **options) for _ in range(times)][-1]


def fails_with_codes(visitor, times=LIMIT, **options):
    return [visitor.gives_code(visitor.phone.shows_nothing_like(), **options) for _ in range(times)][-1]


def locks():
    return list(AuditEntry.objects.filter(action="staff.locked").order_by("pk"))


def test_it_says_how_many_tries_are_left(olivia):
    said = [text_of(olivia.gives_password("wrong")) for _ in range(4)]

    for left, text in zip((4, 3, 2), said, strict=False):
        assert f"{left} tries are left; then this name waits 15 min." in text
    assert "1 try is left" in said[3]


def test_five_wrong_passwords_lock_the_right_one_out(olivia):
    fifth = fails_with_passwords(olivia)

    answer = olivia.gives_password()

    for locked in (fifth, answer):
        assert locked.status_code == 429
        assert LOCKED in text_of(locked)
        assert "15 min left" in text_of(locked)
        assert 0 < int(locked["Retry-After"]) <= 900
    assert not olivia.is_in()


def test_five_wrong_codes_lock_the_right_one_out(enrolled):
    enrolled.forgets_spent_codes()
    enrolled.gives_password()
    fifth = fails_with_codes(enrolled)

    answer = enrolled.gives_code(enrolled.phone.shows())

    assert (fifth.status_code, answer.status_code) == (429, 429)
    assert LOCKED in text_of(answer)
    assert not enrolled.is_in()


def test_a_recovery_code_does_not_pass_the_lock(enrolled):
    enrolled.gives_password()
    fails_with_codes(enrolled)

    enrolled.gives_code(enrolled.recovery_codes[0])

    assert not enrolled.is_in()


def test_wrong_codes_lock_from_every_address_and_after_a_new_password_step(enrolled):
    """Who sends codes knows the password: other addresses and sessions are no new tries."""
    enrolled.forgets_spent_codes()
    enrolled.gives_password()
    for number in range(LIMIT):
        fails_with_codes(enrolled, 1, REMOTE_ADDR=f"10.0.0.{number}", HTTP_USER_AGENT=f"browser {number}")

    other = enrolled.elsewhere()
    other.gives_password(REMOTE_ADDR="10.9.9.9")
    answer = other.gives_code(other.phone.shows(), REMOTE_ADDR="10.9.9.9")

    assert answer.status_code == 429
    assert not other.is_in()


def test_wrong_passwords_lock_from_their_address_alone(olivia):
    """A stranger who knows a name cannot keep its owner out."""
    fails_with_passwords(olivia, REMOTE_ADDR="203.0.113.9")

    olivia.signs_in(REMOTE_ADDR="192.0.2.1")

    assert olivia.is_in()


def test_another_browser_is_no_new_try(olivia):
    for number in range(LIMIT):
        fails_with_passwords(olivia, 1, HTTP_USER_AGENT=f"browser {number}")

    assert olivia.gives_password(HTTP_USER_AGENT="yet another").status_code == 429


def test_nobody_else_is_locked_behind_the_same_proxy(olivia):
    fails_with_passwords(olivia)

    assert Visitor(hire("vera", Role.VIEWER)).signs_in().is_in()


@pytest.mark.parametrize(("proxies", "is_locked"), [(0, True), (1, False)])
def test_behind_trusted_proxies_the_address_is_the_one_they_saw(olivia, settings, proxies, is_locked):
    settings.KIMBERLY = replace(settings.KIMBERLY, trusted_proxies=proxies)
    fails_with_passwords(olivia, HTTP_X_FORWARDED_FOR="192.0.2.1, 203.0.113.9")

    answer = olivia.gives_password(HTTP_X_FORWARDED_FOR="203.0.113.9, 192.0.2.1")

    assert (answer.status_code == 429) is is_locked


def test_a_name_that_nobody_has_is_told_the_same(olivia):
    nobody = unique("nobody")

    def answers(name):
        texts = [text_of(olivia.gives_password("wrong", name=name)).replace(name, "NAME") for _ in range(LIMIT + 1)]
        return [text.rpartition("Shown as of")[0] for text in texts]

    assert answers(nobody) == answers(olivia.staff.username)


def test_it_ends_by_itself_and_trying_on_does_not_make_it_longer(olivia, time_machine_from_now):
    fails_with_passwords(olivia)
    time_machine_from_now(minutes=14)
    assert fails_with_passwords(olivia, 20).status_code == 429

    time_machine_from_now(minutes=1, seconds=1)

    assert olivia.gives_password().status_code == 302


def test_a_sign_in_that_works_forgets_what_was_wrong(olivia):
    fails_with_passwords(olivia, LIMIT - 1)
    olivia.signs_in()
    visitor = olivia.elsewhere()

    fails_with_passwords(visitor, LIMIT - 1)

    assert visitor.gives_password().status_code == 302


def test_the_password_alone_forgets_nothing(enrolled):
    """Else who knows it could try codes for ever."""
    for _ in range(LIMIT):
        enrolled.gives_password()
        fails_with_codes(enrolled, 1)

    enrolled.forgets_spent_codes()
    enrolled.gives_password()

    assert enrolled.gives_code(enrolled.phone.shows()).status_code == 429


def test_a_lock_is_recorded_once_with_when_it_ends(olivia):
    fails_with_passwords(olivia, LIMIT + 3, REMOTE_ADDR="203.0.113.9")

    (entry,) = locks()
    assert (entry.subject_kind, entry.subject_id) == ("staff", str(olivia.staff.pk))
    assert entry.after["step"] == "password"
    assert entry.after["address"] == "203.0.113.9"
    assert entry.after["until"] > clock.utc_now().isoformat()


def test_names_that_nobody_has_do_not_fill_the_trail(olivia):
    fails_with_passwords(Visitor(), name=unique("nobody"))

    assert locks() == []


def test_wrong_tries_and_locks_are_counted(olivia, django_capture_on_commit_callbacks):
    SharedCounter.take()
    with django_capture_on_commit_callbacks(execute=True):
        fails_with_passwords(olivia)

    counted = {name: count for (name, labels), count in SharedCounter.take().items() if labels == ("password",)}
    assert counted == {"kimberly_staff_sign_in_failures_total": 5, "kimberly_staff_lockouts_total": 1}


def test_what_was_typed_is_kept_nowhere(olivia, caplog):
    """People type passwords into the wrong field."""
    with caplog.at_level(logging.DEBUG):
        for _ in range(LIMIT + 1):
            olivia.gives_password("canary-password", name="canary-name")

    assert "canary" not in str(list(AccessAttempt.objects.values()))
    assert "canary" not in str(list(AuditEntry.objects.values()))
    assert "canary" not in caplog.text


def test_of_ipv6_a_whole_network_is_one_address(olivia):
    """A household has more addresses than there are passwords."""
    for number in range(LIMIT):
        fails_with_passwords(olivia, 1, REMOTE_ADDR=f"2001:db8:0:7::{number + 1:x}")

    assert olivia.gives_password(REMOTE_ADDR="2001:db8:0:7:ffff::1").status_code == 429
    assert olivia.gives_password(REMOTE_ADDR="2001:db8:0:8::1").status_code == 302


def test_one_who_is_no_staff_learns_nothing_from_a_right_password(olivia):
    olivia.staff.is_staff = False
    olivia.staff.save()

    said = [text_of(olivia.gives_password()) for _ in range(2)]

    assert "4 tries are left" in said[0]
    assert "3 tries are left" in said[1]


def post(browser, path, **fields):
    """Send the form of this page as a browser does."""
    token = browser.get(path).text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    sent = {"csrfmiddlewaretoken": token, **fields}
    return browser.post(path, data=sent, headers={"Origin": str(browser.base_url).rstrip("/")})


@pytest.mark.slow
def test_tries_that_come_at_once_are_counted_one_by_one(web):
    """django-axes looks, checks and counts in three steps: between them others would slip through."""
    for _ in range(rounds(1, 10)):
        name, started = hire("otto", Role.VIEWER).username, clock.utc_now()

        def tries(number, name=name):
            with web.client() as browser:
                return post(browser, LOGIN, username=name, password=f"wrong {number}").status_code

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(tries, range(16)))

        counted = AccessAttempt.objects.filter(attempt_time__gte=started).values_list("failures_since_start", flat=True)
        assert sum(counted) == LIMIT
        assert sorted(answers) == [200] * 4 + [429] * 12


@pytest.mark.slow
def test_a_code_that_comes_several_times_at_once_lets_one_in(web):
    for _ in range(rounds(1, 10)):
        otto, secret = hire("otto", Role.VIEWER), sealed.new_secret()
        phone = Phone(secret)
        secondfactors.set_up(person=otto, secret=secret, code=phone.shows(), actor=TESTER, now=clock.utc_now())
        Authenticator.objects.filter(user=otto).update(last_step=-1)
        with ExitStack() as opened:
            browsers = [opened.enter_context(web.client()) for _ in range(LIMIT - 1)]  # more wrong ones would lock
            for browser in browsers:
                assert post(browser, LOGIN, username=otto.username, password=PASSWORD).status_code == 302

            with ThreadPoolExecutor(len(browsers)) as pool:
                answers = list(pool.map(lambda browser, phone=phone: post(browser, CODE, code=phone.shows()), browsers))

            assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 302]
            assert sorted(browser.get("/ops/users/").status_code for browser in browsers) == [200, 302, 302, 302]


@pytest.mark.slow
def test_with_redis_away_people_sign_in_and_are_locked_all_the_same(web):
    vera, otto = hire("vera", Role.VIEWER), hire("otto", Role.VIEWER)
    lost = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    with WebServer(workers=1, environment=lost) as server, server.client() as browser:
        for _ in range(LIMIT):
            post(browser, LOGIN, username=otto.username, password="wrong")
        assert post(browser, LOGIN, username=otto.username, password=PASSWORD).status_code == 429
        assert browser.get("/ops/users/").status_code == 302

        assert post(browser, LOGIN, username=vera.username, password=PASSWORD).status_code == 302
        assert browser.get("/ops/users/").status_code == 200
