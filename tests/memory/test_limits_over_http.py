"""Throttles as clients meet them: at work within two seconds on both web processes, the strictest first, and kept."""

import re
import time
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.clients.models import ApiKey
from kimberly.lib import clock
from memory.models import Plan, Refusal, TierPolicy
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits
from memory.services.limits import Target
from tests.counts import rounds
from tests.load import Load
from tests.personas import TESTER, Person, an_order, issue_key, unique
from tests.waiting import until

pytestmark = [pytest.mark.promise("R3"), pytest.mark.slow]

WORKS_WITHIN_SECONDS = 2
BOTH = 12  # so many new connections meet both processes, but for one time in two thousand


@pytest.fixture
def alice(web):
    return Person.register("alice", at=clock.utc_now())


@pytest.fixture
def key(web):
    return issue_key()


@contextmanager
def throttled(target, scope=ThrottleScope.ALL, per_minute=None):
    """The throttle, from when it must work, as long as the `with` lasts."""
    now = clock.utc_now()
    order = an_order(ends_at=now + timedelta(minutes=10))
    made = limits.throttle(target=target, scope=scope, per_minute=per_minute, order=order, now=now)
    try:
        two_seconds_pass()
        yield made
    finally:
        limits.lift_throttle(made.pk, actor=TESTER, why=Why("the test is over now"), now=clock.utc_now())


def two_seconds_pass():
    end = time.monotonic() + WORKS_WITHIN_SECONDS
    until(lambda: time.monotonic() > end, what="the time within which a throttle works")  # and not before


def ask_all(web, key, method, path, times=BOTH, **options):
    """The same call over so many connections, so that both processes answer some."""
    headers = {"Authorization": f"Bearer {key}"}
    unkept = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=web.url, headers=headers, limits=unkept, timeout=30) as client:
        return [client.request(method, path, **options) for _ in range(times)]


def writes(web, key, user, times=BOTH, tier=Tier.PERMANENT):
    body = {"user_id": user.external_id, "type": str(tier), "content": "a note"}
    return ask_all(web, key, "POST", "/api/v1/memory", times, json=body)


def reads(web, key, user, times=BOTH):
    return ask_all(web, key, "GET", "/api/v1/memory", times, params={"user_id": user.external_id})


def statuses(answers):
    return {answer.status_code for answer in answers}


def left(answer, rule):
    """What the RateLimit header says of a rule: calls left, seconds until all are there again."""
    found = re.search(rf'"{rule}";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert found, f"no {rule} in the header"
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_a_throttle_set_under_load_works_within_two_seconds_on_both_processes(web, key, alice, nth):
    load = Load(web.url, key, [alice.external_id], writers=8, readers=8, per_second=100)
    with load:
        load.answers_more(50)
        set_at = time.monotonic()
        with throttled(Target(user_id=alice.id)) as throttle:
            during = load.answers_more(100)
        two_seconds_pass()
        lifted = time.monotonic()
        load.answers_more(50)

    in_force = [answer for answer in during if answer.began_at > set_at + WORKS_WITHIN_SECONDS]
    assert {(answer.status, answer.slug) for answer in in_force} == {(429, "throttled")}
    assert {answer.status for answer in load.answers if answer.ended_at < set_at} == {200, 201}
    assert {answer.status for answer in load.answers if answer.began_at > lifted} == {200, 201}
    kept = Refusal.objects.filter(user_id=alice.id, source_id=str(throttle.pk))
    assert sum(kept.values_list("times", flat=True)) == (load.statuses("read") + load.statuses("write"))[429]
    assert len(kept) == len(set(kept.values_list("minute", flat=True))) <= 2


def test_a_rate_is_one_for_both_processes_and_its_headers_count_it_down(web, key, alice):
    with throttled(Target(user_id=alice.id), ThrottleScope.WRITE, per_minute=10) as throttle:
        answers = writes(web, key, alice, times=14)

    assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 4
    assert [left(answer, throttle.public_id) for answer in answers[:10]] == [(9 - n, 6 * (n + 1)) for n in range(10)]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {
        f'"write";q=1200;w=60, "{throttle.public_id}";q=10;w=60'
    }
    assert all(1 <= int(answer.headers["Retry-After"]) <= 6 for answer in answers[10:])
    problem = answers[-1].json()
    assert (problem["rule"], problem["per_minute"], problem["throttle_id"]) == ("throttle", 10, throttle.public_id)
    assert sum(Refusal.objects.filter(source_id=str(throttle.pk)).values_list("times", flat=True)) == 4


def test_the_strictest_of_several_rules_wins(web, key, alice):
    with (
        throttled(Target(user_id=alice.id), ThrottleScope.WRITE, per_minute=8),
        throttled(Target(user_id=alice.id), ThrottleScope.ALL, per_minute=5) as stricter,
        throttled(Target(user_id=alice.id), ThrottleScope.QUERY) as block,
    ):
        written, read = writes(web, key, alice), reads(web, key, alice)

    assert [answer.status_code for answer in written] == [201] * 5 + [429] * (BOTH - 5)
    assert {answer.json()["throttle_id"] for answer in written[5:]} == {stricter.public_id}
    assert statuses(read) == {429}
    assert {answer.json()["throttle_id"] for answer in read} == {block.public_id}


def test_a_plan_that_is_stricter_than_a_throttle_wins(web, key, slow_plan):
    bob = Person.register("bob", plan=slow_plan, at=clock.utc_now())

    with throttled(Target(user_id=bob.id), per_minute=100):
        answers = writes(web, key, bob)

    assert [answer.status_code for answer in answers] == [201] * 4 + [429] * (BOTH - 4)
    assert {(answer.json()["rule"], answer.json()["per_minute"]) for answer in answers[4:]} == {("plan", 4)}
    kept = Refusal.objects.filter(user_id=bob.id, kind="rate")
    assert {(row.source, row.source_id, row.limit_per_minute) for row in kept} == {("plan", "write", 4)}


@pytest.fixture
def slow_plan(web):
    """A plan of four writes a minute."""
    slug = unique("slow")
    Plan.objects.create(slug=slug, name="Slow", write_per_minute=4, query_per_minute=1200)
    for policy in TierPolicy.objects.filter(plan_id="free"):
        policy.plan_id = slug
        policy.save(force_insert=True)
    return slug


def test_a_throttle_on_a_client_holds_for_all_its_users_and_for_no_other_client(web, key, alice):
    client_id = ApiKey.objects.get(sha256=keys.sha256_of(key)).client_id
    others_key = issue_key()

    with throttled(Target(client_id=client_id)):
        own, others = writes(web, key, alice), writes(web, others_key, alice)
        own_reads = reads(web, key, Person.register("bob", at=clock.utc_now()))

    assert statuses(own) == statuses(own_reads) == {429}
    assert statuses(others) == {201}


def test_a_throttle_on_a_tier_holds_for_that_tier_of_all_users(web, key, alice):
    bob = Person.register("bob", at=clock.utc_now())
    items = [{"type": tier, "content": "a note"} for tier in ("permanent", "short-term")]
    bulk = {"user_id": alice.external_id, "items": items}

    with throttled(Target(tier=Tier.SHORT_TERM), ThrottleScope.WRITE):
        braked = writes(web, key, alice, tier=Tier.SHORT_TERM) + writes(web, key, bob, tier=Tier.SHORT_TERM)
        braked += ask_all(web, key, "POST", "/api/v1/memory/bulk", json=bulk)
        others = writes(web, key, alice) + reads(web, key, alice)

    assert statuses(braked) == {429}
    assert statuses(others) == {200, 201}
    # Other tests write for this tier too: none begins while a process still remembers the throttle.
    until(lambda: statuses(writes(web, key, bob, tier=Tier.SHORT_TERM)) == {201}, what="the tier to be free again")
