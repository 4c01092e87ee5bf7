"""What staff does to items, users and notes, with scripts switched off; and two windows that change the same thing."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import MemoryItem, MemoryUser, QuotaOverride
from memory.rules.tiers import ItemState, Tier, UserState
from ops.models import UserNote
from tests.counts import rounds
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import change_note_page, end_page, note_page, raise_page, user_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAY = timedelta(days=1)
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def lead(open_window, lena):
    """Opens a lead's window without scripts."""
    return lambda size: open_window(scripts=False, size=size).signs_in(lena)


def state_of(person, text):
    return MemoryItem.objects.get(user_id=person.id, content=text).state


@SIZES
@pytest.mark.promise("P9")
def test_delete_items_and_undo_it(lead, dana, size):
    texts = ["Likes the sea.", "Dislikes fog."]
    for text in texts:
        dana.writes(text, at=clock.utc_now())
    window = lead(size).opens(user_page(dana, "?tab=items&tier=long-term"))
    for box in window.page.get_by_role("checkbox").all():
        box.check()
    window.page.get_by_role("button", name="Delete", exact=True).click()

    expect(window.page.locator(".k-kv").first).to_contain_text("2, 31 B")
    window.page.get_by_label("Reason").fill("Duplicates of what the import wrote")
    window.page.get_by_label(f"Type {dana.external_id}").fill(dana.external_id)
    window.page.get_by_role("button", name="Delete items").click()
    expect(window.page.locator(".k-toast")).to_contain_text("Deleted 2 items of long-term, 31 B, to the archive.")
    assert {state_of(dana, text) for text in texts} == {ItemState.ARCHIVED}

    window.page.locator(".k-toast").get_by_role("button", name="Undo").click()

    expect(window.page.locator(".k-toast")).to_contain_text("Undone: deleted 2 items of long-term")
    assert {state_of(dana, text) for text in texts} == {ItemState.ACTIVE}


@SIZES
@pytest.mark.promise("P9")
def test_suspend_a_user_and_undo_it_from_the_timeline(lead, dana, size):
    window = lead(size).opens(user_page(dana))
    window.page.get_by_role("link", name="Suspend with a reason").click()
    window.page.get_by_label("Reason").fill("The owner reported a stolen phone")
    window.page.get_by_label(f"Type {dana.external_id}").fill(dana.external_id)
    window.page.get_by_role("button", name="Suspend").click()
    expect(window.page.locator(".k-sub")).to_contain_text("Suspended")

    window.page.get_by_role("link", name="Timeline").click()
    window.page.get_by_role("link", name="Can be undone").click()
    window.page.get_by_role("link", name="Undo Suspended").click()
    window.page.get_by_role("button", name="Undo").click()

    expect(window.page.locator(".k-sub")).to_contain_text("Active")
    assert MemoryUser.objects.get(pk=dana.id).state == UserState.ACTIVE


@SIZES
@pytest.mark.promise("P9")
def test_read_content_with_a_reason_and_mask_it_again(lead, dana, size):
    window = lead(size).opens(user_page(dana))
    window.page.get_by_role("link", name="Reveal content").click()
    window.page.get_by_label("Reason").fill("The caller asks what is kept of her")
    window.page.get_by_role("button", name="Reveal for 15 min").click()
    window.page.get_by_role("link", name="Items").first.click()
    expect(window.page.locator("main")).to_contain_text("Prefers the window seat.")

    window.page.get_by_role("button", name="Mask again").click()
    window.page.get_by_role("link", name="Items").first.click()

    expect(window.page.locator("main")).not_to_contain_text("Prefers the window seat.")


@SIZES
@pytest.mark.promise("P9")
def test_understand_a_refusal_from_the_timeline(lead, dana, size, web):
    with web.client(dana.gets_key()) as api:
        body = {"user_id": dana.external_id, "type": "short-term", "content": "x" * 602}
        assert api.post("/api/v1/memory", json=body).status_code == 413
    window = lead(size).opens(user_page(dana, "?tab=history&kind=refused"))

    window.page.locator("summary", has_text="Why?").first.click()

    because = window.page.locator(".k-because").first
    expect(because).to_contain_text("604 B")
    expect(because).to_contain_text("To delete 428 B of short-term")


@pytest.mark.promise("P9")
def test_the_chosen_items_reach_the_form_by_keyboard(open_window, lena, dana):
    window = open_window().signs_in(lena).opens(user_page(dana, "?tab=items&tier=permanent"))
    window.page.get_by_role("checkbox").focus()
    window.page.keyboard.press("Space")
    for _ in range(20):
        window.page.keyboard.press("Tab")
        if window.page.evaluate("document.activeElement.innerText") == "Protect":
            break
    window.page.keyboard.press("Enter")

    expect(window.page.get_by_role("heading", level=1)).to_have_text("Protect items: Dana Whitfield")
    expect(window.page.locator(".k-kv").first).to_contain_text("1, 26 B")


@pytest.mark.promise("P7")
@pytest.mark.parametrize("nth", range(rounds(3, 20)))
def test_of_two_windows_that_replace_one_raise_the_second_is_told_who_and_what(open_window, sam, lena, dana, nth):
    now = clock.utc_now()
    dana.is_raised(Tier.SHORT_TERM, 640 << 10, at=now, until=now + DAY)
    first, second = open_window().signs_in(lena), open_window().signs_in(sam)
    for window in (first, second):
        window.opens(raise_page(dana))
        choose(window, "Short-term")
        choose(window, "2 times")
        window.page.get_by_label("Reason").fill(f"The move takes longer, window {window is second}")
    first.page.get_by_role("button", name="Raise this quota").click()
    expect(first.page.locator(".k-toast")).to_contain_text("has 1 MiB in short-term")

    second.page.get_by_role("button", name="Raise this quota").click()

    told = f"A raise of short-term to 1 MiB, set by {lena}, holds"
    expect(second.page.get_by_role("alert")).to_contain_text(told)
    expect(second.page.get_by_label("Reason")).to_have_value("The move takes longer, window True")
    assert QuotaOverride.objects.filter(user_id=dana.id).count() == 2


@pytest.mark.promise("P7")
@pytest.mark.parametrize("nth", range(rounds(3, 20)))
def test_who_ends_a_raise_that_was_replaced_is_told_what_holds_now(open_window, sam, lena, dana, nth):
    now = clock.utc_now()
    held = dana.is_raised(Tier.SHORT_TERM, 640 << 10, at=now, until=now + DAY)
    first, second = open_window().signs_in(lena), open_window().signs_in(sam)
    second.opens(end_page(held)).page.get_by_label("Reason").fill("The move is done already")
    first.opens(raise_page(dana))
    choose(first, "Short-term")
    first.page.get_by_label("Reason").fill("The move takes longer")
    first.page.get_by_role("button", name="Raise this quota").click()
    expect(first.page.locator(".k-toast")).to_contain_text("has 768 KiB in short-term")

    second.page.get_by_role("button", name="End the raise").click()

    why = second.page.locator("#why-not")
    expect(why).to_contain_text(f"There is nothing to end: {lena} ended it")
    expect(why).to_contain_text("In its place holds short-term at 768 KiB until")
    expect(why).to_contain_text(f"set by {lena}.")
    expect(second.page.locator("main")).to_contain_text("The move is done already")


@pytest.mark.promise("P7")
@pytest.mark.parametrize("nth", range(rounds(3, 20)))
def test_of_two_windows_that_change_one_note_the_second_keeps_its_text(open_window, sam, dana, nth):
    first, second = open_window().signs_in(sam), open_window().signs_in(sam)
    first.opens(note_page(dana)).page.get_by_role("textbox", name="Note").fill("Calls back on weekdays only.")
    first.page.get_by_role("button", name="Write the note").click()
    expect(first.page.locator(".k-note")).to_have_text("Calls back on weekdays only.")
    note = UserNote.objects.get(user_id=dana.id)
    for window, day in ((first, "Mondays"), (second, "Tuesdays")):
        window.opens(change_note_page(note)).page.get_by_role("textbox", name="Note").fill(f"Calls back on {day} only.")
    first.page.get_by_role("button", name="Save the note").click()
    expect(first.page.locator(".k-note")).to_have_text("Calls back on Mondays only.")

    second.page.get_by_role("button", name="Save the note").click()

    expect(second.page.get_by_role("alert")).to_contain_text(f"{sam} changed this note at")
    expect(second.page.locator(".k-note")).to_have_text("Calls back on Mondays only.")
    expect(second.page.get_by_role("textbox", name="Note")).to_have_value("Calls back on Tuesdays only.")
    second.page.get_by_role("button", name="Save the note").click()
    expect(second.page.locator(".k-note")).to_have_text("Calls back on Tuesdays only.")


@pytest.mark.promise("P7")
def test_a_double_click_on_undo_undoes_once(open_window, sam, dana):
    window = open_window().signs_in(sam).opens(note_page(dana))
    window.page.get_by_role("textbox", name="Note").fill("Calls back on weekdays only.")
    window.page.get_by_role("button", name="Write the note").click()

    window.page.locator(".k-toast").get_by_role("button", name="Undo").dblclick()

    expect(window.page.locator(".k-toast")).to_have_text("Undone: wrote a note.")
    assert UserNote.objects.get(user_id=dana.id).removed_at is not None


def choose(window, label):
    """Press a choice by the word on it, as a finger would."""
    window.page.locator("form.k-form:visible .k-choices label", has_text=label).first.click()
