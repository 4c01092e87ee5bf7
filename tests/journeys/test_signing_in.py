"""Signing in with a second factor, as people do it: at a desk and on a phone, with scripts and without."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from ops.models import Authenticator, StaffSession
from ops.roles import Role
from tests.journeys.test_every_page import faults_of
from tests.journeys.window import DESKTOP, PHONE, Window
from tests.ops.signing import Phone
from tests.personas import PASSWORD, hire
from tests.web import WebServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.promise("P9")]

WAYS = [(DESKTOP, True), (PHONE, False), (PHONE, True), (DESKTOP, False)]


@pytest.fixture(scope="module")
def strict_server(django_db_setup):
    """As everywhere but in a demo: a second factor is required."""
    with WebServer(workers=1, environment={"KIMBERLY_SECOND_FACTOR": "1"}) as server:
        yield server


@pytest.fixture(params=WAYS, ids=[f"{size['width']}-{'scripts' if scripts else 'plain'}" for size, scripts in WAYS])
def window(request, browser, strict_server, committed_db):
    size, scripts = request.param
    context = browser.new_context(base_url=strict_server.url, viewport=size, java_script_enabled=scripts)
    context.set_default_timeout(15_000)
    opened = Window(context, strict_server.url)
    opened.has_scripts = scripts
    yield opened
    context.close()


@pytest.fixture
def olivia(committed_db):
    return hire("olivia", Role.OPERATOR)


def looks_well(window):
    """Whether nothing is wrong with the page that is open; axe is a script itself."""
    return not window.has_scripts or faults_of(window) == []


def give_password(window, olivia, path="/ops/refusals/", password=PASSWORD):
    if path:
        window.opens(path)
    window.page.get_by_label("User name").fill(olivia.username)
    window.page.get_by_label("Password").fill(password)
    window.page.get_by_role("button", name="Sign in").click()


def give_code(window, code):
    window.page.get_by_label("Code from your authenticator").fill(code)
    window.page.get_by_role("button", name="Sign in").click()


def set_up(window, olivia):
    """Sign in for the first time; gives the phone and the recovery codes."""
    give_password(window, olivia)
    phone = Phone(window.page.locator(".k-secret code").inner_text())
    window.page.get_by_label("Code that the app shows now").fill(phone.shows())
    window.page.get_by_role("button", name="Set up the second factor").click()
    codes = window.page.locator(".k-codes code").all_inner_texts()
    window.page.get_by_role("link", name="I have kept them, go on").click()
    window.page.wait_for_url("**/ops/refusals/")
    Authenticator.objects.filter(user=olivia).update(last_step=-1)  # as if half a minute had gone by
    return phone, codes


def sign_out(window):
    button = window.page.get_by_role("button", name="Sign out").locator("visible=true")
    if not button.count():
        window.page.get_by_role("link", name="Menu").click()
    button.first.click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_the_first_sign_in_sets_up_the_second_factor(window, olivia):
    give_password(window, olivia)
    picture = window.page.locator("svg.k-qr")
    expect(picture).to_be_visible()
    assert picture.bounding_box()["width"] > 150
    assert looks_well(window)

    phone = Phone(window.page.locator(".k-secret code").inner_text())
    window.page.get_by_label("Code that the app shows now").fill(phone.shows())
    window.said.clear()
    window.page.get_by_role("button", name="Set up the second factor").click()

    expect(window.page.locator(".k-codes li")).to_have_count(10)
    assert looks_well(window)
    window.page.get_by_role("link", name="I have kept them, go on").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Refused calls, and why")


def test_then_password_and_code_lead_to_the_page_that_was_wanted(window, olivia):
    phone, _ = set_up(window, olivia)
    sign_out(window)

    give_password(window, olivia, "/ops/refusals/?kind=quota")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Enter the code")
    assert looks_well(window)
    give_code(window, phone.shows())

    window.page.wait_for_url("**/ops/refusals/?kind=quota")


def test_a_recovery_code_replaces_a_lost_phone_and_a_new_one_is_set_up(window, olivia):
    _, codes = set_up(window, olivia)
    sign_out(window)
    give_password(window, olivia)
    give_code(window, codes[0])
    window.page.wait_for_url("**/ops/refusals/")

    window.opens("/ops/account/")
    expect(window.page.get_by_role("main")).to_contain_text("9 of 10 left")
    window.page.get_by_role("link", name="Use another authenticator").click()
    phone = Phone(window.page.locator(".k-secret code").inner_text())
    window.page.get_by_label("Code that the app shows now").fill(phone.shows())
    window.page.get_by_role("button", name="Set up the second factor").click()

    expect(window.page.locator(".k-codes li")).to_have_count(10)


def test_five_wrong_tries_lock_and_the_page_says_until_when(window, olivia):
    give_password(window, olivia, password="wrong")
    expect(window.page.get_by_role("alert")).to_contain_text("4 tries are left; then this name waits 15 min.")
    assert looks_well(window)
    for _ in range(4):
        give_password(window, olivia, path="", password="wrong")

    expect(window.page.get_by_role("alert")).to_contain_text("Too many wrong tries.")
    expect(window.page.get_by_role("alert")).to_contain_text("15 min left")
    give_password(window, olivia, path="")
    expect(window.page.get_by_role("alert")).to_contain_text("Too many wrong tries.")


def test_a_session_without_use_ends_and_leads_back(window, olivia):
    set_up(window, olivia)
    session = StaffSession.objects.get(staff=olivia)
    StaffSession.objects.filter(pk=session.pk).update(seen_at=session.seen_at - timedelta(minutes=31))

    window.opens("/ops/users/?q=dana")

    expect(window.page.get_by_role("status").first).to_contain_text("You were signed out after 30 min without use.")
    assert looks_well(window)
    give_password(window, olivia, path="")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Enter the code")
    assert "next=/ops/users/%3Fq%3Ddana" in window.page.url
