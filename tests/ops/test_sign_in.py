"""Signing in and out, passwords, and what forged or foreign requests meet."""

from typing import Any

import pytest
from django.conf import settings

from ops.roles import Role
from tests.ops.portal import Portal, text_of
from tests.ops.signing import CODE, SET_UP, Visitor
from tests.personas import PASSWORD, hire

LOGIN = "/admin/login/"


@pytest.fixture
def olivia(db):
    return hire("olivia", Role.OPERATOR)


def signs_in(portal, username, password=PASSWORD, **fields):
    return portal.client.post(LOGIN, {"username": username, "password": password, "next": "", **fields})


def test_a_right_password_opens_the_overview(stranger, olivia):
    answer = signs_in(stranger, olivia.username, next="/admin/")

    assert stranger.client.get(answer.url).url == "/ops/"
    assert stranger.opens("/ops/").status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [("", ""), ("{}", "wrong"), ("nobody", PASSWORD), ("{}", ""), ("a\x00b", PASSWORD), ("x" * 500, PASSWORD)],
)
def test_anything_else_is_one_answer_that_keeps_the_name(stranger, olivia, username, password):
    answer = signs_in(stranger, username.format(olivia.username), password)

    assert answer.status_code == 200
    assert "That did not work." in text_of(answer)
    assert stranger.opens("/ops/users/").status_code == 302


def test_an_account_that_is_off_or_not_of_the_staff_gets_the_same_answer(stranger, olivia):
    olivia.is_staff = False
    olivia.save()

    assert "That did not work." in text_of(signs_in(stranger, olivia.username))


def test_who_is_not_signed_in_comes_back_to_the_page_they_wanted(stranger, olivia):
    wanted = stranger.opens("/ops/refusals/?kind=quota").url

    answer = stranger.client.post(
        wanted, {"username": olivia.username, "password": PASSWORD, "next": "/ops/refusals/?kind=quota"}
    )

    assert wanted == "/admin/login/?next=/ops/refusals/%3Fkind%3Dquota"
    assert answer.url == "/ops/refusals/?kind=quota"


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "http:evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " https://evil.example",
        "\thttps://evil.example",
        "https://testserver@evil.example/",
        "http://testserver.evil.example/",
    ],
)
@pytest.mark.parametrize("place", ["address", "form"])
def test_next_leads_nowhere_else(stranger, olivia, target, place):
    fields = {"username": olivia.username, "password": PASSWORD}
    query = {"next": target} if place == "address" else {}
    answer = stranger.client.post(LOGIN, {**fields, **({} if query else {"next": target})}, query_params=query)

    assert answer.status_code == 302
    assert answer.url.startswith("/")
    assert not answer.url.startswith(("//", "/\\"))


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_next_leads_nowhere_else_with_a_second_factor_either(olivia, second_factor_is_required, target, place):
    visitor = Visitor(olivia).signs_in().elsewhere()
    visitor.forgets_spent_codes()
    fields = {"username": olivia.username, "password": PASSWORD, **({"next": target} if place == "first" else {})}
    step: Any = visitor.client.post(LOGIN, fields)
    assert target not in step.url

    query = {"next": target} if place == "last" else {}
    answer: Any = visitor.client.post(CODE, {"code": visitor.phone.shows()}, query_params=query)

    assert answer.url == "/ops/"


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "path",
    [
        LOGIN, CODE, SET_UP, "/admin/logout/", "/admin/password_change/", "/ops/users/usr_1/throttle/",
        "/ops/account/second-factor/", "/ops/account/recovery-codes/", "/ops/account/sessions/end-others/",
        "/ops/staff/1/end-sessions/",
    ],
)  # fmt: skip
def test_a_form_without_its_token_is_refused_with_a_page(sam, path):
    careful = Portal(sam.staff, enforce_csrf_checks=True)

    answer = careful.client.post(path, {"username": "x", "password": "y"})

    assert answer.status_code == 403
    assert "This form is not accepted" in text_of(answer)


@pytest.mark.promise("P5")
def test_a_form_from_another_site_is_refused(sam):
    careful = Portal(sam.staff, enforce_csrf_checks=True)
    token = careful.opens("/admin/password_change/").context["csrf_token"]

    answer = careful.client.post(
        "/admin/logout/", {"csrfmiddlewaretoken": str(token)}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403


def test_signing_out_is_a_post_and_ends_the_session(sam):
    assert sam.opens("/admin/logout/").status_code == 405

    answer = sam.client.post("/admin/logout/")

    assert "You are signed out" in text_of(answer)
    assert sam.opens("/ops/users/").status_code == 302


def test_even_without_a_role_one_can_sign_out_and_change_the_password(eve):
    assert eve.opens("/admin/password_change/").status_code == 200
    assert eve.client.post("/admin/logout/").status_code == 200


def test_a_new_password_ends_the_other_sessions(sam):
    other = Portal(sam.staff)
    new = "another long one for the portal"

    answer = sam.client.post(
        "/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )

    assert "Your password is changed" in sam.reads(answer.url)
    assert sam.opens("/ops/users/").status_code == 200
    assert other.opens("/ops/users/").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("wrong", "another long one for the portal", "old password was entered incorrectly"),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "password123456", "too common"),
    ],
)
def test_a_password_that_will_not_do_is_said_at_its_field(sam, old, new, says):
    answer = sam.client.post(
        "/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new}
    )

    assert says in text_of(answer)


def test_cookies_are_kept_from_scripts_and_other_sites(stranger, olivia):
    cookies = signs_in(stranger, olivia.username).cookies

    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert (cookies[name]["httponly"], cookies[name]["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("path", [LOGIN, "/ops/users/", "/ops/nothing/", "/api/v1/docs"])
def test_every_page_carries_the_strict_policy(sam, path):
    answer = sam.opens(path)

    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"


def test_pages_of_the_portal_are_not_kept_by_caches(sam):
    assert "no-store" in sam.opens("/ops/users/")["Cache-Control"]


def test_the_site_begins_with_the_overview(sam, stranger):
    assert sam.opens("/admin/").url == "/ops/"
    assert sam.opens("/").url == "/ops/"
    assert stranger.opens("/admin/").url.startswith(LOGIN)
