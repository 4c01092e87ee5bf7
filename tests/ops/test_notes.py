"""Notes about a user: written for colleagues, changed by their author, never over another window's words."""

import pytest
import time_machine
from django.db import IntegrityError, transaction

from kimberly.audit.models import AuditEntry
from ops.models import UserNote
from ops.roles import Role
from tests.ops.portal import Portal, change_note_page, note_page, text_of, user_page
from tests.personas import NOON, Person, hire

pytestmark = pytest.mark.usefixtures("clock_at_noon")

TEXT = "Calls back on weekdays only, after five."


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


@pytest.fixture
def note(sam, dana):
    """Sam's note about Dana."""
    sam.notes(dana, TEXT)
    return UserNote.objects.get()


def changes(portal, note, text, **fields):
    return portal.sends(change_note_page(note), reason=text, **{"version": note.version, **fields})


def test_a_note_stands_on_the_users_page_with_who_and_when(sam, vera, dana):
    answer = sam.notes(dana, TEXT, ticket="HD-4")

    told, seen = sam.reads(answer.url), vera.reads(user_page(dana, "?tab=notes"))
    assert "Wrote a note. Undo" in told
    assert f"{TEXT} {sam.staff.username}, just now , HD-4" in seen
    assert "Notes 1" in seen


def test_the_newest_note_stands_first(sam, lena, dana):
    sam.notes(dana, TEXT)
    with time_machine.travel(NOON.replace(minute=20), tick=False):
        lena.notes(dana, "Moved to Porto in spring.")

    text = lena.reads(user_page(dana, "?tab=notes"))

    assert text.index("Moved to Porto") < text.index(TEXT)


def test_its_words_are_the_reason_in_the_trail(sam, dana, note):
    entry = AuditEntry.objects.get(action="note.added")

    assert (entry.text.reason, entry.after["note"]) == (TEXT, str(note.pk))
    assert f"Wrote a note {TEXT} {sam.staff.username}" in sam.reads(user_page(dana, "?tab=history"))


def test_its_author_changes_it(sam, dana, note):
    answer = changes(sam, note, "Calls back on Mondays only.")

    note.refresh_from_db()
    assert (note.text, note.version) == ("Calls back on Mondays only.", 2)
    assert "Changed a note." in sam.reads(answer.url)
    assert "changed just now" in sam.reads(user_page(dana, "?tab=notes"))


def test_nobody_else_changes_it_and_the_page_says_who_does(lena, sam, note):
    page, answer = lena.reads(change_note_page(note)), changes(lena, note, "Something else entirely.")

    who = sam.staff.username
    assert f"{who} wrote this note, and only {who} changes it." in page
    assert answer.status_code == 403
    note.refresh_from_db()
    assert note.text == TEXT


@pytest.mark.promise("P7")
def test_the_second_of_two_windows_is_told_who_when_and_what_and_keeps_its_text(sam, note):
    changes(sam, note, "Calls back on Mondays only.", ticket="HD-5")

    answer = changes(sam, note, "Calls back on Tuesdays only.")

    text, body = text_of(answer), answer.content.decode()
    told = f"{sam.staff.username} changed this note at 12:00:00 UTC, and the text and the ticket differ from what you"
    note.refresh_from_db()
    assert answer.status_code == 409
    assert told in text
    assert "Calls back on Mondays only." in text
    assert "Calls back on Tuesdays only.</textarea>" in body
    assert note.text == "Calls back on Mondays only."


def test_whoever_was_told_may_write_over_it(sam, note):
    changes(sam, note, "Calls back on Mondays only.")
    body = changes(sam, note, "Calls back on Tuesdays only.").content.decode()
    assert 'name="version" value="2"' in body

    answer = changes(sam, note, "Calls back on Tuesdays only.", version=2)

    note.refresh_from_db()
    assert answer.status_code == 302
    assert note.text == "Calls back on Tuesdays only."


@pytest.mark.parametrize(
    ("text", "says"),
    [("short", "5 characters; at least 10"), ("x" * 2_001, "2001 characters; at most 2000"), (" " * 20, "At least 10")],
)
def test_a_note_says_something_and_not_too_much(sam, dana, text, says):
    answer = sam.notes(dana, text)

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert UserNote.objects.count() == 0


def test_a_removed_note_is_not_shown_and_cannot_be_changed(sam, dana, note):
    sam.undoes(AuditEntry.objects.get(action="note.added"))

    assert TEXT not in sam.reads(user_page(dana, "?tab=notes"))
    assert changes(sam, note, "Calls back on Mondays only.").status_code == 404


def test_a_viewer_reads_notes_and_is_told_who_writes_them(vera, dana, note):
    text = vera.reads(note_page(dana))

    assert f"{vera.staff.username} (viewer) cannot write notes: lead and support can." in text


def test_an_operator_without_support_writes_none(dana, db):
    answer = Portal.of(hire("olivia", Role.OPERATOR)).notes(dana, TEXT)

    assert answer.status_code == 403
    assert UserNote.objects.count() == 0


def test_the_database_itself_keeps_no_empty_note(sam, note):
    with pytest.raises(IntegrityError, match="user_note_text_length_ck"), transaction.atomic():
        UserNote.objects.update(text="")
