"""Why did it not remember? With scripts switched off: reveal with a reason, ask, read the answer, mask again."""

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import AccessEvent
from memory.services import items
from ops.models import ContentReveal
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import search_page
from tests.personas import TESTER

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.promise("P9")]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def window(request, open_window, lena):
    return open_window(scripts=False, size=request.param).signs_in(lena)


@pytest.fixture
def missed(dana):
    """A memory of Dana's that a client deleted."""
    stored = dana.writes("The kitten is called Pipa.")
    items.delete_item(stored.id, user_id=dana.id, actor=TESTER, now=clock.utc_now())
    return f"mem_{stored.id.hex}"


def reveal(window, dana):
    window.opens(search_page(dana))
    window.page.get_by_label("Reason").fill("The caller says that it forgot")
    window.page.get_by_label("Ticket").fill("HD-2231")
    window.page.get_by_role("button", name="Reveal for 15 min").click()


@pytest.mark.promise("V8")
def test_reveal_search_read_and_mask_again(window, dana, missed):
    reveal(window, dana)
    expect(window.page.locator(".k-banner")).to_contain_text("Content shows to you until")

    window.page.get_by_label("The question").fill("What is the kitten called? Which seat?")
    window.page.get_by_label("The memory you expected").fill(missed)
    window.page.get_by_role("button", name="Search memories").click()

    text = window.text()
    assert "It is left out" in text
    assert "It was archived" in text
    assert "kitten in no memory, archived 1" in " ".join(text.split())
    assert "Prefers the window seat." in text
    expect(window.page.get_by_label("The question")).to_have_value("What is the kitten called? Which seat?")

    window.page.get_by_role("button", name="Mask again").click()

    expect(window.page.locator(".k-toast")).to_contain_text("Content of Dana Whitfield is masked")
    expect(window.page.get_by_role("button", name="Reveal for 15 min")).to_be_visible()
    assert ContentReveal.objects.get(user_id=dana.id).ended_at is not None
    assert not AccessEvent.objects.filter(user_id=dana.id).exists()


@pytest.mark.promise("V8")
def test_the_question_stands_in_no_address_and_in_no_log(window, dana, web):
    reveal(window, dana)
    window.page.get_by_label("The question").fill("canary-of-the-question")
    window.page.get_by_label("The memory you expected").fill("canary-of-the-id")
    window.page.get_by_role("button", name="Search memories").click()

    assert window.page.url == f"{window.url}{search_page(dana)}#answer"
    logged = web.log.read_text(encoding="utf-8")
    assert "ops/users/<str:user>/search/" in logged
    assert "canary-of-the" not in logged


def test_filters_unfold_and_narrow(window, dana):
    reveal(window, dana)
    window.page.get_by_label("The question").fill("window seat")
    window.page.locator("summary", has_text="Tier, archive").click()
    window.page.locator(".k-choices label", has_text="Long-term").click()
    window.page.get_by_role("button", name="Search memories").click()

    expect(window.page.locator("#verdict")).to_contain_text("Nothing found")
    expect(window.page.get_by_label("Tags, with commas")).to_be_visible()
