"""The search in one user's memories: what it needs, what it says of the results, and what it leaves behind."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.audit.models import AuditEntry
from kimberly.lib import ids
from kimberly.web import redisclient
from memory.models import AccessEvent
from memory.services import accesses
from ops.models import ContentReveal
from ops.roles import Role
from tests.ops.answers import contents_in
from tests.ops.portal import Portal, search_page, text_of, user_page
from tests.ops.test_safe_pages import fingerprint
from tests.personas import NOON, Person, hire

pytestmark = pytest.mark.usefixtures("clock_at_noon")

MINUTE = timedelta(minutes=1)


@pytest.mark.promise("V8")
@pytest.mark.parametrize("role", Role)
def test_without_a_reveal_nobody_searches_and_each_is_told_who_can(dana, role):
    portal = Portal.of(hire(str(role), role))

    page, answer = portal.reads(search_page(dana)), portal.searches(dana, "window seat")

    assert "So it needs the content revealed to you." in page
    assert ("Reveal for 15 min" in page) is (role is Role.LEAD)
    assert (f"({role}) cannot reveal content: lead can." in page) is (role is not Role.LEAD)
    assert (answer.status_code, "Prefers" in answer.content.decode()) == (403, False)


@pytest.mark.promise("V8")
def test_the_search_ends_with_the_reveal_and_what_was_typed_is_kept(reader, dana, clock_at_noon):
    clock_at_noon.move_to(NOON + 15 * MINUTE)

    answer = reader.searches(dana, "window seat, please")

    assert answer.status_code == 403
    assert "What you typed is kept below" in text_of(answer)
    assert "window seat, please</textarea>" in answer.content.decode()


def test_the_best_come_first_with_their_text_and_what_is_known_of_them(reader, dana):
    answer = reader.searches(dana, "Which seat does she like on flights?")

    assert contents_in(answer)[0] == "Prefers the window seat on long flights."
    text = text_of(answer)
    assert "Session: s1" in text
    assert "Tags: travel" in text
    assert re.search(r"3 memories found in \d+ ms", text)
    assert "Hybrid: by meaning and words." in text
    assert "Profile 1: meaning weighs 0.2, own words 0.5, context 0.3." in text


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: f"  {text}\t"])
def test_the_expected_memory_is_named_in_any_case(reader, dana, change):
    stored = dana.writes("A platypus.")

    answer = reader.searches(dana, "platypus", expected=change(ids.encode(ids.Prefix.ITEM, stored.id)))

    assert "The memory you expected: It is number 1" in text_of(answer)


def test_an_item_leads_to_the_search_that_expects_it(reader, dana):
    page = reader.opens(user_page(dana, "?tab=items")).content.decode()
    link, item_id = re.findall(rf'href="({search_page(dana)}\?expected=(mem_[0-9a-f]+))"', page)[0]

    search = reader.opens(link).content.decode()

    assert f'name="expected" value="{item_id}"' in search


def test_no_item_leads_to_the_search_while_content_is_masked(vera, dana):
    assert "?expected=" not in vera.opens(user_page(dana, "?tab=items")).content.decode()


def test_the_answer_has_an_address_that_can_be_opened_again(reader, dana):
    asked = reader.client.post(search_page(dana), {"question": "window seat", "tags": "travel"})

    first, again = reader.opens(asked.url), reader.opens(asked.url)

    assert asked.status_code == 302
    assert asked.url.endswith("#answer")
    assert "window" not in asked.url
    assert contents_in(first) == contents_in(again) == ["Prefers the window seat on long flights."]
    assert "window seat</textarea>" in again.content.decode()


@pytest.mark.promise("V8")
def test_the_address_of_an_answer_is_worth_nothing_to_others_and_for_others(reader, dana):
    asked = reader.client.post(search_page(dana), {"question": "window seat"})
    other, other_user = Portal.of(hire("lilo", Role.LEAD)), Person.register("other")
    other_user.writes("A window seat.")
    other.reveals(dana)
    reader.reveals(other_user)
    query = asked.url.partition("?")[2]

    answers = [other.opens(asked.url), reader.opens(f"{search_page(other_user)}?{query}")]

    for answer in answers:
        assert "What was asked here is no longer kept" in text_of(answer)
        assert "window seat" not in answer.content.decode()


@pytest.mark.promise("V8")
def test_what_was_asked_is_kept_as_long_as_a_reveal_at_the_most(reader, dana):
    reader.searches(dana, "window seat")

    names = redisclient.client().keys(f"asked:{reader.staff.pk}:{dana.id}:*")

    assert [0 < redisclient.client().ttl(name) <= 15 * 60 for name in names] == [True]


@pytest.mark.promise("V8")
def test_the_address_of_an_answer_shows_nothing_once_the_reveal_is_over(reader, dana, clock_at_noon):
    asked = reader.client.post(search_page(dana), {"question": "window seat"})
    clock_at_noon.move_to(NOON + 15 * MINUTE)

    page = text_of(reader.opens(asked.url))

    assert "So it needs the content revealed to you." in page
    assert "Prefers" not in page


@pytest.mark.parametrize("token", ["x", "x" * 10_000, "*", "%00", "\u202e"])
def test_a_token_that_is_not_kept_leads_to_the_form(reader, dana, token):
    answer = reader.client.get(search_page(dana), {"asked": token})

    assert answer.status_code == 200
    assert "What was asked here is no longer kept" in text_of(answer)


def test_with_redis_away_the_address_of_an_answer_leads_to_the_form(reader, dana, lose_redis):
    asked = reader.client.post(search_page(dana), {"question": "window seat"})
    lose_redis()

    answer = reader.opens(asked.url)

    assert "What was asked here is no longer kept" in text_of(answer)


def test_a_page_says_in_its_title_what_it_is(reader, dana):
    page, answer = (one.content.decode() for one in (reader.opens(search_page(dana)), reader.searches(dana, "seat")))

    assert "<title>Search in Dana Whitfield" in page
    assert "<title>3 found: search in Dana Whitfield" in answer


def test_no_browser_cuts_the_question(reader, dana):
    page = reader.opens(search_page(dana)).content.decode()

    assert "maxlength" not in re.findall(r"<textarea[^>]*>", page)[0]
    assert "at most 8,000 characters" in page


def test_after_a_search_without_a_reveal_two_cards_have_two_titles(reader, dana, clock_at_noon):
    clock_at_noon.move_to(NOON + 15 * MINUTE)

    answer = reader.searches(dana, "window seat").content.decode()

    assert re.findall(r"<h2 id[^>]*>([^<]*)</h2>", answer) == ["Reveal the content first", "Search memories"]


def test_the_mask_is_offered_once(reader, dana):
    revealed = ContentReveal.objects.get(user_id=dana.id)

    page = reader.opens(f"{search_page(dana)}?done={revealed.public_id}")

    assert "Content of Dana Whitfield shows to" in text_of(page)
    assert text_of(page).count("Mask again") == 1


def test_the_archive_is_searched_on_request_and_marked(reader, dana):
    without, within = reader.searches(dana, "window seat"), reader.searches(dana, "window seat", archived="in")

    assert "Flew from Lisbon to Utrecht in a window seat." not in contents_in(without)
    assert "Flew from Lisbon to Utrecht in a window seat." in contents_in(within)
    assert "Archived" in text_of(within)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"tier": "permanent"}, {"Is allergic to hazelnuts."}),
        ({"tags": "travel"}, {"Prefers the window seat on long flights."}),
        ({"tags": " food , travel,"}, set()),
        ({"since": "2026-11-17T12:30"}, {"Went to the dentist in Utrecht."}),
        ({"until": "2026-11-17T12:00"}, set()),
    ],
)
def test_the_filters_narrow_as_the_api_s_do(reader, dana, fields, found):
    answer = reader.searches(dana, "seat hazelnuts dentist", **fields)

    assert set(contents_in(answer)) == found
    assert "<details open>" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"question": ""}, "What was asked?"),
        ({"question": " \r\n\t "}, "What was asked?"),
        ({"question": "x" * 8_001}, "at most 8000 characters"),
        ({"question": "nul \x00"}, "Null characters are not allowed"),
        ({"since": "yesterday"}, "A date and a time, such as"),
        ({"since": "2026-11-18T00:00", "until": "2026-11-17T00:00"}, "This must be later than the beginning."),
        ({"expected": "mem_1"}, "This is no mem_ id"),
        ({"expected": "usr_" + "a" * 32}, "This is no mem_ id"),
        ({"tags": ",".join(f"t{number}" for number in range(21))}, "21 tags; at most 20."),
        ({"tags": "t" * 501}, "A tag has at most 500 characters."),
        ({"tier": "for-ever"}, "is not one of the available choices"),
        ({"top_k": "1000"}, "is not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(reader, dana, fields, says):
    answer = reader.searches(dana, **{"question": "window seat", "tags": "kept", **fields})

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "window seat" in answer.content.decode() or "question" in fields
    assert "kept" in answer.content.decode() or "tags" in fields
    assert contents_in(answer) == []


def test_lines_count_as_the_client_would_send_them(reader, dana):
    assert reader.searches(dana, "a\r\n" * 4_000).status_code == 200


def test_a_search_changes_nothing_and_leaves_no_access(reader, dana):
    before = fingerprint()

    reader.searches(dana, "window seat", archived="in")
    accesses.flush()

    assert fingerprint() == before
    assert AccessEvent.objects.count() == 0
    assert AuditEntry.objects.filter(actor_kind="staff").count() == 1  # the reveal's


def test_a_form_from_elsewhere_is_refused(reader, dana):
    strict = Portal(reader.staff, enforce_csrf_checks=True)

    assert strict.searches(dana, "window seat").status_code == 403


@pytest.mark.promise("F7")
def test_with_redis_down_words_and_vectors_answer(reader, dana, lose_redis):
    lose_redis()

    answer = reader.searches(dana, "Which seat on flights?")

    assert answer.redirect_chain == []
    assert contents_in(answer)[0] == "Prefers the window seat on long flights."
    assert "Hybrid: by meaning and words." in text_of(answer)


def test_a_search_costs_as_many_statements_for_many_results_as_for_few(reader, dana):
    few = cost_of(reader, dana)
    for number in range(30):
        dana.writes(f"Notes on the window {number}.")

    many = cost_of(reader, dana)

    assert many.results > few.results + 20
    assert many.statements == few.statements <= 14


def cost_of(reader, dana):
    """A search's statements, with what is remembered for a second remembered already."""
    reader.searches(dana, "something else")
    asked = reader.client.post(search_page(dana), {"question": "window seat notes", "top_k": "50"})
    with CaptureQueriesContext(connection) as queries:
        answer = reader.opens(asked.url)
    return SimpleNamespace(statements=len(queries), results=len(contents_in(answer)))


def test_the_tab_of_the_user_leads_here(vera, dana):
    assert f'href="{search_page(dana)}"' in vera.opens(user_page(dana)).content.decode()
