"""GET /memory: filters, orders, pages."""

from datetime import timedelta

import httpx
import pytest

from kimberly.lib import clock
from tests.api.callers import MEMORY, Caller
from tests.api.problems import fault_of, problem_in


def contents(caller: Caller, **query: object) -> list[str]:
    return [item["content"] for item in caller.lists(**query)["items"]]


@pytest.fixture
def shelf(alice: Caller) -> Caller:
    """Alice, with four memories that differ in everything one can ask for."""
    alice.keeps("Window seat", created_at="2026-01-01T10:00:00Z", metadata={"tags": ["travel", "habits"]})
    alice.keeps(
        "Aisle seat at 100%", type="permanent", created_at="2026-01-02T10:00:00Z", metadata={"tags": ["travel"]}
    )
    alice.keeps("Hazelnuts_no", created_at="2026-01-03T10:00:00Z", metadata={"tags": ["food"], "travel": True})
    alice.keeps("x", type="short-term", created_at="2026-01-04T10:00:00Z", metadata={"tags": "travel"})
    return alice


def test_a_list_has_items_a_total_and_no_next_page_when_it_is_whole(shelf: Caller):
    page = shelf.lists()

    assert (len(page["items"]), page["total"], page["total_is_estimate"], page["next_cursor"]) == (4, 4, False, None)


def test_an_empty_list_is_a_list(alice: Caller):
    assert alice.lists() == {"items": [], "total": 0, "total_is_estimate": False, "next_cursor": None}


def test_an_item_in_a_list_is_what_it_is_alone(shelf: Caller):
    item = shelf.lists(per_page=1)["items"][0]

    assert shelf.reads(item["id"]).json() == item


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type": "permanent"}, ["Aisle seat at 100%"]),
        ({"type": "long-term"}, ["Hazelnuts_no", "Window seat"]),
        ({"tag": "travel"}, ["Aisle seat at 100%", "Window seat"]),
        ({"tag": "tra"}, []),
        ({"since": "2026-01-02T10:00:00Z"}, ["x", "Hazelnuts_no", "Aisle seat at 100%"]),
        ({"until": "2026-01-02T10:00:00Z"}, ["Window seat"]),
        (
            {"since": "2026-01-02T12:00:00+02:00", "until": "2026-01-03T10:00:01Z"},
            ["Hazelnuts_no", "Aisle seat at 100%"],
        ),
        ({"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z", "type": "short-term"}, ["x"]),
        ({"since": "2026-01-05T09:00:00+23:30"}, ["x"]),
        ({"q": "SEAT"}, ["Aisle seat at 100%", "Window seat"]),
        ({"q": "%"}, ["Aisle seat at 100%"]),
        ({"q": "_"}, ["Hazelnuts_no"]),
        ({"q": "\\"}, []),
        ({"q": "travel"}, []),
        ({"q": "seat", "tag": "habits", "type": "long-term"}, ["Window seat"]),
        ({"state": "archived"}, []),
    ],
)
def test_filters_narrow_the_list_and_its_total(shelf: Caller, query, found):
    page = shelf.lists(**query)

    assert [item["content"] for item in page["items"]] == found
    assert page["total"] == len(found)


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("-created_at", "x", "Window seat"),
        ("created_at", "Window seat", "x"),
        ("-size_bytes", "Hazelnuts_no", "x"),
        ("size_bytes", "x", "Hazelnuts_no"),
    ],
)
def test_the_order_is_the_one_asked_for(shelf: Caller, sort, first, last):
    found = contents(shelf, sort=sort)

    assert (found[0], found[-1]) == (first, last)


def test_newest_come_first_unless_asked_otherwise(shelf: Caller):
    assert contents(shelf) == contents(shelf, sort="-created_at")


def test_archived_items_are_listed_only_when_asked_for_and_purged_ones_never(shelf: Caller):
    archived, purged = shelf.lists()["items"][:2]
    shelf.deletes(archived["id"])
    shelf.deletes(purged["id"], purge="true")

    active, in_archive = shelf.lists(), shelf.lists(state="archived")

    assert (active["total"], in_archive["total"]) == (2, 1)
    assert [item["id"] for item in in_archive["items"]] == [archived["id"]]
    assert in_archive["items"][0]["state"] == "archived"


def test_a_page_by_number_and_a_cursor_in_one_call_are_refused(shelf: Caller):
    cursor = shelf.lists(per_page=1)["next_cursor"]
    response = shelf.http.get(MEMORY, params={"cursor": cursor, "page": 2, "per_page": 1})

    assert fault_of(response, status=422, pointer="") is None
    assert "not both" in problem_in(response)["detail"]


def test_pages_by_cursor_lead_through_the_whole_list_with_the_same_total(shelf: Caller):
    first = shelf.lists(per_page=3)
    second = shelf.lists(per_page=3, cursor=first["next_cursor"])

    assert [item["content"] for page in (first, second) for item in page["items"]] == contents(shelf)
    assert (first["total"], second["total"], second["next_cursor"]) == (4, 4, None)


def test_a_cursor_keeps_to_the_filters_that_are_sent_with_it(shelf: Caller):
    first = shelf.lists(per_page=1, tag="travel")
    second = shelf.lists(per_page=1, tag="travel", cursor=first["next_cursor"])

    assert [item["content"] for page in (first, second) for item in page["items"]] == contents(shelf, tag="travel")


def test_pages_by_number_are_a_convenience(shelf: Caller):
    pages = [contents(shelf, per_page=3, page=number) for number in (1, 2, 3, 100)]

    assert pages == [contents(shelf)[:3], contents(shelf)[3:], [], []]


def test_a_page_has_50_items_unless_asked_otherwise_and_100_at_most(alice: Caller):
    alice.posts_many(*({"type": "long-term", "content": str(number)} for number in range(101)))

    sizes = [len(alice.lists(**query)["items"]) for query in ({}, {"per_page": 100}, {"per_page": 1})]

    assert sizes == [50, 100, 1]


def test_a_time_in_a_list_ends_on_z(shelf: Caller):
    assert {item["created_at"][-1] for item in shelf.lists()["items"]} == {"Z"}


def test_a_list_of_an_unknown_user_is_404(service: httpx.Client):
    response = service.get(MEMORY, params={"user_id": "nobody-knows-them"})

    assert problem_in(response)["type"].endswith("/problems/user-not-found")


def test_what_was_written_is_listed_by_both_processes_at_once(alice: Caller):
    alice.keeps("Just now.")

    seen = {alice.http.get(MEMORY, headers={"Connection": "close"}).json()["total"] for _ in range(10)}

    assert seen == {1}


def test_an_item_may_be_younger_than_its_row_and_five_minutes_ahead(alice: Caller):
    now = clock.utc_now()
    alice.keeps("ahead", created_at=(now + timedelta(minutes=4)).isoformat())

    too_far = alice.posts(created_at=(now + timedelta(minutes=6)).isoformat())

    assert contents(alice) == ["ahead"]
    assert problem_in(too_far)["errors"] == [{"pointer": "/created_at", "detail": "is in the future"}]
