"""What is around every page: the search that answers while one types, keys, the zone; and the live overview."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import user_page
from tests.personas import PASSWORD, Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVERY_STOP = 400  # Far more than a full overview has.
LOOKS = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def window(open_window, sam):
    return open_window().signs_in(sam)


def found(window):
    return window.page.locator("#k-found a")


def renew(window):
    """Ask for the live part as the page does each 15 seconds by itself."""
    window.page.evaluate(
        "htmx.ajax('GET', '/ops/', {source: '#live', target: '#live', select: '#live', swap: 'outerHTML'})"
    )


@LOOKS
def test_finds_while_one_types_and_leads_there_by_keys_alone(open_window, sam, dana, size):
    window = open_window(size=size).signs_in(sam)
    window.page.locator("#k-find").press_sequentially(dana.external_id[:-1])

    expect(found(window).first).to_contain_text("Dana Whitfield")
    expect(window.page.locator("#k-said")).to_have_text("1 user found")
    assert window.reports() == []
    assert window.accessibility() == []
    assert window.overflow() == []
    window.page.keyboard.press("ArrowDown")
    window.page.keyboard.press("Enter")

    expect(window.page.get_by_role("heading", level=1)).to_have_text("Dana Whitfield")
    assert window.strays == []


def test_what_was_found_goes_with_escape_and_when_one_leaves(window, dana):
    box = window.page.locator("#k-find")
    box.press_sequentially("dana")
    expect(found(window).first).to_be_visible()

    window.page.keyboard.press("Escape")
    expect(found(window)).to_have_count(0)
    expect(box).to_be_focused()

    box.press_sequentially("-")
    expect(found(window).first).to_be_visible()
    window.page.get_by_role("heading", level=1).click()
    expect(found(window)).to_have_count(0)


def test_who_was_signed_out_meanwhile_is_told_so_and_gets_no_page_into_the_list(window, dana):
    window.context.clear_cookies()

    window.page.locator("#k-find").press_sequentially("dana")

    expect(window.page.locator("#k-said")).to_have_text("The search needs you to sign in again")
    expect(found(window)).to_have_count(0)


@pytest.mark.promise("P6")
def test_a_payload_that_is_found_does_not_run(window):
    payload = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>"
    eve = Person.register("eve", display_name=payload)
    window.page.locator("#k-find").press_sequentially(eve.external_id[:-1])

    expect(found(window).first).to_contain_text(payload)

    assert window.page.evaluate("window.hurt") is None
    assert window.reports() == []


@pytest.mark.promise("P9")
@LOOKS
def test_without_scripts_a_user_is_found_by_e_mail(open_window, sam, size):
    person = Person.register("who", display_name="Vera Okafor", email=f"vera.{size['width']}@example.org")
    window = open_window(scripts=False, size=size).signs_in(sam)
    box = window.page.get_by_role("searchbox")

    box.fill(f"vera.{size['width']}")
    box.press("Enter")
    window.page.get_by_role("region", name="Found").get_by_role("link", name="Vera Okafor").click()

    assert window.page.url.endswith(user_page(person))
    window.opens("/ops/find/")
    assert "Vera Okafor" in window.text()


def test_a_question_mark_lists_the_keys_but_not_while_one_types(window):
    window.page.locator("#k-find").press_sequentially("?")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    window.page.get_by_role("heading", level=1).click()

    window.page.keyboard.press("?")

    expect(window.page.get_by_role("dialog")).to_contain_text("Go to the search")
    assert window.accessibility() == []
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.promise("P9")
@LOOKS
def test_without_scripts_the_zone_is_chosen_from_a_list_and_left_again(open_window, sam, size):
    window = open_window(scripts=False, size=size).signs_in(sam)

    def press(name):
        if size == PHONE:
            window.page.get_by_role("link", name="Menu").click()
        window.page.get_by_role("button", name=name).locator("visible=true").click()

    press("use mine")
    window.page.get_by_label("Zone", exact=True).select_option("Asia/Kolkata")
    window.page.get_by_role("button", name="Use this zone").click()
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(window.page.locator("#footer")).to_contain_text("UTC+05:30")

    press("use UTC")
    expect(window.page.locator("#footer")).not_to_contain_text("UTC+05:30")


def test_with_scripts_one_press_takes_the_zone_of_the_browser(browser, web, sam, dana):
    context = browser.new_context(base_url=web.url, viewport=DESKTOP, timezone_id="Pacific/Auckland")
    page = context.new_page()
    page.goto("/admin/login/")
    page.get_by_label("User name").fill(sam)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(user_page(dana))

    page.get_by_role("button", name="use mine").click()

    expect(page.locator("#header")).to_contain_text("Times in Auckland")
    assert page.url.endswith(user_page(dana))
    assert re.search(r"UTC\+1[23]:00", page.locator("main time").first.get_attribute("title"))
    context.close()


def test_the_overview_renews_what_is_read_and_keeps_what_is_typed(window):
    window.opens("/ops/")
    window.page.locator("#k-find").press_sequentially("nobody-is-cal")
    expect(window.page.locator("[data-live-words]")).to_contain_text("updated")
    before = window.page.locator("#live .k-tile").nth(2).inner_text()
    now = clock.utc_now()
    Person.register("braked", at=now).is_throttled(at=now, until=now + timedelta(hours=1))

    renew(window)

    expect(window.page.locator("#live .k-tile").nth(2)).not_to_have_text(before)
    expect(window.page.locator("#k-find")).to_have_value("nobody-is-cal")
    expect(window.page.locator("#k-find")).to_be_focused()
    assert window.reports() == []


def test_the_overview_waits_while_somebody_is_in_it(window):
    window.opens("/ops/")
    asked = []
    window.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/ops/") else None)

    window.page.locator("#live a").first.focus()
    renew(window)
    assert asked == []

    window.page.locator("#k-find").focus()
    window.page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    renew(window)
    assert asked == []

    window.page.evaluate("delete document.hidden")
    with window.page.expect_response("**/ops/"):
        renew(window)


def test_an_answer_without_the_live_part_leaves_what_there_is(window):
    window.opens("/ops/")
    window.context.clear_cookies()

    with window.page.expect_response("**/admin/login/**"):
        renew(window)

    expect(window.page.locator("[data-live-age]")).to_contain_text("the last try failed")
    expect(window.page.locator("#live .k-verdict")).to_be_visible()


def test_the_overview_can_be_stopped(window):
    window.opens("/ops/")
    expect(window.page.locator("#live")).to_have_attribute("hx-trigger", "every 15s")
    window.page.get_by_role("link", name="stop refreshing").click()

    expect(window.page.locator("[data-live-words]")).to_contain_text("does not refresh")
    assert window.page.locator("#live").get_attribute("hx-get") is None
    window.page.get_by_role("link", name="refresh again").click()
    expect(window.page.locator("[data-live-words]")).to_contain_text("updated")


@pytest.mark.promise("P9")
def test_the_overview_can_be_walked_by_keyboard(window):
    window.opens("/ops/")
    reached: set[str] = set()
    for _ in range(EVERY_STOP):
        window.page.keyboard.press("Tab")
        stop = window.page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip()
        if stop == "Skip to main content" and reached:  # once around, whoever else needs attention
            break
        reached.add(stop)

    assert {"Skip to main content", "q", "Who needs attention", "stop refreshing", "Keyboard shortcuts"} <= reached
    assert any(text.startswith("use mine") for text in reached)
