"""POST /memory/query, feedback and goals over HTTP."""

import time

import pytest

from kimberly.audit.models import AuditEntry
from memory.models import AccessEvent, Goal, ItemFeedback
from tests.api.callers import MEMORY, USERS, Caller
from tests.api.problems import fault_of, problem_in
from tests.counts import rounds
from tests.waiting import until

QUERY = f"{MEMORY}/query"
HOSTILE = [
    "%",
    "_" * 50,
    "100%_\\",
    "'",
    "' | 'a' & !b:*",
    "a & | !",
    "((((",
    "<->",
    "a:ABCD*",
    "\\'",
    "$$",
    "--",
    "/* */",
    "{states}",
    "%(query)s",
    "😀" * 500,
    "é" * 2_000,
    "a " * 3_999 + "b",
    " ".join(f"w{n}" for n in range(1_300)),
    "\u202e\u200b",
    "日本語のテキスト" * 100,
    "\t\r\n",
]


def asks(caller: Caller, query: str, **more):
    return caller.http.post(QUERY, json={"user_id": caller.user_id, "query": query, **more})


def ids_in(response):
    return [item["id"] for item in response.json()["items"]]


def test_a_query_gives_the_best_first_and_says_why(alice: Caller):
    seat = alice.keeps("Prefers the window seat on long flights.", metadata={"source": "chat"})
    alice.keeps("Is allergic to hazelnuts.")

    answer = asks(alice, "Which seat on flights?").json()

    assert answer["items"][0] == {
        "id": seat["id"],
        "type": "long-term",
        "state": "active",
        "content": "Prefers the window seat on long flights.",
        "metadata": {"source": "chat"},
        "created_at": seat["created_at"],
        "score": 1.0,
        "components": {"semantic": 1.0, "own_words": 1.0, "spelling": None, "context": 1.0, "freshness": None},
    }
    assert answer["mode"] == "hybrid"
    assert answer["profile"] == 1
    assert answer["took_ms"] > 0
    assert [item["score"] for item in answer["items"]] == sorted((i["score"] for i in answer["items"]), reverse=True)


def test_a_write_is_found_at_once_although_the_answer_was_kept(alice: Caller):
    alice.keeps("Is allergic to hazelnuts.")
    for _ in range(3):
        asks(alice, "the window seat")

    seat = alice.keeps("Prefers the window seat.")
    found = ids_in(asks(alice, "the window seat"))
    changed = alice.patches(seat["id"], if_match="*", content="Prefers the aisle.")
    after_the_change = asks(alice, "the window seat").json()["items"][0]["content"]
    alice.deletes(seat["id"])

    assert found[0] == seat["id"]
    assert changed.status_code == 200
    assert after_the_change == "Prefers the aisle."
    assert seat["id"] not in ids_in(asks(alice, "the window seat"))


def test_the_same_question_twice_has_the_same_answer(alice: Caller):
    for number in range(5):
        alice.keeps(f"Note {number} about the garden.")

    first, second = (asks(alice, "the garden").json() for _ in range(2))

    assert first["items"] == second["items"]


def test_what_was_returned_is_kept_as_an_access(alice: Caller):
    seat = alice.keeps("Prefers the window seat.")

    asks(alice, "window")

    events = AccessEvent.objects.filter(user_id=alice.person.id)
    until(events.exists, what="the access to be written")
    assert [f"mem_{item_id.hex}" for item_id in events.get().item_ids] == [seat["id"]]


def test_a_chance_likeness_of_letters_weighs_less_than_the_meaning(alice: Caller):
    kitten = alice.keeps("A kitten sleeps on the sofa.")
    alice.keeps("The weather is cloudy.")

    assert asks(alice, "cat").json()["items"][0]["id"] == kitten["id"]


def test_a_single_memory_about_something_else_has_nothing_of_the_meaning(alice: Caller):
    alice.keeps("I love pizza with olives.")
    [found] = asks(alice, "stock market crash").json()["items"]

    assert (found["components"]["semantic"], found["score"]) == (0, 0)


@pytest.mark.promise("R7")
@pytest.mark.parametrize("turn", range(rounds(1, 10)))
def test_hostile_text_is_answered_within_a_second(alice: Caller, turn):
    for number in range(30):
        alice.keeps(f"w{number} w{number + 1} a plain note, 100% of _it_ {turn}")
    wrong = {}
    for text in HOSTILE:
        started = time.perf_counter()
        response = asks(alice, text)
        if response.status_code != 200 or time.perf_counter() - started > 1:
            wrong[text[:30]] = (response.status_code, time.perf_counter() - started)

    assert wrong == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"query": ""}, "/query"),
        ({"query": "x" * 8_001}, "/query"),
        ({"query": 7}, "/query"),
        ({"query": "a", "top_k": 0}, "/top_k"),
        ({"query": "a", "top_k": 101}, "/top_k"),
        ({"query": "a", "top_k": "10"}, "/top_k"),
        ({"query": "a", "top_k": True}, "/top_k"),
        ({"query": "a", "type": "forever"}, "/type"),
        ({"query": "a", "tags": "travel"}, "/tags"),
        ({"query": "a", "since": "yesterday"}, "/since"),
        ({"query": "a", "metadata": []}, "/metadata"),
        ({"query": "a", "limit": 5}, "/limit"),
        ({"query": "a", "since": "2026-11-17T00:00:00Z", "until": "2026-11-17T00:00:00Z"}, "/until"),
        ({}, "/query"),
    ],
)
def test_a_query_that_cannot_be_used_is_refused(alice: Caller, body, pointer):
    response = alice.http.post(QUERY, json=body)

    assert fault_of(response, status=422, pointer=pointer) is None


def test_feedback_is_kept(alice: Caller):
    item = alice.keeps("Prefers the window seat.")

    helped = alice.http.post(f"{MEMORY}/{item['id']}/feedback", json={"helpful": True})
    weighs = alice.http.post(f"{MEMORY}/{item['id']}/feedback", json={"emotional_weight": 0.7})

    assert (helped.status_code, weighs.status_code) == (201, 201)
    kept = ItemFeedback.objects.filter(item__user_id=alice.person.id).order_by("id")
    assert list(kept.values_list("helpful", "emotional_weight")) == [(True, None), (None, 0.7)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"helpful": True, "emotional_weight": 0.5}, ""),
        ({"emotional_weight": 1.01}, "/emotional_weight"),
        ({"emotional_weight": -0.01}, "/emotional_weight"),
        ({"helpful": "yes"}, "/helpful"),
    ],
)
def test_feedback_that_says_nothing_or_too_much_is_refused(alice: Caller, body, pointer):
    item = alice.keeps("Prefers the window seat.")

    response = alice.http.post(f"{MEMORY}/{item['id']}/feedback", json=body)

    assert fault_of(response, status=422, pointer=pointer) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "must be an object"),
        ({"query": "a", "metadata": "travel"}, "must be an object"),
        ({"query": "a", "tags": "travel"}, "must be a list"),
        ({"query": "a", "tags": ["t"] * 21}, "has 21 entries, at most 20 are taken"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_json_not_of_python(alice: Caller, body, said):
    problem = problem_in(alice.http.post(f"{MEMORY}/query", json=body))

    assert problem["errors"][0]["detail"] == said


def test_goals_are_set_listed_and_removed(alice: Caller):
    goals = f"{USERS}/{alice.user_id}/goals"

    italian = alice.http.post(goals, json={"text": "Learn Italian."})
    again = alice.http.post(goals, json={"text": "  Learn Italian. "})
    alice.http.post(goals, json={"text": "Sleep more."})
    listed = [goal["text"] for goal in alice.http.get(goals).json()["goals"]]
    removed = alice.http.delete(f"{goals}/{italian.json()['id']}")
    gone = alice.http.delete(f"{goals}/{italian.json()['id']}")

    assert (italian.status_code, again.status_code) == (201, 200)
    assert again.json() == italian.json()
    assert listed == ["Learn Italian.", "Sleep more."]
    assert removed.json() == {"removed": 1}
    assert problem_in(gone)["status"] == 404
    assert alice.http.delete(goals).json() == {"removed": 1}


@pytest.mark.promise("F3")
@pytest.mark.parametrize("text", ["", "   ", "\t", "\u00a0", "\u3000", "x" * 501, "a\u202eb", 7, None])
def test_a_goal_that_says_nothing_is_refused(alice: Caller, text):
    response = alice.http.post(f"{USERS}/{alice.user_id}/goals", json={"text": text})

    assert fault_of(response, status=422, pointer="/text") is None


def test_removed_goals_have_one_entry_in_the_audit_trail_a_call(alice: Caller):
    goals = f"{USERS}/{alice.user_id}/goals"
    for text in ("Learn Italian.", "Sleep more."):
        alice.http.post(goals, json={"text": text})
    alice.http.delete(goals)
    alice.http.delete(goals)

    [entry] = AuditEntry.objects.filter(subject_id=str(alice.person.id), action="goals.removed")
    assert entry.after == {"goals": 2}


def test_a_user_has_at_most_fifty_goals(alice: Caller):
    goals = f"{USERS}/{alice.user_id}/goals"
    answers = [alice.http.post(goals, json={"text": f"Goal {number}."}) for number in range(51)]

    assert [answer.status_code for answer in answers] == [201] * 50 + [409]
    assert problem_in(answers[-1])["type"].endswith("/problems/too-many-goals")
    assert Goal.objects.filter(user_id=alice.person.id).count() == 50


def test_a_replayed_goal_says_its_words_again_though_they_were_not_kept(alice: Caller):
    goals, once = f"{USERS}/{alice.user_id}/goals", {"Idempotency-Key": f"goal-{alice.user_id}"}

    first, again = (alice.http.post(goals, json={"text": "Learn Italian."}, headers=once) for _ in range(2))

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
