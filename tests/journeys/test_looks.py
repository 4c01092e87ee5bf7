"""What a page looks like where it was easy to get wrong: at in-between widths, on paper, in forced colours."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from kimberly.audit.trail import Why
from kimberly.lib import clock
from kimberly.lib.actors import Actor, ActorKind
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits
from memory.services.limits import Order, Target
from ops.roles import Role
from tests.journeys.test_every_page import revealed_to
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import user_page
from tests.personas import TESTER, Person, hire

HOUR = timedelta(hours=1)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def box(window, selector):
    """Where the first such element stands: x, y, width, height."""
    return window.page.locator(selector).first.bounding_box()


@pytest.mark.parametrize("width", [640, 768, 820, 1024, 1100, 1200])
def test_the_list_of_users_fits_its_card_at_every_width(open_window, sam, dana, width):
    window = open_window(size={"width": width, "height": 900}).signs_in(sam)

    window.opens(f"/ops/users/?q={dana.external_id[:-1]}")

    assert window.overflow() == []
    states = window.page.locator("td[data-label=State]").bounding_box()
    assert states["x"] + states["width"] <= width


@pytest.mark.parametrize(("width", "height"), [(390, 844), (700, 900), (1280, 900)])
def test_the_page_to_sign_in_has_its_bar_at_the_top_and_does_not_scroll(open_window, width, height):
    window = open_window(size={"width": width, "height": height}).opens("/admin/login/")

    bar = box(window, "#header")
    assert (bar["x"], bar["y"], bar["width"]) == (0, 0, width)
    assert window.page.evaluate("document.documentElement.scrollHeight") == height


def test_content_gets_the_width_of_its_card(open_window, lena, dana):
    revealed_to(get_user_model().objects.get(username=lena), dana)
    window = open_window().signs_in(lena).opens(user_page(dana, "?tab=items"))

    assert box(window, ".k-under .k-content")["width"] > 0.9 * box(window, ".k-card:has(.k-under)")["width"]


def test_the_button_to_mask_stays_on_one_line_when_others_read_too(open_window, lena, dana):
    for name in ("luis", "livia"):
        revealed_to(hire(name, Role.LEAD), dana)
    revealed_to(get_user_model().objects.get(username=lena), dana)
    window = open_window().signs_in(lena).opens(user_page(dana))
    button = window.page.locator(".k-banner button")
    alone = button.evaluate("(one) => { one.style.cssText = 'white-space: nowrap'; return one.offsetHeight; }")

    window.opens(user_page(dana))

    assert button.bounding_box()["height"] == alone


def test_forced_colours_leave_the_bars_and_the_chosen_tab_visible(open_window, sam, dana):
    empty = Person.register("nobody")
    window = open_window().signs_in(sam)
    window.page.emulate_media(forced_colors="active")

    pictures = []
    for person in (dana, empty):
        window.opens(user_page(person))
        pictures.append(window.page.locator("meter").first.screenshot())
    lines = window.page.eval_on_selector_all(
        ".k-tabs a", "(all) => all.map((one) => getComputedStyle(one).borderBottomWidth)"
    )

    assert dana.usage(Tier.SHORT_TERM).share > empty.usage(Tier.SHORT_TERM).share
    assert pictures[0] != pictures[1]
    assert lines == ["2px"] + ["0px"] * (len(lines) - 1)


def test_on_paper_dates_and_request_ids_are_whole_and_nothing_is_there_to_press(open_window, sam, dana):
    order = Order(
        Actor(ActorKind.COMMAND, "tests", "req_" + "5f0c" * 8),
        "Sam",
        Why("The client is in a loop"),
        clock.utc_now() + HOUR,
    )
    target = Target(user_id=dana.id)
    limits.throttle(target=target, scope=ThrottleScope.WRITE, per_minute=1, order=order, now=clock.utc_now() - HOUR)
    window = open_window().signs_in(sam).opens(user_page(dana, "?tab=history"))
    window.page.emulate_media(media="print")

    request_id = window.page.locator(".k-timeline .k-id").first
    assert box(window, ".k-timeline time")["width"] > 80
    assert request_id.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert window.page.locator(".k-copy, .k-actions, button, .k-btn").locator("visible=true").count() == 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_beside_a_long_reason_times_owners_and_tickets_stay_whole(open_window, sam, dana, size):
    now = clock.utc_now() - timedelta(minutes=22)
    why = Why("The client repeats each write after an update, and nobody there answers before Monday. " * 2, "HD-77")
    order = Order(TESTER, "t-lead", why, now + timedelta(hours=1))
    limits.throttle(target=Target(user_id=dana.id), scope=ThrottleScope.WRITE, per_minute=10, order=order, now=now)
    window = open_window(size=size).signs_in(sam).opens(user_page(dana, "?tab=measures"))

    lines = "(all) => all.map((one) => one.getClientRects().length)"
    assert window.overflow() == []
    assert window.page.locator("td[data-label=Time] time").evaluate_all(lines) == [1, 1]
    assert window.page.locator("td[data-label=By] span").evaluate_all(lines) == [1, 1]
