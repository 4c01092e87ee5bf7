"""The work of a night with scripts switched off: sign in, find a user, throttle, raise, lift and end."""

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import Throttle
from memory.rules.tiers import Tier
from tests.journeys.window import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.promise("P9")]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def window(request, open_window, sam):
    return open_window(scripts=False, size=request.param).signs_in(sam)


def find(window, dana):
    window.page.get_by_role("searchbox").fill(dana.external_id)
    window.page.get_by_role("searchbox").press("Enter")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Dana Whitfield")


def choose(window, label):
    """Press a choice by the word on it, as a finger would."""
    window.page.locator("form.k-form:visible .k-choices label", has_text=label).first.click()


def test_throttle_a_user_for_a_time_and_lift_it(window, dana):
    find(window, dana)
    window.page.locator("summary", has_text="Throttle").click()
    choose(window, "60")
    choose(window, "4 h")
    window.page.get_by_label("Reason").locator("visible=true").fill("An import loops, HD-2214")
    window.page.get_by_role("button", name="Throttle this user").click()

    expect(window.page.locator(".k-toast")).to_contain_text("is throttled to 60 writes a minute until")
    made = Throttle.objects.get(user_id=dana.id)
    assert round((made.period.upper - made.period.lower).total_seconds()) == 4 * 3600

    window.page.locator("summary", has_text="Lift the throttle").click()
    window.page.get_by_label("Reason").locator("visible=true").fill("The import was stopped")
    window.page.get_by_role("button", name="Lift the throttle").click()

    expect(window.page.locator(".k-toast")).to_contain_text("The throttle of Dana Whitfield has ended")
    assert not Throttle.objects.filter(user_id=dana.id, period__contains=clock.utc_now()).exists()


def test_raise_a_quota_for_a_time_and_end_it(window, dana):
    find(window, dana)
    window.page.get_by_role("link", name="Raise a quota").first.click()
    choose(window, "Other")
    window.page.get_by_label("Other limit").fill("640")
    window.page.get_by_label("Unit").select_option("KiB")
    choose(window, "1 h")
    window.page.get_by_label("Reason").fill("Moves three devices this week")
    window.page.get_by_role("button", name="Raise this quota").click()

    expect(window.page.locator(".k-toast")).to_contain_text("has 640 KiB in short-term until")
    assert dana.usage(Tier.SHORT_TERM, at=clock.utc_now()).limit_bytes == 640 << 10

    window.page.locator("summary", has_text="End the raise").click()
    window.page.get_by_label("Reason").locator("visible=true").fill("The move is done already")
    window.page.get_by_role("button", name="End the raise").click()

    expect(window.page.locator(".k-toast")).to_contain_text("The raise of short-term has ended")
    assert dana.usage(Tier.SHORT_TERM, at=clock.utc_now()).limit_bytes == 512 << 10


def test_a_mistake_is_said_and_what_was_typed_is_kept(window, dana):
    find(window, dana)
    window.page.get_by_role("link", name="Throttle", exact=True).click()
    choose(window, "Other")
    window.page.get_by_label("Ticket").fill("HD-2214")
    window.page.get_by_label("Reason").fill("loop")
    window.page.get_by_role("button", name="Throttle this user").click()

    text = window.text()
    assert "How many calls a minute?" in text
    assert "4 characters; at least 10" in text
    expect(window.page.get_by_label("Ticket")).to_have_value("HD-2214")
    expect(window.page.get_by_label("Reason")).to_have_value("loop")
    summary = window.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_have_text("Not done. What you typed is kept. To mend: Other rate, calls a minute, Reason.")
    summary.get_by_role("link", name="Reason").click()
    expect(window.page.get_by_label("Reason")).to_be_in_viewport()


def test_the_form_shows_what_each_choice_would_do(window, dana):
    window.opens(f"/ops/users/usr_{dana.id.hex}/raise-quota/")
    change = window.page.locator(".k-change")
    expect(change).to_contain_text("768 KiB")

    choose(window, "Permanent")
    choose(window, "2 times")
    choose(window, "72 h")

    assert " ".join(change.inner_text().split()) == "Measure Now After Limit 10 MiB 20 MiB Used 0 % 0 % Ends – in 72 h"
    expect(window.page.get_by_label("Other limit")).to_be_hidden()


def test_the_menu_opens_on_a_phone_and_closes(open_window, sam):
    window = open_window(scripts=False, size=PHONE).signs_in(sam)

    window.page.get_by_role("link", name="Menu").click()
    window.page.get_by_role("navigation", name="Portal").get_by_role("link", name="Refused calls").click()

    expect(window.page.get_by_role("heading", level=1)).to_have_text("Refused calls, and why")


def test_sign_out(window):
    if window.page.get_by_role("link", name="Menu").is_visible():
        window.page.get_by_role("link", name="Menu").click()
    window.page.get_by_role("button", name="Sign out").locator("visible=true").click()

    expect(window.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
