"""Nobody gets in with a password alone, and a code gets in once."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from kimberly.audit.models import AuditEntry
from kimberly.lib.vault import Vault
from ops import sealed, urls
from ops.models import Authenticator, RecoveryCode
from ops.roles import PAGES, Role
from ops.services import secondfactors
from tests.counts import rounds
from tests.ops.portal import Portal, text_of
from tests.ops.signing import CODE, LOGIN, SET_UP, Visitor
from tests.personas import NOON, TESTER, hire

pytestmark = [pytest.mark.promise("P2"), pytest.mark.usefixtures("second_factor_is_required")]


@pytest.fixture
def olivia(db):
    return Visitor(hire("olivia", Role.OPERATOR))


@pytest.fixture
def enrolled(olivia):
    """Olivia with a second factor, signed out."""
    olivia.signs_in()
    return olivia.elsewhere()


def kept_of(action):
    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


def test_after_the_password_alone_no_page_opens(olivia):
    answer = olivia.gives_password()

    assert answer.url == f"{SET_UP}?next=/ops/"
    addresses = ["/ops/users/", "/ops/refusals/", "/ops/account/", "/admin/password_change/", "/admin/"]
    assert {path: olivia.opens(path).status_code for path in addresses} == dict.fromkeys(addresses, 302)


@pytest.mark.parametrize("pattern", urls.urlpatterns, ids=lambda pattern: pattern.name)
def test_no_page_opens_to_a_session_without_the_second_factor(olivia, pattern):
    """A session from before it was required."""
    lacking, path = Portal.of(olivia.staff), str(pattern.pattern)
    for kind, value in {"str": "usr_" + "0" * 32, "int": "1", "uuid": str(UUID(int=1))}.items():
        path = re.sub(rf"<{kind}:\w+>", value, path)

    answers: list[Any] = [lacking.client.get(f"/ops/{path}"), lacking.client.post(f"/ops/{path}")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert all(answer.url.startswith(LOGIN) for answer in answers)
    assert f"ops:{pattern.name}" in PAGES


def test_the_first_sign_in_sets_the_second_factor_up_and_opens_the_portal(olivia):
    olivia.gives_password()

    answer = olivia.sets_up()

    assert "Keep your recovery codes" in text_of(answer)
    assert len(set(olivia.recovery_codes)) == 10
    assert olivia.is_in()
    assert kept_of("staff.second_factor_set")[0].actor_id == str(olivia.staff.pk)


def test_a_wrong_code_sets_nothing_up(olivia):
    olivia.gives_password()

    answer = olivia.client.post(SET_UP, {"code": "000000"})

    assert "This is not the code that the app shows now." in text_of(answer)
    assert not Authenticator.objects.exists()
    assert not olivia.is_in()


def test_who_only_knows_the_password_sets_no_other_authenticator_up_beside_it(olivia):
    thief = Visitor(olivia.staff)
    thief.gives_password()
    olivia.signs_in()

    answer = thief.sets_up()

    assert answer.url.startswith(LOGIN)
    assert not thief.is_in()
    assert Authenticator.objects.count() == 1


def test_who_has_one_is_led_from_the_page_that_sets_one_up_to_the_code(enrolled):
    enrolled.gives_password()

    assert enrolled.client.get(f"{SET_UP}?next=/ops/burst/").url == f"{CODE}?next=/ops/burst/"


def test_from_then_on_the_code_is_asked_for(enrolled):
    enrolled.forgets_spent_codes()

    assert enrolled.gives_password().url == f"{CODE}?next=/ops/"
    assert not enrolled.is_in()
    assert enrolled.gives_code(enrolled.phone.shows()).url == "/ops/"
    assert enrolled.is_in()


def test_a_code_works_once(enrolled):
    for _ in range(rounds(1, 10)):
        enrolled.forgets_spent_codes()
        first, second, code = enrolled.elsewhere(), enrolled.elsewhere(), enrolled.phone.shows()
        for visitor in (first, second):
            visitor.gives_password()
            visitor.gives_code(code)

        assert (first.is_in(), second.is_in()) == (True, False)


def test_the_code_that_set_it_up_is_spent_as_well(enrolled):
    enrolled.gives_password()

    enrolled.gives_code(enrolled.phone.shows())

    assert not enrolled.is_in()


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "0" * 41, "' OR 1=1 --", "aaaa-aaaa-aaaa-aaaa"]
)
def test_anything_else_is_one_answer(enrolled, code):
    enrolled.gives_password()

    assert "That did not work." in text_of(enrolled.gives_code(code))
    assert not enrolled.is_in()


def test_a_recovery_code_signs_in_once_and_it_is_recorded(enrolled):
    code = enrolled.recovery_codes[3]
    first, second = enrolled.elsewhere(), enrolled.elsewhere()
    for visitor in (first, second):
        visitor.gives_password()
        visitor.gives_code(code.upper().replace("-", " "))

    assert (first.is_in(), second.is_in()) == (True, False)
    used = kept_of("staff.recovery_code_used")
    assert [entry.after for entry in used] == [{"left": 9}]
    assert kept_of("staff.signed_in")[-1].after["second_factor"] == "recovery-code"


def test_somebody_elses_recovery_code_is_nothing(enrolled):
    thief = Visitor(hire("thief", Role.VIEWER)).signs_in().elsewhere()
    thief.gives_password()

    thief.gives_code(enrolled.recovery_codes[0])

    assert not thief.is_in()


def test_the_code_comes_too_late_after_a_quarter_of_an_hour(enrolled, time_machine_from_now):
    enrolled.gives_password()

    time_machine_from_now(minutes=15)
    answer = enrolled.gives_code(enrolled.phone.shows())

    assert "More than 15 min went by" in text_of(enrolled.opens(answer.url))
    assert not enrolled.is_in()


def test_a_new_password_takes_the_step_back_that_the_old_one_made(enrolled):
    enrolled.forgets_spent_codes()
    enrolled.gives_password()
    enrolled.staff.set_password("another long one for the portal")
    enrolled.staff.save()

    enrolled.gives_code(enrolled.phone.shows())

    assert not enrolled.is_in()


def test_the_step_after_the_password_has_a_key_of_its_own(olivia):
    """Who planted a cookie before learns nothing of what follows."""
    olivia.gives_password()
    planted = olivia.client.cookies.copy()

    olivia.sets_up()
    thief = Visitor(olivia.staff)
    thief.client.cookies = planted

    assert olivia.is_in()
    assert not thief.is_in()


def test_the_database_holds_no_secret_no_code_and_no_key_in_clear(olivia):
    olivia.gives_password()
    key_halfway = next(iter(olivia.client.cookies.values())).value
    olivia.sets_up()
    secret = sealed.vault().open(Authenticator.objects.get().sealed_secret)
    keys = [cookie.value for cookie in olivia.client.cookies.values()]

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM authenticator t")
        kept = cursor.fetchone()[0]
        for table in ("recovery_code", "staff_session", "audit_entry", "axes_accessattempt"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            kept += cursor.fetchone()[0]

    canaries = [
        secret,
        key_halfway,
        *keys,
        *olivia.recovery_codes,
        *(c.replace("-", "") for c in olivia.recovery_codes),
    ]
    assert [canary for canary in canaries if canary in kept] == []


def test_a_secret_stays_readable_when_a_new_key_is_put_in_front(db):
    old, new = ("b2xk" * 11)[:43] + "=", ("bmV3" * 11)[:43] + "="
    kept = Vault([old]).seal("JBSWY3DP")

    both = Vault([new, old])

    assert both.open(kept) == "JBSWY3DP"
    assert Vault([new]).open(both.seal("JBSWY3DP")) == "JBSWY3DP"


def test_without_a_second_factor_the_demo_says_so(olivia, second_factor_is_not_required):
    answer = olivia.gives_password()

    assert answer.url == "/ops/"
    assert "Demo mode. A name and a password open this portal" in olivia.reads("/ops/users/")
    assert "Demo mode." in text_of(Portal().opens(LOGIN))


def test_where_it_is_required_nothing_speaks_of_a_demo(olivia):
    assert "Demo mode" not in olivia.reads(LOGIN)
    assert "Demo mode" not in olivia.signs_in().reads("/ops/users/")


def test_who_has_one_is_asked_for_it_in_a_demo_too(enrolled, second_factor_is_not_required):
    enrolled.gives_password()

    assert not enrolled.is_in()


def test_new_recovery_codes_end_the_old_ones(enrolled):
    old = enrolled.recovery_codes
    codes = secondfactors.new_recovery_codes(person=enrolled.staff, actor=TESTER, now=NOON)

    assert RecoveryCode.objects.count() == 10
    assert not set(codes) & set(old)
    enrolled.gives_password()
    enrolled.gives_code(old[0])
    assert not enrolled.is_in()
    enrolled.gives_code(codes[0])
    assert enrolled.is_in()
