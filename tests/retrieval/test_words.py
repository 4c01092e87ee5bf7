"""A query's words are counted in one user's items, by the index of that user's words."""

import json

import pytest
from django.db import connection

from kimberly.lib.sql import statement
from memory.models import MemoryUser
from memory.queries import retrieval, words
from memory.services import items
from tests.bench.query import fill
from tests.bench.settling import settle
from tests.personas import NOON, TESTER, Person


def counts(person, query):
    found = words.counted(query, user_id=person.id)
    return [(one.word, one.active_items, one.archived_items) for one in found.counts]


def test_words_are_counted_in_the_order_of_the_query_and_told_as_they_were_typed(alice):
    alice.writes("A window seat.")
    alice.writes("Two windows.")

    assert counts(alice, "Seats, the windows and kittens' window?") == [
        ("Seats", 1, 0),
        ("windows", 2, 0),
        ("kittens", 0, 0),
    ]


def test_archived_ones_are_counted_apart_and_purged_ones_not_at_all(alice):
    for end in (items.delete_item, items.purge_item):
        end(alice.writes("A window seat.").id, user_id=alice.id, actor=TESTER, now=NOON)

    assert counts(alice, "window") == [("window", 0, 1)]


def test_tags_speaker_and_title_count_as_words(alice):
    alice.writes("x", metadata={"tags": ["travel"], "speaker": "Ines", "title": "Flights"})

    assert [count for _, count, _ in counts(alice, "travel flights Ines")] == [1, 1, 1]


def test_another_users_words_are_never_counted(alice, bob):
    stored = bob.writes("A window seat.")

    assert counts(alice, "window") == [("window", 0, 0)]
    assert words.shared_with(stored.id, "window", user_id=alice.id) == []


@pytest.mark.promise("R7")
@pytest.mark.parametrize("query", ["' | 'a' & !b:*", "a\\'b", "%", "$$ -- /* */", "😀", "\u202e", " ", "%(query)s"])
def test_hostile_words_are_counted_as_any_others(alice, query):
    alice.writes(query)

    assert all(count == 1 for _, count, _ in counts(alice, query))


def test_of_a_very_long_query_the_first_words_are_counted(alice):
    found = words.counted(" ".join(f"w{number}" for number in range(1_500)), user_id=alice.id)

    assert (len(found.counts), found.is_cut) == (words.MOST_COUNTED, True)
    assert found.counts[0].word == "w0"


def test_the_words_that_an_item_shares_are_told(alice):
    stored = alice.writes("Prefers the window seat on flights.")

    assert words.shared_with(stored.id, "Which seats on a flight to Utrecht?", user_id=alice.id) == ["seats", "flight"]


def test_each_place_of_a_word_is_found_in_whatever_form(alice):
    text = "Windows? The <b>window</b> seat, by a window-sill."
    stored = alice.writes(text)

    places = words.places_in({stored.id: text}, "seats at windows", user_id=alice.id)

    assert [text[slice(*place)] for place in places[stored.id]] == ["Windows", "window", "seat", "window"]


def test_places_are_found_in_the_beginning_of_a_very_long_text(alice):
    text = "A window. " + "Nothing else. " * 2_000 + "Another window."
    stored = alice.writes(text)

    assert words.places_in({stored.id: text}, "window", user_id=alice.id) == {stored.id: [(2, 8)]}


def test_no_place_is_told_where_the_parser_leaves_something_out(alice):
    text = f"A window {'é' * 3_000} window"
    stored = alice.writes(text)

    assert words.places_in({stored.id: text}, "window", user_id=alice.id) == {stored.id: []}


def test_another_users_texts_have_no_places(alice, bob):
    stored = bob.writes("A window seat.")

    assert words.places_in({stored.id: "A window seat."}, "window", user_id=alice.id) == {}


def test_words_have_their_places_behind_a_long_address_too(alice):
    text = f"See https://example.org/{'path/' * 60} for the window, and {'x' * 100} windows."
    stored = alice.writes(text)

    [first, second] = words.places_in({stored.id: text}, "window", user_id=alice.id)[stored.id]

    assert (text[slice(*first)], text[slice(*second)]) == ("window", "windows")


@pytest.mark.promise("R7")
@pytest.mark.parametrize("query", ["' | 'a' & !b:*", "a\\'b", "StartSel=x, MaxWords=1", "the", "😀", "%(query)s"])
def test_hostile_words_have_places_as_any_others(alice, query):
    stored = alice.writes(query)

    places = words.places_in({stored.id: query}, query, user_id=alice.id)

    assert all(query[slice(*place)].strip() for place in places.get(stored.id, []))


@pytest.fixture
def crowd(committed_db):
    """Someone with 300 items among others with 12,000; their sizes and places known to the planner."""
    alice, others = Person.register("alice"), Person.register("others")
    fill(alice, 300)
    fill(others, 12_000)
    settle()
    yield alice
    forget(alice, others)


@pytest.mark.slow
def test_the_statement_reads_the_users_part_of_the_index(crowd):
    plan = plan_of(crowd, "w410 w1500 w64")

    scans = [node["Node Type"] for node in plan if node.get("Relation Name") == "memory_item"]
    words = [node["Index Cond"] for node in plan if node.get("Index Name") == "memory_item_words_ix"]
    every = [node["Index Cond"] for node in plan if "Index Cond" in node]
    assert "Seq Scan" not in scans
    assert words
    assert all("user_id" in condition and "search_document" in condition for condition in words)
    assert all("user_id" in condition for condition in every), "of the archive too only the user's part is read"


def plan_of(person, query):
    parameters = {"query": query, "user_id": person.id, "most": 60}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement(retrieval.__file__, 'word_counts')}", parameters)
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    return nodes_of(plan[0]["Plan"])


def nodes_of(plan):
    return [plan, *(node for inner in plan.get("Plans", ()) for node in nodes_of(inner))]


def forget(*people):
    ids = [list(MemoryUser.objects.filter(pk__in=[one.id for one in people]).values_list("id", flat=True))]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM memory_item WHERE user_id = ANY(%s)", ids)
        cursor.execute("UPDATE usage_counter SET active_items = 0, active_bytes = 0 WHERE user_id = ANY(%s)", ids)
