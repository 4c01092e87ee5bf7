"""PostgreSQL restarted or killed under load: the designed 503 while it is down, and no write lost or doubled."""

import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
from django.db import connection

from tests.counts import rounds
from tests.proxy import Proxy
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F8")]

HEALED_SECONDS = 5
SLUGS = {"database-unavailable", "database-busy"}


@pytest.fixture
def load(stack):
    """About 50 calls a second; each write is sent again under its key until it is answered."""
    return stack.load(retries=True)


def assert_outages_are_designed(load):
    assert not [answer for answer in load.answers if answer.status not in (200, 201, 503)]
    assert {answer.slug for answer in load.outages()} <= SLUGS
    assert all(answer.retry_after.isdecimal() for answer in load.outages())


def assert_healed(stack, load, *, down_from, up_at):
    assert_outages_are_designed(load)
    stack.assert_nothing_lost(load)
    assert not [answer for answer in load.outages() if answer.ended_at < down_from]
    lately = load.answers[-50:]
    assert {answer.status for answer in lately} == {200, 201}
    assert lately[0].began_at < up_at + HEALED_SECONDS


@pytest.mark.parametrize("nth", range(rounds(1, 20)))
def test_a_restart_loses_no_acknowledged_write_and_doubles_none(stack, load, nth):
    with load:
        load.answers_more(100)
        down_from = time.monotonic()
        stack.postgres.stop("immediate" if nth % 2 else "fast")
        until(load.outages, what="a call to meet it")  # else nothing would be tested
        stack.postgres.restart()
        up_at = time.monotonic()
        load.answers_more(100)

    assert_healed(stack, load, down_from=down_from, up_at=up_at)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_while_nobody_calls_costs_no_call(stack, mode):
    alice = stack.new_user("alice")

    def calls(times):
        with stack.client() as client:
            return [client.put(f"/api/v1/users/{alice}", json={"plan": "paid"}).status_code for _ in range(times)]

    with ThreadPoolExecutor(16) as pool:  # enough for every slot of both processes to have its connection open
        assert set(chain(*pool.map(calls, [10] * 16))) == {200}
        stack.postgres.restart(mode)
        assert set(chain(*pool.map(calls, [10] * 16))) == {200}


@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_terminated_backends_cost_only_the_calls_that_they_were_serving(stack, load, nth):
    with load:
        load.answers_more(50)
        down_from = time.monotonic()
        for _ in range(10):
            load.answers_more(10)
            stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(%s)", stack.backends())
        up_at = time.monotonic()
        load.answers_more(50)

    assert_outages_are_designed(load)
    stack.assert_nothing_lost(load)
    assert not [answer for answer in load.outages() if not down_from < answer.ended_at < up_at + 1]
    assert len(load.outages()) <= 10 * (load.writers + load.readers)


@pytest.mark.parametrize("nth", range(rounds(1, 5)))
def test_a_network_that_breaks_costs_only_the_calls_under_way(stack, nth):
    with Proxy(stack.postgres.port) as proxy, stack.new_web(database_port=proxy.port) as web:
        load = stack.load(url=web.url, retries=True)
        with load:
            for fault in (proxy.reset, proxy.stall, proxy.half_open)[: rounds(1, 3)]:
                load.answers_more(30)
                fault()
                load.goes_on(seconds=1)
                proxy.heal()
            load.answers_more(100)

    assert_outages_are_designed(load)
    stack.assert_nothing_lost(load)
    assert {answer.status for answer in load.answers[-50:]} == {200, 201}


def test_a_database_that_vanishes_is_given_up_within_seconds(db):
    connection.ensure_connection()

    with socket.socket(fileno=os.dup(connection.connection.fileno())) as to_database:
        assert to_database.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
        assert to_database.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5


@pytest.mark.parametrize("nth", range(rounds(1, 10)))
def test_a_backend_killed_hard_is_recovered_from(stack, load, nth):
    with load:
        load.answers_more(100)
        down_from = time.monotonic()
        os.kill(stack.backends()[0], signal.SIGKILL)
        until(stack.postgres.is_ready, what="PostgreSQL to recover")
        up_at = time.monotonic()
        load.answers_more(100)

    assert_healed(stack, load, down_from=down_from, up_at=up_at)
