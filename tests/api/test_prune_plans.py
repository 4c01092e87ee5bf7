"""Prune plans over HTTP: made, looked at, applied exactly as shown, undone; and whatever may be asked of them."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import MemoryUser, PrunePlan
from memory.rules.plans import LIFE
from memory.rules.tiers import UserState
from tests import corpuswords
from tests.api.callers import PLANS, Caller
from tests.api.conftest import OnPlan
from tests.api.problems import fault_of, problem_in

SECOND = timedelta(seconds=1)


def made(caller: Caller, **fields: Any) -> dict[str, Any]:
    """A plan of what they keep."""
    response = caller.plans(**fields)
    assert response.status_code == 201, response.text
    plan: dict[str, Any] = response.json()
    return plan


def acts(caller: Caller, plan: dict[str, Any], act: str, **options: Any) -> httpx.Response:
    return caller.http.post(f"{PLANS}/{plan['id']}/{act}", **options)


def slug(response: httpx.Response) -> str:
    return str(problem_in(response)["type"].rpartition("/")[2])


def keeps_some(caller: Caller, number: int = 6, **fields: Any) -> list[str]:
    return [caller.keeps(f"Memory {n} " + "x" * 90, **fields)["id"] for n in range(number)]


@pytest.fixture
def full(alice: Caller) -> Caller:
    """Alice with six memories of one size."""
    keeps_some(alice)
    return alice


def test_a_plan_is_shown_applied_and_undone_with_its_own_key(full: Caller):
    before = full.usage()["used_bytes"]

    response = full.plans(target_share=0.5)
    plan = response.json()
    shown = full.http.get(f"{PLANS}/{plan['id']}/items").json()
    untouched = full.usage()["used_bytes"]
    applied = acts(full, plan, "apply").json()
    freed = full.usage()["used_bytes"]
    undone = acts(full, plan, "undo").json()

    [tier] = [one for one in plan["tiers"] if one["type"] == "long-term"]
    assert response.headers["location"] == f"{PLANS}/{plan['id']}"
    assert (plan["state"], plan["applied"], plan["undone"]) == ("frozen", None, None)
    assert [row["position"] for row in shown["items"]] == list(range(1, plan["items_total"] + 1))
    assert sum(row["size_bytes"] for row in shown["items"]) == plan["bytes_total"] == tier["bytes"]
    assert untouched == before == tier["used_bytes"]
    assert (applied["state"], applied["applied"]["items"]) == ("applied", plan["items_total"])
    assert freed == tier["used_bytes_after"]
    assert (undone["state"], undone["undone"]["bytes"]) == ("undone", plan["bytes_total"])
    assert full.usage()["used_bytes"] == before
    assert full.http.get(f"{PLANS}/{plan['id']}").json() == undone


def test_a_key_that_is_bound_to_nobody_names_the_user(service: httpx.Client, full: Caller):
    body = {"user_id": full.user_id, "target_bytes": 150, "reason": "Room before the trip."}

    plan = service.post(PLANS, json=body).json()
    applied = service.post(f"{PLANS}/{plan['id']}/apply").json()

    assert (plan["user_id"], plan["items_total"]) == (full.user_id, 2)
    assert applied == full.http.get(f"{PLANS}/{plan['id']}").json()
    assert service.post(PLANS, json={**body, "user_id": "nobody-knows-them"}).status_code == 404


def test_nobody_reaches_anothers_plan_by_naming_themselves(full: Caller, bob: Caller):
    plan = made(full)

    answers = [bob.plans(user_id=full.user_id), acts(bob, plan, "apply"), acts(bob, plan, "undo")]

    assert [response.status_code for response in answers] == [404] * 3
    assert full.http.get(f"{PLANS}/{plan['id']}").json() == plan


def test_pages_give_each_item_once_in_the_order_in_which_they_go(full: Caller):
    plan = made(full, target_share=1.0)
    whole = full.http.get(f"{PLANS}/{plan['id']}/items").json()["items"]
    seen: list[dict[str, Any]] = []
    query: dict[str, Any] = {"per_page": 4}

    while query.get("cursor", "begin") is not None:
        page = full.http.get(f"{PLANS}/{plan['id']}/items", params=query).json()
        assert page["total"] == 6
        seen += page["items"]
        query["cursor"] = page["next_cursor"]

    assert seen == whole
    assert [row["position"] for row in seen] == [1, 2, 3, 4, 5, 6]
    keys = [row["order_key"] for row in seen]
    assert keys == sorted(keys)
    assert keys == pytest.approx([row["score"] / row["size_bytes"] ** 0.5 for row in seen])


def test_a_cursor_of_another_plan_and_what_is_none_are_refused(full: Caller):
    plan, other = made(full, target_share=1.0), made(full, target_share=1.0)
    items = f"{PLANS}/{plan['id']}/items"
    cursor = full.http.get(f"{PLANS}/{other['id']}/items", params={"per_page": 1}).json()["next_cursor"]

    for wrong in (cursor, "nonsense", cursor[:-1]):
        assert fault_of(full.http.get(items, params={"cursor": wrong}), status=422, pointer="/cursor") is None
    for name, value in (("per_page", "0"), ("per_page", "101"), ("page", "2")):
        assert fault_of(full.http.get(items, params={name: value}), status=422, pointer=f"/{name}") is None


def test_permanent_memories_go_only_where_a_plan_names_them(alice: Caller):
    lasting = keeps_some(alice, 2, type="permanent")
    keeps_some(alice, 2, type="short-term")

    usual, named = made(alice, target_share=1.0), made(alice, target_share=1.0, type="permanent")

    assert [tier["type"] for tier in usual["tiers"]] == ["long-term", "short-term"]
    assert usual["items_total"] == 2
    assert (named["type"], named["items_total"], named["daily_cap_times"]) == ("permanent", 2, None)
    acts(alice, named, "apply")
    assert {alice.reads(item).json()["state"] for item in lasting} == {"archived"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"reason": "Room before the trip."}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_bytes": 5, "target_share": 0.5}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_bytes": 0}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_bytes": 1 << 51}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_bytes": 1.5}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_bytes": True}, "/target_bytes"),
    ({"reason": "Room before the trip.", "target_share": 0}, "/target_share"),
    ({"reason": "Room before the trip.", "target_share": 1.01}, "/target_share"),
    ({"reason": "Room before the trip.", "target_share": "half"}, "/target_share"),
    ({"target_share": 0.5}, "/reason"),
    ({"reason": "short", "target_share": 0.5}, "/reason"),
    ({"reason": "        x        ", "target_share": 0.5}, "/reason"),
    ({"reason": "y" * 2_001, "target_share": 0.5}, "/reason"),
    ({"reason": "Room before the trip.", "target_share": 0.5, "type": "archived"}, "/type"),
    ({"reason": "Room before the trip.", "target_share": 0.5, "ticket": "T" * 65}, "/ticket"),
    ({"reason": "Room before the trip.", "target_share": 0.5, "apply": True}, "/apply"),
]


@pytest.mark.parametrize(("body", "pointer"), WRONG)
def test_what_cannot_be_planned_is_refused_with_its_place(alice: Caller, body, pointer):
    response = alice.http.post(PLANS, json=body)

    assert fault_of(response, status=422, pointer=pointer) is None
    assert not PrunePlan.objects.filter(user_id=alice.person.id).exists()


def test_the_same_calls_again_have_one_effect_and_the_first_answer(full: Caller):
    headers = {name: {"Idempotency-Key": name} for name in ("make", "apply", "undo")}
    plan = full.plans(headers=headers["make"]).json()

    made_again = full.plans(headers=headers["make"])
    answers = [[acts(full, plan, act, headers=headers[act]) for _ in range(2)] for act in ("apply", "undo")]

    assert all(one.json() == other.json() for one, other in answers)
    assert (made_again.status_code, made_again.json()) == (201, plan)
    replayed = [made_again, *(other for _, other in answers)]
    assert [response.headers["idempotency-replayed"] for response in replayed] == ["true"] * 3
    assert PrunePlan.objects.filter(user_id=full.person.id).count() == 1
    done = AuditEntry.objects.filter(subject_id=str(full.person.id), action__startswith="plan.").order_by("at")
    assert sorted(done.values_list("action", flat=True)) == ["plan.applied", "plan.made", "plan.undone"]
    assert full.plans(headers=headers["make"], target_share=0.9).status_code == 422


@pytest.mark.promise("L5")
def test_applied_and_undone_twice_it_answers_the_same_to_the_byte(full: Caller):
    plan = made(full, target_share=1.0)
    one, other, third, *_ = [row["id"] for row in full.http.get(f"{PLANS}/{plan['id']}/items").json()["items"]]
    full.patches(one, if_match="*", content="Something else.")
    full.deletes(other)
    full.deletes(third, purge="true")

    applied = [acts(full, plan, "apply") for _ in range(3)]
    undone = [acts(full, plan, "undo") for _ in range(3)]

    assert {response.status_code for response in (*applied, *undone)} == {200}
    assert len({response.content for response in applied}) == len({response.content for response in undone}) == 1
    assert applied[0].json()["applied"]["skipped"] == {"away": 1, "changed": 1, "gone": 1}
    outcomes = {row["id"]: (row["outcome"], row["content"]) for row in items_of(full, plan)}
    assert outcomes[one] == ("changed", "Something else.")
    assert outcomes[third] == ("gone", None)


def items_of(caller: Caller, plan: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = caller.http.get(f"{PLANS}/{plan['id']}/items").json()["items"]
    return rows


@pytest.mark.promise("L5")
def test_what_a_plan_refuses_says_why_and_what_helps(full: Caller):
    stale, ago = made(full), clock.utc_now() - SECOND
    PrunePlan.objects.filter(user_id=full.person.id).update(created_at=ago - LIFE, stale_at=ago)
    other = made(full)

    answers = [acts(full, stale, "apply"), acts(full, stale, "undo")]
    acts(full, other, "apply")
    acts(full, other, "undo")
    answers.append(acts(full, other, "apply"))

    assert [(response.status_code, slug(response)) for response in answers] == [
        (409, "plan-stale"), (409, "plan-not-applied"), (409, "plan-undone"),
    ]  # fmt: skip
    assert problem_in(answers[0])["remedies"] == ["Make a new plan: it goes by the scores of now."]
    assert full.http.get(f"{PLANS}/{stale['id']}").json()["state"] == "stale"
    assert full.lists()["total"] == 6


def test_without_room_nothing_comes_back_and_the_answer_says_what_would_help(on_plan: OnPlan):
    carol = on_plan(hard_bytes=1_000)
    keeps_some(carol, 6)
    plan = made(carol, target_share=1.0)
    acts(carol, plan, "apply")
    carol.keeps("y" * 700)

    refused = acts(carol, plan, "undo")

    problem = problem_in(refused)
    assert (refused.status_code, slug(refused)) == (409, "no-room-to-restore")
    assert problem["tiers"] == [{"tier": "long-term", "needed_bytes": plan["bytes_total"], "room_bytes": 298}]
    assert any(one.startswith("Raise long-term to") for one in problem["remedies"])
    assert carol.lists()["total"] == 1


def test_of_a_suspended_user_items_go_but_nothing_comes_back(full: Caller):
    plan = made(full)
    MemoryUser.objects.filter(pk=full.person.id).update(state=UserState.SUSPENDED)

    applied, undone = acts(full, plan, "apply"), acts(full, plan, "undo")

    assert (applied.status_code, applied.json()["applied"]["items"]) == (200, plan["items_total"])
    assert (undone.status_code, slug(undone)) == (403, "user-suspended")
    assert full.http.get(f"{PLANS}/{plan['id']}/items").status_code == 200


CALLS = pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("GET", "/items"), ("POST", "/apply"), ("POST", "/undo")]
)


@CALLS
def test_what_staff_has_planned_is_there_for_no_key(service: httpx.Client, full: Caller, method, rest):
    plan = made(full)
    PrunePlan.objects.filter(user_id=full.person.id).update(created_by="staff:1")

    for client in (service, full.http):
        response = client.request(method, f"{PLANS}/{plan['id']}{rest}")
        assert (response.status_code, slug(response)) == (404, "plan-not-found")

    assert full.lists()["total"] == 6


@CALLS
def test_a_plan_id_that_is_none_answers_like_an_unknown_one(service: httpx.Client, alice: Caller, method, rest):
    found: dict[str, Any] = {}
    for wrong in (*corpuswords.BAD_ITEM_IDS, "plan_", "plan_0", "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"):
        path = f"{PLANS}/{wrong if '%' in wrong else quote(wrong, safe='')}{rest}"
        for client in (service, alice.http):
            if fault := fault_of(client.request(method, path), status=404, pointer=None):
                found[path] = fault

    assert found == {}
