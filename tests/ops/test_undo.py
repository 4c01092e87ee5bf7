"""Taking back what was done: once, by who may, exactly, and told."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from memory.models import MemoryItem, MemoryUser, QuotaOverride, Throttle
from memory.rules.tiers import ItemState, Tier, UserState
from memory.services import embeddings, items
from ops.models import UndoneAct, UserNote
from ops.services import invariants
from tests.ops.portal import items_page, text_of, undo_page, user_page
from tests.personas import NOON, TESTER, Person, content_of

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB = 1 << 10
DAY = timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


@pytest.fixture
def kept(dana):
    """The ids of three items in two tiers."""
    first = [dana.writes(text, at=NOON - DAY).id for text in ("Likes the sea", "Dislikes fog")]
    return [*first, dana.writes("A parking place", tier=Tier.SHORT_TERM, at=NOON - DAY / 2).id]


def newest(action):
    return AuditEntry.objects.filter(action=action).order_by("pk").last()


def violations():
    return [found for found in invariants.check(now=NOON) if found.invariant in ("I1", "I2", "I3", "I9")]


def facts_of(person):
    """What of the items must be the same after a delete was undone."""
    columns = ("id", "state", "tier", "content", "metadata", "embedding", "created_at", "protected", "size_bytes")
    rows = MemoryItem.objects.filter(user_id=person.id).order_by("pk").values(*columns)
    return [{**row, "embedding": str(row["embedding"])} for row in rows]


def test_a_throttle_is_lifted(sam, dana, clock_at_noon):
    sam.throttles(dana)
    clock_at_noon.shift(60)

    answer = sam.undoes(newest("throttle.set"))

    entry = newest("throttle.lifted")
    assert Throttle.objects.get().period.upper == NOON + timedelta(minutes=1)
    assert entry.after["undoes"] == str(newest("throttle.set").pk)
    assert "The throttle of Dana Whitfield has ended: 10 writes a minute. Throttle again" in sam.reads(answer.url)
    assert violations() == []


def test_a_raise_ends(sam, dana, clock_at_noon):
    sam.raises(dana)
    clock_at_noon.shift(60)

    sam.undoes(newest("quota.raised"))

    assert QuotaOverride.objects.get().period.upper == NOON + timedelta(minutes=1)
    assert dana.usage(Tier.SHORT_TERM, at=NOON + timedelta(minutes=1)).limit_bytes == 512 * KIB


def test_exactly_the_protected_items_are_unprotected(sam, dana, kept):
    sam.changes("protect", dana, kept[0])
    sam.changes("protect", dana, *kept[1:])

    sam.undoes(newest("items.protected"))

    assert [dana.item(one).protected for one in kept] == [True, False, False]


def test_a_suspended_user_goes_on(lena, dana):
    lena.suspends(dana)

    answer = lena.undoes(newest("user.suspended"))

    assert MemoryUser.objects.get(pk=dana.id).state == UserState.ACTIVE
    assert "Undone: suspended: no writes and no queries." in lena.reads(answer.url)


def test_deleted_items_come_back_as_they_were(lena, dana, kept):
    embeddings.embed_late(seconds=10)
    before = facts_of(dana)
    assert "None" not in {row["embedding"] for row in before}
    lena.changes("delete", dana, *kept)

    answer = lena.undoes(newest("items.deleted"))

    assert facts_of(dana) == before
    assert [dana.item(one).version for one in kept] == [3, 3, 3]
    assert dana.item(kept[2]).expires_at == NOON + DAY
    assert "Undone: deleted 3 items of long-term and short-term" in lena.reads(answer.url)
    assert violations() == []


def test_restored_items_go_back_to_the_archive(lena, dana, kept):
    lena.changes("delete", dana, *kept)
    lena.changes("restore", dana, *kept)

    lena.undoes(newest("items.restored"))

    assert {dana.item(one).state for one in kept} == {ItemState.ARCHIVED}
    assert violations() == []


def test_a_note_is_removed_by_its_author_alone(sam, lena, dana):
    sam.notes(dana, "Calls back on weekdays only.")
    act = newest("note.added")

    refused = lena.undoes(act)
    sam.undoes(act)

    who = sam.staff.username
    assert f"{who} wrote this note, and only {who} removes it." in text_of(refused)
    assert UserNote.objects.get().removed_at == NOON


def test_an_undo_is_told_beside_the_act_and_as_one_of_its_own(lena, dana, kept):
    lena.changes("delete", dana, kept[0])

    lena.undoes(newest("items.deleted"), reason="It was the wrong person", ticket="HD-3")

    text = lena.reads(user_page(dana, "?tab=history"))
    size = dana.item(kept[0]).size_bytes
    who = lena.staff.username
    assert f"Undo: restored 1 item of long-term, {size} B from the archive It was the wrong person {who}, HD-3" in text
    assert f"undone by {who} just now" in text


@pytest.mark.promise("P7")
def test_an_act_is_undone_once(lena, dana, kept):
    lena.changes("delete", dana, kept[0])
    act = newest("items.deleted")
    lena.undoes(act)

    answer = lena.undoes(act)

    assert answer.status_code == 409
    assert f"{lena.staff.username} undid it just now." in text_of(answer)
    assert AuditEntry.objects.filter(action="items.restored").count() == 1


@pytest.mark.promise("P7")
def test_a_double_click_undoes_once_and_says_so_once(lena, dana, kept):
    lena.changes("delete", dana, kept[0])
    act, token = newest("items.deleted"), uuid4()

    first, second = (lena.undoes(act, once=token) for _ in range(2))

    assert first.url == second.url
    assert UndoneAct.objects.count() == 1


def test_without_room_nothing_comes_back_and_it_is_said_what_would_make_room(lena, dana):
    large, small = (dana.writes(content_of(size), tier=Tier.SHORT_TERM).id for size in (100 * KIB, 100))
    lena.changes("delete", dana, large, small)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=200)

    answer = lena.undoes(newest("items.deleted"))

    text = text_of(answer)
    assert answer.status_code == 409
    assert "No room in short-term: needs 100.1 KiB, 200 B are free. Limit 512 KiB from the plan." in text
    assert "Raise short-term to 612 KiB or more for a time." in text
    assert {dana.item(one).state for one in (large, small)} == {ItemState.ARCHIVED}
    assert UndoneAct.objects.count() == 0
    dana.is_raised(Tier.SHORT_TERM, 612 * KIB, until=NOON + DAY)
    assert lena.undoes(newest("items.deleted")).status_code == 302
    assert violations() == []


def test_all_come_back_or_none(lena, dana, kept):
    lena.changes("delete", dana, *kept)
    items.purge_item(kept[0], user_id=dana.id, actor=TESTER, now=NOON)

    answer = lena.undoes(newest("items.deleted"))

    assert answer.status_code == 409
    assert "All come back, or none: of the items 1 gone for good." in text_of(answer)
    assert dana.item(kept[1]).state == ItemState.ARCHIVED


def test_what_changed_since_stays_protected_and_is_told(sam, dana, kept):
    sam.changes("protect", dana, *kept)
    change = items.Change(content="Dislikes rain")
    items.change_item(kept[1], change, user_id=dana.id, expected=None, now=NOON)

    sam.undoes(newest("items.protected"))

    assert [dana.item(one).protected for one in kept] == [False, True, False]
    assert newest("items.unprotected").after["skipped"] == {"changed": 1}


def test_what_has_ended_is_not_undone(sam, lena, dana, clock_at_noon):
    sam.throttles(dana)
    clock_at_noon.shift(60)
    act = newest("throttle.set")
    lena.lifts(Throttle.objects.get())

    page, answer = sam.opens(undo_page(act)), sam.undoes(act)

    assert "There is nothing to undo: it has ended." in text_of(page)
    assert answer.status_code == 409
    assert UndoneAct.objects.count() == 0


def test_who_may_not_do_it_may_not_undo_it(sam, lena, dana, kept):
    lena.changes("delete", dana, kept[0])
    act = newest("items.deleted")

    page, answer = sam.reads(undo_page(act)), sam.undoes(act)

    assert f"{sam.staff.username} (support) cannot delete items: lead can." in page
    assert answer.status_code == 403
    assert dana.item(kept[0]).state == ItemState.ARCHIVED


def test_the_message_offers_it_to_those_who_may(sam, lena, dana, kept):
    answer = lena.changes("delete", dana, kept[0])
    act = newest("items.deleted")

    theirs, others = lena.client.get(answer.url).content.decode(), sam.client.get(answer.url).content.decode()

    assert f'<form method="post" action="{undo_page(act)}">' in theirs
    assert undo_page(act) not in others


def test_the_form_shows_what_comes_back(lena, dana, kept):
    lena.changes("delete", dana, *kept[:2])

    text = lena.reads(undo_page(newest("items.deleted")))

    assert "Items 2, " in text
    assert "2 items archived active" in text


def test_what_is_no_act_of_staff_has_no_way_back(lena, dana, kept):
    items.delete_item(kept[0], user_id=dana.id, actor=TESTER, now=NOON)

    assert lena.opens(undo_page(newest("item.deleted"))).status_code == 404
    assert lena.opens(undo_page(newest("user.registered"))).status_code == 404


def test_an_undo_is_not_undone(lena, dana, kept):
    lena.changes("delete", dana, kept[0])
    lena.undoes(newest("items.deleted"))

    assert lena.opens(undo_page(newest("items.restored"))).status_code == 404
    assert lena.opens(items_page("delete", dana, kept[0])).status_code == 200


def test_a_reason_that_is_given_says_something(lena, dana, kept):
    lena.changes("delete", dana, kept[0])

    answer = lena.undoes(newest("items.deleted"), reason="oops")

    assert answer.status_code == 422
    assert dana.item(kept[0]).state == ItemState.ARCHIVED
