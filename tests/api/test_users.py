"""Users: made and changed by PUT, read by GET; and what one user uses."""

from datetime import timedelta

import httpx
import pytest

from kimberly.lib import clock
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, USERS, Caller
from tests.api.problems import problem_in
from tests.personas import unique

PROFILE = {"display_name": "Dana Whitfield", "email": "dana@example.org", "time_zone": "Europe/Lisbon", "plan": "paid"}


def test_a_user_is_made_with_what_is_given(service: httpx.Client):
    user_id = unique("dana")

    made = service.put(f"{USERS}/{user_id}", json=PROFILE)

    body = made.json()
    assert made.status_code == 201
    assert {name: body[name] for name in PROFILE} == PROFILE
    assert (body["user_id"], body["state"], body["id"][:4], body["etag"]) == (user_id, "active", "usr_", '"v1"')
    assert service.get(f"{USERS}/{user_id}").json() == body


def test_a_user_is_made_with_nothing_but_an_id(service: httpx.Client):
    body = service.put(f"{USERS}/{unique('dana')}", json={}).json()

    assert [body[name] for name in ("display_name", "email", "time_zone", "plan")] == ["", "", "UTC", "free"]


def test_a_second_put_changes_what_is_given_and_leaves_the_rest(service: httpx.Client):
    path = f"{USERS}/{unique('dana')}"
    service.put(path, json=PROFILE)

    changed = service.put(path, json={"email": "", "plan": "free"})

    assert changed.status_code == 200
    assert changed.headers["etag"] == '"v2"'
    assert {name: changed.json()[name] for name in PROFILE} == {**PROFILE, "email": "", "plan": "free"}


def test_a_put_of_the_same_changes_nothing(service: httpx.Client):
    path = f"{USERS}/{unique('dana')}"

    versions = [service.put(path, json=PROFILE).headers["etag"] for _ in range(3)]

    assert versions == ['"v1"'] * 3


def test_another_plan_has_other_limits_at_once(service: httpx.Client, alice: Caller):
    service.put(f"{USERS}/{alice.user_id}", json={"plan": "paid"})

    assert alice.usage("long-term")["hard_bytes"] == 20 * 1024**2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("plan", value) for value in ("", "gold", "FREE", "free ")),
        *(
            ("time_zone", value)
            for value in ("", "Mars/Olympus", "europe/lisbon", "../etc/passwd", "UTC+1", "localtime", "Factory")
        ),
        *(("email", value) for value in ("dana", "@", "a@", "@b", "a b@c", "\u202ea@b", "x" * 250 + "@b.org")),
        ("display_name", "x" * 121),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_no_user_is_made(service: httpx.Client, field, value):
    path = f"{USERS}/{unique('nobody')}"

    response = service.put(path, json={field: value})

    assert response.status_code == 422
    assert problem_in(response)["errors"][0]["pointer"] == f"/{field}"
    assert service.get(path).status_code == 404


def test_a_bound_key_cannot_change_its_users_plan(alice: Caller):
    path = f"{USERS}/{alice.user_id}"

    refused = alice.http.put(path, json={"plan": "paid"})
    unchanged = alice.http.put(path, json={"plan": "free", "display_name": "Alice"})

    assert problem_in(refused)["type"].endswith("/problems/plan-not-yours")
    assert (refused.status_code, unchanged.status_code, unchanged.json()["plan"]) == (403, 200, "free")


def test_a_bound_key_makes_no_users(alice: Caller):
    response = alice.http.put(f"{USERS}/{unique('somebody')}", json={})

    assert problem_in(response)["type"].endswith("/problems/user-not-found")


def test_the_figures_of_a_user_are_those_of_their_items(alice: Caller):
    alice.keeps("x" * 98)
    archived = alice.keeps("x" * 48)
    alice.deletes(archived["id"])

    body = alice.http.get(f"{MEMORY}/metrics").json()

    assert body["user_id"] == alice.user_id
    assert [row["tier"] for row in body["tiers"]] == ["short-term", "long-term", "permanent"]
    assert body["tiers"][1] == {
        "tier": "long-term",
        "used_bytes": 100,
        "items": 1,
        "archived_bytes": 50,
        "archived_items": 1,
        "soft_bytes": 1_677_721,
        "hard_bytes": 2_097_152,
        "effective_limit_bytes": 2_097_152,
        "limit_source": "plan",
        "limit_ends_at": None,
        "archived_limit_bytes": 8_388_608,
        "refusals_today": 0,
    }


def test_the_figures_name_an_override_and_its_end(alice: Caller):
    now = clock.utc_now()
    alice.person.is_raised(Tier.LONG_TERM, 3_000_000, until=now + timedelta(hours=1), at=now)

    usage = alice.usage("long-term")

    assert (usage["hard_bytes"], usage["effective_limit_bytes"], usage["limit_source"]) == (
        2_097_152,
        3_000_000,
        "override",
    )
    assert usage["limit_ends_at"].endswith("Z")


def test_a_user_above_the_limit_is_shown_as_they_are(alice: Caller):
    now = clock.utc_now()
    alice.keeps("x" * 98)
    alice.person.is_raised(Tier.LONG_TERM, 50, until=now + timedelta(hours=1), at=now)

    usage = alice.usage("long-term")

    assert (usage["used_bytes"], usage["effective_limit_bytes"]) == (100, 50)
