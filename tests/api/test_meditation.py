"""A meditation on demand: who may begin which, that it is begun once, and how it is followed to its end."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from kimberly.clients import keys
from kimberly.clients.models import ApiKey
from kimberly.lib import clock
from kimberly.web import redisclient
from memory.models import MeditationRun, MeditationShard, MemoryItem
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import RunState, ShardState
from memory.services import limits, meditationruns
from memory.services.limits import Target
from tests.api.callers import MEMORY, OPERATIONS, Caller
from tests.api.problems import problem_in
from tests.personas import an_order, issue_key
from tests.proxy import Proxy
from tests.waiting import until
from tests.web import WebServer

MEDITATE = f"{MEMORY}/meditate"
QUEUE = "meditation"


def begun(response: httpx.Response) -> str:
    """The id of the operation that was begun."""
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"{OPERATIONS}/{response.json()['id']}"
    operation_id: str = response.json()["id"]
    return operation_id


def work() -> None:
    """Be the worker: users whom somebody asked for come first."""
    while (shard := meditationruns.take(now=clock.utc_now())) is not None:
        meditationruns.do(shard, tell_time=clock.utc_now)


@pytest.fixture
def nothing_left(web: object) -> Iterator[None]:
    """What other tests have begun is over, and so is what this one leaves: a run of all would be in their way."""
    end_all()
    yield
    end_all()


def end_all() -> None:
    now = clock.utc_now()
    open_shards = MeditationShard.objects.filter(state__in=(ShardState.QUEUED, ShardState.RUNNING))
    open_shards.update(state=ShardState.SUCCEEDED, ended_at=now)
    MeditationRun.objects.filter(ended_at=None).update(state=RunState.ABORTED, ended_at=now)


def test_a_meditation_of_one_user_is_begun_followed_and_ends(nothing_left, alice: Caller):
    item = alice.keeps("Prefers the window seat.", type="short-term")
    yesterday = clock.utc_now() - timedelta(days=1)
    MemoryItem.objects.filter(user_id=alice.person.id).update(expires_at=yesterday)

    operation = f"{OPERATIONS}/{begun(alice.http.post(MEDITATE, json={}))}"
    before = alice.http.get(operation).json()
    work()
    after = alice.http.get(operation).json()

    assert (before["state"], before["user_id"], before["ended_at"]) == ("running", alice.user_id, None)
    assert (before["progress"]["shards_done"], before["progress"]["shards_total"]) == (0, 1)
    assert before["progress"]["seconds_left"] is None
    assert (after["state"], after["error"]) == ("succeeded", None)
    assert (after["progress"]["users_done"], after["progress"]["items_scored"]) == (1, 1)
    assert (after["progress"]["promoted"], after["progress"]["seconds_left"]) == (1, 0)
    [decision] = alice.http.get(f"{MEMORY}/{item['id']}/why").json()["decisions"]
    assert (decision["act"], decision["run_id"]) == ("promoted", after["id"])
    assert decision["score_told_again"] == pytest.approx(decision["score"], abs=1e-6)


def test_while_one_is_not_finished_the_next_one_is_refused_and_names_it(nothing_left, alice: Caller):
    operation_id = begun(alice.http.post(MEDITATE, json={}))

    again = alice.http.post(MEDITATE, json={"user_id": alice.user_id})

    problem = problem_in(again)
    assert again.status_code == 409
    assert (problem["existing_id"], problem["state"]) == (operation_id, "running")
    assert MeditationRun.objects.filter(user_id=alice.person.id).count() == 1


def test_the_same_call_again_begins_nothing_and_gets_the_first_answer(nothing_left, alice: Caller):
    key = {"Idempotency-Key": "tonight"}
    first = alice.http.post(MEDITATE, json={}, headers=key)

    again = alice.http.post(MEDITATE, json={}, headers=key)

    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert MeditationRun.objects.filter(user_id=alice.person.id).count() == 1


def test_a_key_that_is_bound_to_nobody_begins_one_of_all_or_of_one(nothing_left, service: httpx.Client, alice: Caller):
    of_all = begun(service.post(MEDITATE, json={}))
    of_alice = begun(service.post(MEDITATE, json={"user_id": alice.user_id}))

    seen = {run: service.get(f"{OPERATIONS}/{run}").json()["user_id"] for run in (of_all, of_alice)}
    assert seen == {of_all: None, of_alice: alice.user_id}
    assert service.post(MEDITATE, json={}).status_code == 409


def test_a_key_that_is_bound_to_nobody_begins_one_of_some(nothing_left, service: httpx.Client, alice: Caller):
    cohort = {"beginning": alice.user_id, "missed_since": "2026-01-01T00:00:00Z"}
    run = begun(service.post(MEDITATE, json={"cohort": cohort}))
    work()

    seen = service.get(f"{OPERATIONS}/{run}").json()
    assert (seen["user_id"], seen["trigger"], seen["state"]) == (None, "backfill", "succeeded")
    assert (seen["cohort"]["beginning"], seen["progress"]["users_total"]) == (alice.user_id, 1)


@pytest.mark.parametrize(
    ("cohort", "pointer"),
    [
        ({"show": "everybody"}, "/cohort/show"),
        ({"missed_until": "2026-01-01T00:00:00Z"}, "/cohort/missed_since"),
        ({"missed_since": "2026-01-02T00:00:00Z", "missed_until": "2026-01-01T00:00:00Z"}, "/cohort/missed_until"),
        ({"missed_since": "2126-01-02T00:00:00Z"}, "/cohort/missed_since"),
        ({"type": "long-term", "beginning": "a"}, "/cohort/type"),
        ({}, "/cohort"),
        ({"missed_since": 5}, "/cohort/missed_since"),
        ({"beginning": "a\x00"}, "/cohort/beginning"),
        ({"beginning": "x", "nonsense": 1}, "/cohort/nonsense"),
    ],
)
def test_what_is_no_cohort_is_refused(nothing_left, service: httpx.Client, cohort: dict[str, object], pointer: str):
    answer = service.post(MEDITATE, json={"cohort": cohort})

    assert answer.status_code == 422
    assert [error["pointer"] for error in problem_in(answer)["errors"]] == [pointer]


def test_a_cohort_is_not_for_one_user_nor_for_a_bound_key(nothing_left, service: httpx.Client, alice: Caller):
    cohort = {"show": "over-soft"}
    answers = [
        service.post(MEDITATE, json={"user_id": alice.user_id, "cohort": cohort}),
        alice.http.post(MEDITATE, json={"cohort": cohort}),
        service.post(MEDITATE, json={"cohort": {"beginning": "nobody-begins-so"}}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 409]
    assert problem_in(answers[2])["title"] == "Nobody is among those on whom to meditate. Nothing was begun."


def test_a_bound_key_sees_no_run_but_its_users(nothing_left, service: httpx.Client, alice: Caller, bob: Caller):
    runs = [begun(service.post(MEDITATE, json=body)) for body in ({}, {"user_id": alice.user_id})]

    answers = [bob.http.get(f"{OPERATIONS}/{run}") for run in runs]

    assert {(answer.status_code, problem_in(answer)["title"]) for answer in answers} == {
        (404, "There is no such operation.")
    }


def test_the_workers_are_asked_at_once(nothing_left, alice: Caller):
    before = redisclient.client().llen(QUEUE)

    begun(alice.http.post(MEDITATE, json={}))

    assert redisclient.client().llen(QUEUE) == before + 1


@pytest.mark.parametrize("fault", ["stall", "half_open", "reset"])
def test_nobody_waits_for_a_redis_that_is_away_and_the_run_is_there(nothing_left, alice: Caller, fault):
    redis = urlsplit(settings.KIMBERLY.redis_url)
    with Proxy(redis.port or 6379) as proxy:
        through_it = redis._replace(netloc=redis.netloc.replace(f":{redis.port}", f":{proxy.port}")).geturl()
        with WebServer(workers=1, environment={"REDIS_URL": through_it}) as web, web.client(alice.key) as client:
            assert client.get(MEMORY).status_code == 200
            getattr(proxy, fault)()

            response = client.post(MEDITATE, json={}, timeout=5)

    assert MeditationRun.objects.get(user_id=alice.person.id).public_id == begun(response)


def test_a_program_that_is_held_back_is_so_for_all_users_too(nothing_left, web: WebServer):
    key, now = issue_key(), clock.utc_now()
    client_id = ApiKey.objects.get(sha256=keys.sha256_of(key)).client_id
    order = an_order(ends_at=now + timedelta(hours=1))
    limits.throttle(
        target=Target(client_id=client_id), scope=ThrottleScope.WRITE, per_minute=None, order=order, now=now
    )

    def refused() -> httpx.Response | None:
        response = program.post(MEDITATE, json={})
        return response if response.status_code == 429 else None

    with web.client(key) as program:
        response = until(refused, what="each process to hear of the throttle", limit_seconds=2)

    assert problem_in(response)["scope"] == "write"


def test_nobody_has_no_meditation(service: httpx.Client):
    assert service.post(MEDITATE, json={"user_id": "nobody-knows-them"}).status_code == 404


@pytest.mark.parametrize("wrong", ["run_0", "nonsense", "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8", "0", "run_%00"])
def test_an_operation_id_that_is_none_answers_like_an_unknown_one(service: httpx.Client, alice: Caller, wrong):
    answers = [client.get(f"{OPERATIONS}/{wrong}") for client in (service, alice.http)]

    assert {(answer.status_code, problem_in(answer)["title"]) for answer in answers} == {
        (404, "There is no such operation.")
    }


def test_a_tombstone_says_why_to_its_own_user_and_to_nobody_else(alice: Caller, bob: Caller, service: httpx.Client):
    item = alice.keeps("A secret.")
    alice.deletes(item["id"], purge="true")
    why = f"{MEMORY}/{item['id']}/why"

    answers = [client.get(why) for client in (alice.http, service, bob.http)]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert (answers[0].json()["state"], answers[0].json()["purge_reason"]) == ("purged", "user")
    assert "secret" not in answers[0].text
