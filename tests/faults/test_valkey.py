"""Valkey killed, flushed, slow or out of memory: limits are each process's own for a while, and nothing else changes."""

import time
from statistics import median

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.counts import rounds
from tests.faults.load import Load
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F7")]

WELL_AGAIN_SECONDS = 10


def fallbacks(stack) -> float:
    page = httpx.get(f"{stack.web.url}/metrics", timeout=5).text
    (family,) = [f for f in text_string_to_metric_families(page) if f.name == "kimberly_rate_limiter_fallback"]
    return family.samples[0].value


@pytest.fixture
def load(stack):
    return Load(stack, [stack.new_user("alice"), stack.new_user("bob")])


def enough(load, number):
    """Wait until this many more calls were answered."""
    goal = len(load.answers) + number
    until(lambda: len(load.answers) >= goal, what=f"{number} answers", limit_seconds=60)


@pytest.mark.parametrize("_round", range(rounds(1, 5)))
def test_a_killed_valkey_costs_no_call_and_is_found_again(stack, load, _round):
    before = fallbacks(stack)
    with load:
        enough(load, 50)
        stack.valkey.kill()
        enough(load, 150)
        assert fallbacks(stack) > before
        stack.valkey.restart()
        until(stack.is_well, what="Valkey to be found again", limit_seconds=WELL_AGAIN_SECONDS)
        enough(load, 50)

    assert set(load.statuses("read")) == {200}
    assert set(load.statuses("write")) == {201}
    load.assert_nothing_lost()


@pytest.mark.parametrize("_round", range(rounds(1, 5)))
def test_a_flushed_valkey_is_noticed_by_nobody(stack, load, _round):
    with load:
        for _ in range(5):
            enough(load, 20)
            stack.tell_valkey("FLUSHALL")
        enough(load, 20)

    assert set(load.statuses("read")) == {200}
    assert set(load.statuses("write")) == {201}
    load.assert_nothing_lost()
