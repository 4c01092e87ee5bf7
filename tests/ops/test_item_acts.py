"""Protecting, deleting and restoring chosen items: what the forms show, do, leave out and refuse."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib.errors import Invalid
from memory.models import MemoryUser, TierPolicy
from memory.rules.selections import Deed
from memory.rules.tiers import ItemState, Tier, UserState
from memory.services import items, selections
from memory.services.items import Change
from memory.services.selections import Chosen, NoRoomToRestore, NothingToDo
from ops.roles import NotYourRole
from ops.services import invariants, itemacts
from ops.services.measures import Sender
from tests.ops.portal import WHY, items_page, text_of, user_page
from tests.personas import NOON, TESTER, Person, content_of

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB = 1 << 10
DAY = timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


@pytest.fixture
def three(dana):
    """The ids of three items of 100 bytes, in two tiers."""
    tiers = (Tier.LONG_TERM, Tier.LONG_TERM, Tier.PERMANENT)
    return [dana.writes(content_of(100), tier=tier, at=NOON - DAY).id for tier in tiers]


def states(person, ids):
    return [(item.state, item.protected, item.version) for item in (person.item(one) for one in ids)]


def entry_of(action):
    return AuditEntry.objects.get(action=action)


def rename(person, item_id):
    """What a client may do while a form is open."""
    items.change_item(item_id, Change(content="Something else"), user_id=person.id, expected=None, now=NOON)


def violations():
    return [found for found in invariants.check(now=NOON) if found.invariant in ("I1", "I2", "I3")]


def test_protects_the_chosen_items_and_the_trail_says_who_which_and_why(sam, dana, three):
    answer = sam.changes("protect", dana, *three[:2], ticket="HD-7")

    entry = entry_of("items.protected")
    assert states(dana, three) == [("active", True, 2), ("active", True, 2), ("active", False, 1)]
    assert (entry.actor_id, entry.subject_id) == (str(sam.staff.pk), str(dana.id))
    assert entry.after["items"] == {str(item): 2 for item in three[:2]}
    assert (entry.text.reason, entry.text.ticket) == (WHY, "HD-7")
    assert entry.request_id.startswith("req_")
    assert "Protected 2 items of long-term, 200 B." in sam.reads(answer.url)


def test_unprotects_what_was_protected(sam, dana, three):
    sam.changes("protect", dana, *three)

    sam.changes("unprotect", dana, three[0])

    assert [protected for _, protected, _ in states(dana, three)] == [False, True, True]


def test_a_delete_archives_the_items_and_frees_their_room(lena, dana, three):
    lena.changes("delete", dana, *three)

    row = dana.item(three[0])
    assert [state for state, *_ in states(dana, three)] == ["archived"] * 3
    assert (row.archive_reason, row.purge_after) == ("staff", NOON + 30 * DAY)
    assert dana.usage(Tier.LONG_TERM).active_bytes == 0
    assert dana.usage(Tier.LONG_TERM).archived_items == 2
    assert entry_of("items.deleted").before["long-term"]["used_bytes"] == 200
    assert violations() == []


def test_a_restore_takes_the_room_again_and_short_term_items_live_another_day(lena, dana):
    fleeting = dana.writes("A parking place", tier=Tier.SHORT_TERM, at=NOON - DAY / 2).id
    items.delete_item(fleeting, user_id=dana.id, actor=TESTER, now=NOON - DAY / 4)

    lena.changes("restore", dana, fleeting)

    row = dana.item(fleeting)
    assert (row.state, row.expires_at, row.content) == ("active", NOON + DAY, "A parking place")
    assert dana.usage(Tier.SHORT_TERM).active_items == 1
    assert violations() == []


def test_the_form_says_how_many_how_large_and_how_old_and_what_changes(lena, dana, three):
    dana.writes("kept", at=NOON)
    lena.changes("protect", dana, three[0])

    text = lena.reads(items_page("delete", dana, *three))

    assert "Items 3, 300 B Oldest 24 h ago Newest 24 h ago Protected 1 of them" in text
    assert "3 items active archived" in text
    assert "Long-term used 206 B, 0 % 6 B, 0 %" in text
    assert "Permanent used 100 B, 0 % 0 B, 0 %" in text


@pytest.mark.parametrize("deed", list(Deed))
def test_what_the_form_shows_is_what_then_happens(lena, dana, three, deed):
    lena.changes("protect", dana, three[2])
    if deed is Deed.RESTORE:
        lena.changes("delete", dana, *three[:2])
    shown = lena.opens(items_page(deed, dana, *three)).context["offer"].preview

    lena.changes(deed, dana, *three)

    entry = entry_of(selections.ACTIONS[deed]) if deed is not Deed.PROTECT else AuditEntry.objects.order_by("-pk")[0]
    afterwards = lena.opens(user_page(dana)).context["profile"].tiers
    assert (entry.after["number"], entry.after["size_bytes"]) == (shown.items, shown.size_bytes)
    assert sum(entry.after["skipped"].values()) == sum(shown.skipped.values())
    for name, _, after in shown.change[1:]:
        tier = afterwards[Tier(name.removesuffix(" used").lower())]
        assert after == f"{tier.active_bytes} B, {round(tier.share * 100)} %"


def test_what_changed_since_the_form_was_opened_is_left_out_and_told(sam, dana, three):
    held = sam.frozen("protect", dana, *three)
    rename(dana, three[0])

    answer = sam.sends(items_page("protect", dana), item=held)

    assert [protected for _, protected, _ in states(dana, three)] == [False, True, True]
    assert "Left as they were: 1 changed since." in sam.reads(answer.url)
    assert entry_of("items.protected").after["skipped"] == {"changed": 1}


def test_when_all_of_them_changed_nothing_is_done_and_it_is_said(sam, dana, three):
    held = sam.frozen("protect", dana, three[0])
    rename(dana, three[0])

    answer = sam.sends(items_page("protect", dana), item=held)

    assert answer.status_code == 409
    assert "There is nothing to change. Of the chosen items 1 changed since." in text_of(answer)
    assert not AuditEntry.objects.filter(action="items.protected").exists()


def test_other_peoples_items_are_left_alone(lena, dana, three, bob):
    theirs = bob.writes("Bob's own").id

    lena.changes("delete", dana, theirs, three[0])

    assert bob.item(theirs).state == ItemState.ACTIVE
    assert entry_of("items.deleted").after["skipped"] == {"gone": 1}


@pytest.mark.parametrize("typed", ["", "usr_1", "DANA"])
def test_a_delete_asks_to_type_whom_it_is_about(lena, dana, three, typed):
    answer = lena.changes("delete", dana, *three, whom=typed)

    assert answer.status_code == 422
    assert dana.external_id in text_of(answer)
    assert [state for state, *_ in states(dana, three)] == ["active"] * 3


@pytest.mark.parametrize("deed", ["protect", "delete"])
def test_a_reason_is_asked_for_and_what_was_chosen_is_kept(lena, dana, three, deed):
    answer = lena.changes(deed, dana, *three, reason="because")

    assert answer.status_code == 422
    assert "7 characters; at least 10" in text_of(answer)
    assert answer.content.decode().count('name="item"') == 3


@pytest.mark.promise("P7")
def test_a_form_that_is_sent_twice_deletes_once(lena, dana, three):
    held, token = lena.frozen("delete", dana, *three), uuid4()

    answers = [lena.sends(items_page("delete", dana), item=held, whom=dana.external_id, once=token) for _ in range(3)]

    assert len({answer.url for answer in answers}) == 1
    assert AuditEntry.objects.filter(action="items.deleted").count() == 1


def test_without_room_nothing_is_restored_and_the_page_says_what_would_help(lena, dana):
    old = dana.writes(content_of(100 * KIB), tier=Tier.SHORT_TERM).id
    lena.changes("delete", dana, old)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=10)

    page = lena.reads(items_page("restore", dana, old))
    with pytest.raises(NoRoomToRestore) as refusal:
        restore(lena, dana, old)

    assert "No room in short-term: needs 100 KiB, 10 B are free. Limit 512 KiB from the plan." in page
    assert "Raise short-term to 612 KiB or more for a time." in page
    assert refusal.value.facts()["tiers"] == [{"tier": "short-term", "needed_bytes": 102_400, "room_bytes": 10}]
    assert dana.item(old).state == ItemState.ARCHIVED


def restore(portal, person, item_id, **changed):
    sender = Sender(portal.staff, uuid4(), Why(WHY), "")
    chosen = [Chosen(item_id, person.item(item_id).version)]
    return itemacts.change(sender, Deed.RESTORE, chosen, user_id=person.id, now=NOON, **changed)


def test_a_restore_that_raises_made_room_for_goes_through(lena, dana):
    old = dana.writes(content_of(100 * KIB), tier=Tier.SHORT_TERM).id
    lena.changes("delete", dana, old)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=10)
    dana.is_raised(Tier.SHORT_TERM, 612 * KIB, until=NOON + DAY)

    restore(lena, dana, old)

    assert dana.item(old).state == ItemState.ACTIVE
    assert violations() == []


def test_what_a_full_archive_would_lose_is_shown_before_and_told_after(lena, dana, three):
    lena.changes("delete", dana, three[0])
    TierPolicy.objects.filter(plan__memoryuser=dana.id, tier=Tier.LONG_TERM).update(archived_bytes=150)

    page = lena.reads(items_page("delete", dana, three[1]))
    answer = lena.changes("delete", dana, three[1])

    assert "Gone for good 1 archived item the archive is full" in page
    assert "1 archived item went for good, the archive was full" in lena.reads(answer.url)
    assert [state for state, *_ in states(dana, three[:2])] == ["purged", "archived"]
    assert AuditEntry.objects.filter(after__purged=[str(three[0])]).count() == 1


def test_an_archive_full_of_protected_items_takes_no_more_and_the_page_says_so(lena, dana, three):
    lena.changes("protect", dana, *three)
    lena.changes("delete", dana, three[0])
    TierPolicy.objects.filter(plan__memoryuser=dana.id, tier=Tier.LONG_TERM).update(archived_bytes=150)

    held = f"mem_{three[1].hex}:2"
    answer = lena.sends(items_page("delete", dana), item=held, whom=dana.external_id)

    assert answer.status_code == 409
    assert "The archive is full of protected items, which nothing pushes out." in text_of(answer)
    assert [state for state, *_ in states(dana, three[:2])] == ["archived", "active"]


def test_nothing_chosen_and_too_much_chosen_are_said(sam, dana):
    nothing = sam.reads(items_page("protect", dana))
    too_many = sam.reads(items_page("protect", dana, *(uuid4() for _ in range(101))))

    assert "No item is chosen." in nothing
    assert "101 items are chosen; 100 can be changed at once." in too_many


def test_a_form_that_cannot_be_read_is_refused(sam, dana, three):
    answer = sam.sends(items_page("protect", dana), item=["mem_1:1", f"mem_{three[0].hex}:x", "\x00"])

    assert answer.status_code in (409, 422)
    assert [protected for _, protected, _ in states(dana, three)] == [False] * 3


@pytest.mark.parametrize("deed", [Deed.DELETE, Deed.RESTORE])
def test_support_neither_deletes_nor_restores(sam, dana, three, deed):
    sender = Sender(sam.staff, uuid4(), Why(WHY), "")

    with pytest.raises(NotYourRole):
        itemacts.change(sender, deed, [Chosen(three[0], 1)], user_id=dana.id, now=NOON)

    text = sam.reads(items_page(deed, dana, three[0]))
    assert f"{sam.staff.username} (support) cannot {deed} items: lead can." in text


@pytest.mark.parametrize("state", [UserState.ERASING, UserState.ERASED])
def test_nothing_is_changed_of_who_is_being_erased(lena, dana, three, state):
    held = lena.frozen("delete", dana, *three)
    MemoryUser.objects.filter(pk=dana.id).update(state=state)

    answer = lena.sends(items_page("delete", dana), item=held, whom=dana.external_id)

    assert answer.status_code == 404
    assert "there is nothing left to change." in text_of(answer)
    assert [state for state, *_ in states(dana, three)] == ["active"] * 3


@pytest.mark.parametrize(("reason", "ticket"), [("too short", ""), ("x" * 20, "y" * 65)])
def test_the_service_itself_asks_for_a_reason(lena, dana, three, reason, ticket):
    sender = Sender(lena.staff, uuid4(), Why(reason, ticket), "")

    with pytest.raises(Invalid):
        itemacts.change(sender, Deed.DELETE, [Chosen(three[0], 1)], user_id=dana.id, now=NOON)

    assert dana.item(three[0]).state == ItemState.ACTIVE


def test_what_is_protected_already_is_left_out(sam, dana, three):
    sam.changes("protect", dana, three[0])

    with pytest.raises(NothingToDo) as refusal:
        selections.change(Deed.PROTECT, [Chosen(three[0], 2)], user_id=dana.id, actor=TESTER, why=Why(WHY), now=NOON)

    assert refusal.value.detail == "Nothing was done. Of the chosen items 1 protected already."


def test_the_items_page_offers_what_each_row_allows_and_says_why_not(sam, dana, three):
    sam.changes("protect", dana, three[0])

    page = sam.opens(user_page(dana, "?tab=items")).content.decode()

    assert f'href="{items_page("unprotect", dana, three[0])}"' in page
    assert f'href="{items_page("protect", dana, three[1])}"' in page
    assert f'href="{items_page("protect", dana, three[0])}"' not in page
    assert "cannot delete items: lead can." in page
    assert page.count('form="choose"') == 3


def test_an_archived_item_says_why_it_is_not_found_any_more(lena, dana, three):
    lena.changes("delete", dana, three[0])
    items.delete_item(three[1], user_id=dana.id, actor=TESTER, now=NOON)

    text = lena.reads(user_page(dana, "?tab=items&state=archived"))

    assert "Archived 2026-11-17 12:00:00 UTC, because a lead deleted it" in text
    assert "because a client deleted it" in text
    assert "Can come back until 2026-12-17 12:00:00 UTC, where long-term has room for it" in text


def test_an_archived_item_leads_to_where_the_timeline_tells_of_it(lena, dana, three, clock_at_noon):
    lena.changes("delete", dana, three[0])
    clock_at_noon.shift(60)
    lena.notes(dana, "Calls back on weekdays only.")
    body = lena.opens(user_page(dana, "?tab=items&state=archived")).content.decode()
    [link] = re.findall(r'href="(\?tab=history&amp;cursor=[^"]+)"', body)

    text = lena.reads(user_page(dana, html.unescape(link)))

    assert f"Deleted 1 item of long-term, 100 B, to the archive {WHY} {lena.staff.username}" in text
    assert "Wrote a note" not in text


def test_all_items_of_a_page_can_be_chosen_without_scripts(sam, dana, three):
    page = sam.opens(user_page(dana, "?tab=items")).content.decode()
    [link] = re.findall(r'href="([^"]+)">Choose all on this page', page)

    chosen = sam.opens(user_page(dana, html.unescape(link))).content.decode()

    marked = 'form="choose" checked'
    assert (page.count(marked), chosen.count(marked)) == (0, 3)
    assert "Choose none" in chosen
