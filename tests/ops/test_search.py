"""The search in one user's memories: what it needs, what it says of the results, and what it leaves behind."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.audit.models import AuditEntry
from kimberly.web import redisclient
from memory.models import AccessEvent
from memory.queries.retrieval import Components
from memory.rules.retrieval import Weights
from memory.rules.tiers import Tier
from memory.services import accesses, embeddings, items
from ops import scores
from ops.roles import Role
from tests.embedding.endpoint import Endpoint
from tests.ops.portal import Portal, search_page, text_of, user_page
from tests.ops.test_safe_pages import fingerprint
from tests.personas import NOON, TESTER, Person, hire

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock_at_noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def dana(db):
    """Somebody with four memories, the last of them archived."""
    person = Person.register("dana", display_name="Dana Whitfield")
    person.writes("Prefers the window seat on long flights.", metadata={"tags": ["travel"], "session": "s1"})
    person.writes("Is allergic to hazelnuts.", tier=Tier.PERMANENT, metadata={"tags": ["food"], "speaker": "Ines"})
    person.writes("Went to the dentist in Utrecht.", at=NOON + timedelta(hours=1), metadata={"session": "s1"})
    old = person.writes("Flew from Lisbon to Utrecht in a window seat.")
    embeddings.embed_late(seconds=10)
    items.delete_item(old.id, user_id=person.id, actor=TESTER, now=NOON)
    return person


@pytest.fixture
def reader(lena, dana):
    """A lead to whom Dana's content is revealed."""
    lena.reveals(dana)
    return lena


@pytest.fixture
def redis_is_away():
    """As in the second after a failure; tests/faults has it killed for good."""
    redisclient._rest.begin()
    with pytest.raises(redisclient.RedisAway):
        redisclient.ask(lambda client: client.ping())
    yield
    redisclient._rest.end()


def contents_in(answer):
    """What was found, in order, as the page shows it."""
    body = answer.content.decode()
    return re.findall(r'(?s)<li class="k-found".*?class="k-content(?:__first)?">(.*?)<', body)


def parts_in(answer):
    """The rows below each result: the part's name and its two texts."""
    body = answer.content.decode()
    rows = re.findall(r'(?s)<th scope="row">([^<]+)</th>.*?<td>([^<]*)</td>\s*<td>([^<]*)</td>', body)
    return [(name, text, adds) for name, text, adds in rows]


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
    assert "Profile 1: meaning weighs 0.2, own words 0.5, context 0.3, freshness 0." in text


def test_the_parts_of_each_score_add_up_to_it_as_shown(reader, dana):
    rows = parts_in(reader.searches(dana, "Which seat on flights, dentist or Utrecht?"))

    assert [name for name, _, _ in rows] == ["Meaning", "Own words", "Context", "Freshness", "Score"] * 3
    for at in range(0, len(rows), 5):
        adds = [float(adds) for _, _, adds in rows[at : at + 4] if adds != "–"]
        assert round(sum(adds), 3) == float(rows[at + 4][2])


def test_what_an_item_does_not_have_is_absent_and_not_nought(reader, dana):
    rows = parts_in(reader.searches(dana, "hazelnuts"))

    assert rows[1][:2] == ("Own words", "1.000 × 0.5")
    assert rows[3] == ("Freshness", "absent × 0", "–")
    assert ("Own words", "absent × 0.5", "–") in rows[5:]


@pytest.mark.parametrize("weights", [Weights(0.2, 0.5, 0.3, 0), Weights(0.333, 0.333, 0.333, 0.05)])
@pytest.mark.parametrize(
    "values", [(0.8146, 1.0, 0.6434, 0.5), (0.3335, 0.3335, 0.3335, None), (None, 0.0005, None, 0.0005), (0, 0, 0, 0)]
)
def test_the_shown_parts_never_miss_the_shown_sum_by_rounding(weights, values):
    semantic, own_words, context, freshness = values
    parts = scores.parts_of(Components(semantic, own_words, None, context, freshness), weights)

    total = sum(part.weight * (part.value or 0) for part in parts)
    assert round(sum(part.adds for part in parts), 3) == scores.rounded(total)
    assert all(part.starts_percent >= 0 and part.starts_percent + part.adds_percent <= 100.01 for part in parts)


def test_words_are_told_with_how_many_memories_have_them(reader, dana):
    text = text_of(reader.searches(dana, "The kitten at the window seat in Utrecht, Lisbon?"))

    assert "kitten in no memory" in text
    assert "window in 1, archived 1" in text
    assert "utrecht in 1, archived 1" in text
    assert "lisbon in no memory, archived 1" in text
    assert "the in" not in text


def test_a_question_of_words_that_say_nothing_is_told_so(reader, dana):
    assert "None: the question has only words such as" in text_of(reader.searches(dana, "is it the"))


def test_what_is_spelled_alike_counts_where_no_word_is_found(reader, dana):
    answer = reader.searches(dana, "hazelnutz")

    assert "what is spelled alike counts instead" in text_of(answer)
    assert "Spelling" in [name for name, _, _ in parts_in(answer)]


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


def test_nothing_is_like_the_question_of_a_user_without_memories(lena):
    nobody = Person.register("nobody")
    lena.reveals(nobody)

    answer = lena.searches(nobody, "anything at all")

    assert "Nothing found in" in text_of(answer)
    assert "Nothing is like the question" in text_of(answer)


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


def test_with_the_embedder_away_words_answer_and_it_is_said(lena, change_embedder):
    change_embedder("http")
    dana = Person.register("dana")
    dana.writes("Is allergic to hazelnuts.")
    lena.reveals(dana)

    answer = lena.searches(dana, "hazelnuts")

    assert contents_in(answer) == ["Is allergic to hazelnuts."]
    assert "By words alone: the embedder does not answer." in text_of(answer)
    assert parts_in(answer)[0] == ("Meaning", "absent × 0.2", "–")


def test_an_embedder_that_is_not_set_or_sees_no_direction_is_told_apart(lena, change_embedder):
    dana = Person.register("dana")
    lena.reveals(dana)
    change_embedder("none")
    none_set = lena.searches(dana, "hazelnuts")
    with Endpoint() as endpoint:
        endpoint.answer = nought
        change_embedder("http", endpoint.url)

        no_direction = lena.searches(dana, "hazelnuts")

    assert "By words alone: no embedder is set." in text_of(none_set)
    assert "By words alone: the embedder sees no direction in the question." in text_of(no_direction)


def nought(asked):
    """The answer of an endpoint for which every text is nothing."""
    data = [{"index": place, "embedding": [0.0] * asked["dimensions"]} for place in range(len(asked["input"]))]
    return json.dumps({"data": data}).encode()


@pytest.mark.promise("F7")
def test_with_redis_down_words_and_vectors_answer(reader, dana, redis_is_away):
    answer = reader.searches(dana, "Which seat on flights?")

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
    with CaptureQueriesContext(connection) as queries:
        answer = reader.searches(dana, "window seat notes", top_k="50")
    return SimpleNamespace(statements=len(queries), results=len(contents_in(answer)))


def test_the_tab_of_the_user_leads_here(vera, dana):
    assert f'href="{search_page(dana)}"' in vera.opens(user_page(dana)).content.decode()
