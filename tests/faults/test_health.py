"""Whatever is down, the process says that it lives, what it misses, and what it still knows."""

from contextlib import contextmanager

import httpx
import pytest

from kimberly.local.databases import OWNER
from tests.counts import rounds
from tests.scraping import scraped
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.promise("F9")]

OF_USAGE = "kimberly_memory_used_bytes"
OF_MEASURES = "kimberly_quota_overrides_active"
SHARED = "kimberly_memory_items_created_total"
OWN = "kimberly_api_requests_total"
SUCCESS = "kimberly_collector_success"


@contextmanager
def database_down(stack):
    stack.postgres.kill()
    yield
    stack.postgres.restart()


@contextmanager
def valkey_down(stack):
    stack.valkey.kill()
    yield
    stack.valkey.restart()


@contextmanager
def locked(stack, table):
    """Somebody holds the table so that nobody can read it."""
    with stack.connect(OWNER) as owner, owner.transaction():
        owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.fixture
def fresh_web(stack):
    """A web server that has read nothing yet: what collectors read is kept for a while."""
    with stack.new_web(workers=1) as web:
        yield web


def test_without_the_database_it_lives_but_is_not_ready(stack):
    with database_down(stack):
        alive = httpx.get(f"{stack.web.url}/healthz")
        status, said = stack.readiness()

    assert alive.status_code == 200
    assert status == 503
    assert said["database"]["state"] == "down"
    assert said["redis"]["state"] == "ok"


def test_without_valkey_it_is_ready_and_says_what_is_missing(stack):
    with valkey_down(stack):
        status, said = stack.readiness()

    assert status == 200
    assert said["status"] == "ready"
    assert said["redis"]["state"] == "down"
    assert "rate limits" in said["redis"]["effect"]


def test_a_scrape_has_all_that_does_not_depend_on_what_is_down(stack, fresh_web):
    with database_down(stack):
        without_database = scraped(fresh_web)
        with valkey_down(stack):
            without_either = scraped(fresh_web)
    with valkey_down(stack):
        without_valkey = scraped(fresh_web)

    assert without_database.value("kimberly_db_up") == without_either.value("kimberly_db_up") == 0
    assert without_database.value(SUCCESS, collector="usage") == 0
    assert without_database.names & {OWN, SHARED, OF_USAGE, OF_MEASURES} == {OWN, SHARED}
    assert without_either.names & {OWN, SHARED, OF_USAGE, OF_MEASURES} == {OWN}
    assert without_valkey.value("kimberly_db_up") == 1
    assert without_valkey.names & {OWN, SHARED, OF_USAGE, OF_MEASURES} == {OWN, OF_USAGE, OF_MEASURES}


@pytest.mark.parametrize(
    ("table", "hanging", "lacks", "has"),
    [("usage_counter", "usage", OF_USAGE, OF_MEASURES), ("throttle", "measures", OF_MEASURES, OF_USAGE)][
        : rounds(1, 2)
    ],
)
def test_a_collector_that_hangs_keeps_no_other_waiting(stack, fresh_web, table, hanging, lacks, has):
    with locked(stack, table):
        scrape = scraped(fresh_web)

    assert scrape.value("kimberly_db_up") == 1
    assert scrape.value(SUCCESS, collector=hanging) == 0
    assert lacks not in scrape.names
    assert {has, OWN, SHARED} <= scrape.names
    until(lambda: scraped(fresh_web).value(SUCCESS, collector=hanging), what="the collector to work again")
