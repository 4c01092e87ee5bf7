"""Why did it not remember? With scripts switched off: reveal with a reason, ask, read the answer, mask again."""

import re

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import AccessEvent
from memory.services import embeddings, items
from ops.models import ContentReveal
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import search_page, user_page
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


@pytest.fixture
def scripted(open_window, lena):
    """A window with scripts, on a desk."""
    return open_window().signs_in(lena)


def ask(window, question):
    window.page.get_by_label("The question").fill(question)
    window.page.get_by_role("button", name="Search memories").click()
    window.page.wait_for_selector("#answer")


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
    window.page.get_by_label("The memory you expected").fill("canary-of-the-id")
    ask(window, "canary-of-the-question")
    refused_at = window.page.url
    window.page.get_by_label("The memory you expected").fill("")
    ask(window, "canary-of-the-question")

    assert refused_at == f"{window.url}{search_page(dana)}#answer"
    assert re.fullmatch(rf"{window.url}{search_page(dana)}\?asked=[\w-]{{22}}#answer", window.page.url)
    logged = web.log.read_text(encoding="utf-8")
    assert "ops/users/<str:user>/search/" in logged
    assert "canary-of-the" not in logged


def test_back_reload_and_a_second_tab_show_the_answer(window, dana):
    reveal(window, dana)
    ask(window, "Which seat?")
    ask(window, "What is the kitten called?")

    window.page.go_back()
    expect(window.page.get_by_label("The question")).to_have_value("Which seat?")
    expect(window.page.locator(".k-found mark").first).to_have_text("seat")
    window.page.reload()
    expect(window.page.locator("#verdict")).to_contain_text("found")
    second = window.context.new_page()
    second.goto(window.page.url)
    expect(second.get_by_label("The question")).to_have_value("Which seat?")
    window.page.go_forward()
    expect(window.page.get_by_label("The question")).to_have_value("What is the kitten called?")


def test_an_item_is_searched_for_without_its_id_being_copied(window, dana):
    reveal(window, dana)
    window.opens(user_page(dana, "?tab=items&tier=permanent"))
    window.page.get_by_role("link", name="Search for it").click()
    ask(window, "Which seat?")

    expect(window.page.locator("#expected")).to_contain_text("It is number 1")


def test_filters_unfold_and_narrow(window, dana):
    reveal(window, dana)
    window.page.get_by_label("The question").fill("window seat")
    window.page.locator("summary", has_text="Tier, archive").click()
    window.page.locator(".k-choices label", has_text="Long-term").click()
    window.page.get_by_role("button", name="Search memories").click()

    expect(window.page.locator("#verdict")).to_contain_text("Nothing found")
    expect(window.page.get_by_label("Tags, with commas")).to_be_visible()


def test_choices_that_fit_stand_in_one_line(scripted, dana):
    reveal(scripted, dana)
    scripted.page.locator("summary", has_text="Tier, archive").click()

    tops = scripted.page.evaluate("""[...document.querySelectorAll(".k-narrowing .k-choices")].map(
        (choices) => new Set([...choices.children].map((one) => one.getBoundingClientRect().top)).size)""")

    assert tops == [1, 1, 1]


def test_the_bars_of_all_results_begin_and_end_alike(scripted, dana):
    dana.writes("A window.")
    dana.writes("Hazelnuts.")
    embeddings.embed_late(seconds=30)
    reveal(scripted, dana)
    ask(scripted, "Which window seat?")
    expect(scripted.page.locator(".k-found").first).not_to_contain_text("absent")
    expect(scripted.page.locator(".k-found").last).to_contain_text("absent")

    places = scripted.page.evaluate("""[...document.querySelectorAll(".k-found .k-bar")].map(
        (bar) => `${bar.getBoundingClientRect().left} ${bar.getBoundingClientRect().right}`)""")

    assert len(places) > 4
    assert len(set(places)) == 1


def test_the_answer_leaves_the_button_in_sight(scripted, dana):
    reveal(scripted, dana)
    for number in range(12):
        dana.writes(f"A window seat, one of {number}.")
    ask(scripted, "Which seat?")

    button = scripted.page.get_by_role("button", name="Search memories").bounding_box()
    header = scripted.page.locator("#header").bounding_box()

    assert scripted.page.evaluate("scrollY") > 0
    assert button["y"] >= header["y"] + header["height"]
    assert scripted.accessibility() == []


@pytest.mark.promise("V8")
@pytest.mark.parametrize("page_of", [search_page, lambda dana: user_page(dana, "?tab=items")], ids=["search", "items"])
def test_a_page_that_stays_open_shows_no_content_longer_than_the_server_would(scripted, dana, page_of):
    dana.writes("The combination is 4711.", metadata={"speaker": "Ines"})
    reveal(scripted, dana)
    scripted.page.clock.install()
    scripted.opens(page_of(dana))
    if page_of is search_page:
        ask(scripted, "combination")
    scripted.page.clock.fast_forward("14:00")
    before = scripted.text()
    scripted.page.clock.fast_forward("01:05")

    expect(scripted.page.get_by_role("alert")).to_contain_text("The content is masked again")
    assert "The combination is 4711." in before
    assert "4711" not in scripted.text()
    assert "Ines" not in scripted.text()
    assert "min left" not in scripted.text()
    assert scripted.reports() == []
