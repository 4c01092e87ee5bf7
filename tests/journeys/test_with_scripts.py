"""What scripts add: the search at a key, ids copied with a button, a theme; and a double click that counts once."""

import pytest
from playwright.sync_api import expect

from memory.models import Throttle
from tests.ops.portal import user_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def window(open_window, sam):
    return open_window().signs_in(sam)


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_key_goes_to_the_search(window, key):
    window.page.keyboard.press(key)

    expect(window.page.get_by_role("searchbox")).to_be_focused()


def test_a_slash_that_is_typed_stays_a_slash(window, dana):
    window.opens(f"{user_page(dana)}throttle/")
    window.page.get_by_label("Reason").press_sequentially("yes/no")

    expect(window.page.get_by_label("Reason")).to_have_value("yes/no")


def test_an_id_is_copied_and_it_is_said(window, dana):
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.opens(user_page(dana))

    window.page.get_by_role("button", name=f"Copy usr_{dana.id.hex}").click()

    expect(window.page.locator("#k-said")).to_have_text(f"usr_{dana.id.hex} copied")
    assert window.page.evaluate("navigator.clipboard.readText()") == f"usr_{dana.id.hex}"


@pytest.mark.promise("P7")
def test_a_double_click_throttles_once(window, dana):
    window.opens(f"{user_page(dana)}throttle/")
    window.page.get_by_label("Reason").fill("An import loops, HD-2214")

    window.page.get_by_role("button", name="Throttle this user").dblclick()

    expect(window.page.locator(".k-toast")).to_contain_text("is throttled to 10 writes a minute")
    assert Throttle.objects.filter(user_id=dana.id).count() == 1


def test_the_theme_can_be_chosen_and_is_kept(window):
    window.page.get_by_role("button", name="Toggle theme").click()
    chosen = window.page.evaluate("document.documentElement.dataset.theme")

    window.opens("/ops/refusals/")

    assert chosen == "dark"
    assert window.page.evaluate("document.documentElement.dataset.theme") == chosen


@pytest.mark.promise("P9")
def test_every_action_can_be_reached_by_keyboard(window, dana):
    window.opens(user_page(dana))
    reached = set()
    for _ in range(80):
        window.page.keyboard.press("Tab")
        reached.add(window.page.evaluate("document.activeElement.innerText || document.activeElement.name"))

    assert {"Skip to main content", "q", "Sign out", "Throttle", "Raise a quota"} <= {text.strip() for text in reached}
    assert any("Items" in text for text in reached)
