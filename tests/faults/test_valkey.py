"""Valkey killed, flushed, slow or out of memory: each process limits by itself, and nothing else changes."""

from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

import pytest

from tests.counts import rounds
from tests.faults.stack import FALLBACK_WRITES_PER_MINUTE
from tests.proxy import Proxy
from tests.scraping import scraped
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F7")]

WELL_AGAIN_SECONDS = 10
FALLBACKS = "kimberly_rate_limiter_fallback_total"
CREATED = "kimberly_memory_items_created_total"
each_round = pytest.mark.parametrize("nth", range(rounds(1, 5)))


@pytest.fixture
def load(stack):
    return stack.load()


@pytest.fixture(scope="module")
def proxy(shared_stack):
    with Proxy(shared_stack.valkey.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def proxied_web(shared_stack, proxy):
    with shared_stack.new_web(redis_port=proxy.port) as web:
        yield web


@pytest.fixture
def proxied_load(stack, proxied_web):
    return stack.load(url=proxied_web.url)


def assert_all_went_on(stack, load):
    assert set(load.statuses("read")) == {200}
    assert set(load.statuses("write")) == {201}
    stack.assert_nothing_lost(load)


@each_round
def test_a_killed_valkey_costs_no_call_and_is_found_again(stack, load, nth):
    before = scraped(stack.web).total(FALLBACKS)
    with load:
        load.answers_more(50)
        stack.valkey.kill()
        load.answers_more(100)
        stack.valkey.restart()
        until(stack.is_well, what="Valkey to be found again", limit_seconds=WELL_AGAIN_SECONDS)
        load.answers_more(50)

    assert_all_went_on(stack, load)
    assert scraped(stack.web).total(FALLBACKS) > before


@each_round
def test_a_flushed_valkey_is_noticed_by_nobody(stack, load, nth):
    with load:
        for _ in range(5):
            load.answers_more(20)
            stack.tell_valkey("FLUSHALL")

    assert_all_went_on(stack, load)


@each_round
def test_a_valkey_without_memory_costs_no_call(stack, load, nth):
    before = scraped(stack.web).total(FALLBACKS)
    with load:
        load.answers_more(20)
        stack.tell_valkey("CONFIG", "SET", "maxmemory", "1")
        load.answers_more(100)
        stack.tell_valkey("CONFIG", "SET", "maxmemory", "256mb")
        until(stack.is_well, what="Valkey to be used again", limit_seconds=WELL_AGAIN_SECONDS)

    assert_all_went_on(stack, load)
    assert scraped(stack.web).total(FALLBACKS) > before


@each_round
@pytest.mark.parametrize("fault", ["stall", "half_open", "reset"][: rounds(1, 3)])
def test_an_unreachable_valkey_is_waited_for_by_one_call_a_second(stack, proxied_load, proxy, fault, nth):
    with proxied_load as load:
        load.answers_more(50)
        getattr(proxy, fault)()
        lately = load.answers_more(150)
        proxy.heal()
        load.answers_more(50)

    assert_all_went_on(stack, load)
    assert quantiles([answer.took_seconds for answer in lately], n=5)[-1] < 0.25
    assert max(answer.took_seconds for answer in lately) < 1.5


@each_round
def test_a_slow_valkey_slows_calls_by_no_more_than_its_timeout(stack, proxied_load, proxy, nth):
    with proxied_load as load:
        load.answers_more(50)
        proxy.delay(0.2)
        lately = load.answers_more(100)
        proxy.heal()

    assert_all_went_on(stack, load)
    assert max(answer.took_seconds for answer in lately) < 1.5


@each_round
def test_what_was_counted_while_valkey_stalled_is_counted_once(stack, proxied_web, proxy, nth):
    def told():
        """A scrape that knows the counts: each of the server's processes finds Valkey again by itself."""
        found = scraped(proxied_web)
        return found if CREATED in found.names else None

    def counted():
        found = until(told, what="Valkey to be found again")
        return found.total(CREATED, tier="long-term")  # a tier that no other load writes to

    before = counted()
    with stack.load(url=proxied_web.url, tier="long-term") as load:
        for _ in range(3):
            load.answers_more(30)
            proxy.stall()
            load.answers_more(60)
            proxy.heal()

    created = load.statuses("write")[201]
    until(lambda: counted() >= before + created, what="all counts to arrive")
    assert counted() == before + created


def test_without_valkey_each_process_lets_its_own_number_of_writes_through(stack):
    alice = stack.new_user("alice")
    stack.valkey.kill()

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for some in pool.map(lambda _: writes(stack, alice, 60), range(8)) for answer in some]
    stack.valkey.restart()

    stored = sum(answer.status_code == 201 for answer in answers)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert stored + len(refused) == len(answers)
    assert FALLBACK_WRITES_PER_MINUTE <= stored <= 2 * FALLBACK_WRITES_PER_MINUTE * 1.5
    assert {answer.json()["per_minute"] for answer in refused} == {FALLBACK_WRITES_PER_MINUTE}


def writes(stack, user_id, times):
    body = {"user_id": user_id, "type": "permanent", "content": "a note"}
    with stack.client() as client:
        return [client.post("/api/v1/memory", json=body) for _ in range(times)]
