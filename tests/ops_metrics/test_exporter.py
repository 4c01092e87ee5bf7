"""What a scrape holds: everything of the catalogue from the start, counted right over two processes, and no more."""

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from kimberly.lib import clock
from kimberly.lib.metrics import CATALOGUE, Source
from kimberly.local.databases import OWNER
from kimberly.web import sharedcounters
from memory.metrics import SEARCH_INDEXES
from memory.queries import retrieval
from memory.rules.tiers import Tier
from ops import collectors
from tests import plugin
from tests.counts import rounds
from tests.personas import Person, content_of, issue_key, unique
from tests.scraping import Scrape, scraped
from tests.waiting import until

pytestmark = pytest.mark.slow

CREATED = "kimberly_memory_items_created_total"
WRITTEN = "kimberly_memory_write_bytes_total"
EMBEDDING = "kimberly_embedding_duration_seconds"
REQUESTS = "kimberly_api_requests_total"
# Not built yet, or without a sample until the first check of the invariants.
LATER = {
    "kimberly_invariant_violations", "kimberly_audit_chain_valid", "kimberly_meditation_last_duration_seconds",
    "kimberly_meditation_last_outcome", "kimberly_meditation_last_success_timestamp_seconds",
}  # fmt: skip


def ask_all(web, key, method, path, times=12, **options):
    """The same call over so many connections, so that both processes answer some."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    unkept = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=web.url, headers=headers, limits=unkept, timeout=30) as client:
        return [client.request(method, path, **options) for _ in range(times)]


def statuses(answers):
    return {answer.status_code for answer in answers}


def settled(web):
    """A scrape once everything that other tests counted has reached Valkey: no sum grows any more."""
    sharedcounters.flush()
    seen = [(scraped(web), time.monotonic())]

    def is_quiet():
        latest = scraped(web)
        if latest.total(WRITTEN) != seen[-1][0].total(WRITTEN):
            seen.append((latest, time.monotonic()))
        return time.monotonic() - seen[-1][1] > 2 * sharedcounters.FLUSH_SECONDS

    until(is_quiet, what="the counts of other tests to arrive")
    return scraped(web)


def test_the_whole_catalogue_is_there_from_the_start(unasked_web):
    scrape = scraped(unasked_web)

    for metric in CATALOGUE.values():
        name = f"{metric.name}_count" if metric.kind == "histogram" else metric.name
        for combination in metric.combinations():
            labels = dict(zip(metric.labels, combination, strict=True))
            assert metric.name in LATER or scrape.value(name, **labels) >= 0
    assert scrape.value("kimberly_db_up") == 1
    assert not [name for name in scrape.names if name.endswith("_created")]


def test_every_counter_of_the_web_processes_begins_at_zero(unasked_web):
    scrape = scraped(unasked_web)

    of_processes = {metric.name for metric in CATALOGUE.values() if metric.source is Source.PROCESS}
    counters = {name for name in of_processes if name.endswith("_total")}
    begun = {(name, labels): value for (name, labels), value in scrape.series.items() if name in counters}
    assert {name for name, _ in begun} == counters
    assert set(begun.values()) == {0}
    assert {("plan", "free"), ("plan", "paid")} <= {label for _, labels in begun for label in labels}


def test_what_two_processes_do_is_one_count(web):
    alice, key = Person.register("alice", at=clock.utc_now()), issue_key()
    before = settled(web)
    body = {"user_id": alice.external_id, "type": "long-term", "content": "a note"}

    assert statuses(ask_all(web, key, "POST", "/api/v1/memory", json=body)) == {201}
    assert statuses(ask_all(web, key, "GET", "/api/v1/memory", params={"user_id": alice.external_id})) == {200}
    assert statuses(ask_all(web, "", "POST", "/api/v1/memory", json=body)) == {401}

    until(lambda: scraped(web).total(CREATED) - before.total(CREATED) == 12, what="the shared count")
    after = scraped(web)
    grown = {
        "created": after.value(CREATED, tier="long-term") - before.value(CREATED, tier="long-term"),
        "bytes": after.total(WRITTEN) - before.total(WRITTEN),
        "written": grown_by(before, after, REQUESTS, route="write_item", status_class="2xx"),
        "listed": grown_by(before, after, REQUESTS, route="list_items", status_class="2xx"),
        "timed": grown_by(before, after, "kimberly_api_request_duration_seconds_count", route="write_item"),
        "embedded": grown_by(before, after, f"{EMBEDDING}_count"),
        "embedded within ten seconds": grown_by(before, after, f"{EMBEDDING}_bucket", le="10.0"),
        "turned away": grown_by(before, after, "kimberly_api_auth_failures_total", reason="missing"),
        "in flight": after.total("kimberly_api_in_flight"),
    }
    assert 0 < grown_by(before, after, f"{EMBEDDING}_sum") < 12 * 10
    assert grown == {
        "created": 12,
        "bytes": 12 * len("a note{}"),
        "written": 12,
        "listed": 12,
        "timed": 24,
        "embedded": 12,
        "embedded within ten seconds": 12,
        "turned away": 12,
        "in flight": 0,
    }


def grown_by(before: Scrape, after: Scrape, name: str, **labels: str) -> float:
    return after.total(name, **labels) - before.total(name, **labels)


def test_refusals_are_counted_by_what_refused(web):
    alice, key = Person.register("alice", at=clock.utc_now()), issue_key()
    alice.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())
    alice.is_throttled(per_minute=None, at=clock.utc_now())
    bob = Person.register("bob", at=clock.utc_now())
    bob.fill(Tier.SHORT_TERM, leaving_bytes=10, at=clock.utc_now())
    before = scraped(web)

    too_much = {"type": "short-term", "content": content_of(100)}
    write = {"method": "POST", "path": "/api/v1/memory"}
    full = ask_all(web, key, **write, json={"user_id": bob.external_id, **too_much})
    until(
        lambda: statuses(ask_all(web, key, **write, json={"user_id": alice.external_id, **too_much})) == {429},
        what="the throttle to work",
    )
    after = scraped(web)

    assert statuses(full) == {413}
    quota = {"tier": "short-term", "reason": "plan"}
    assert grown_by(before, after, "kimberly_memory_quota_rejections_total", **quota) >= 12
    assert grown_by(before, after, "kimberly_api_rate_limited_total", scope="write", plan="free") >= 12


def test_the_indexes_that_queries_need_are_watched(web, db):
    scrape = scraped(web)

    for index in SEARCH_INDEXES:
        assert scrape.value("kimberly_vector_index_valid", index=index) == 1
        assert scrape.value("kimberly_vector_index_bytes", index=index) > 0
    [gone] = retrieval.indexes(["memory_item_gone_ix"])
    assert (gone.is_valid, gone.size_bytes) == (False, None)


MADE_UP_METHODS = ["GET", "BREW", "PROPFIND", "OPTIONS", "HEAD", "TRACE", "X-MADE-UP"]


@pytest.mark.promise("O3")
def test_no_made_up_path_method_or_key_adds_a_series(web):
    ask_all(web, issue_key(), "GET", "/api/v1/memory", params={"user_id": "nobody"})
    before = scraped(web)

    with httpx.Client(base_url=web.url, timeout=30) as client:
        for number in range(rounds(100, 1000)):
            method = MADE_UP_METHODS[number % len(MADE_UP_METHODS)]
            headers = {"Authorization": f"Bearer {secrets.token_hex(8)}"}
            assert client.request(method, f"/api/v1/{unique('path')}", headers=headers).status_code in (404, 405)
            assert client.request(method, "/api/v1/memory", headers=headers).status_code in (401, 405)

    assert set(scraped(web).series) == set(before.series)


@pytest.mark.promise("O3")
def test_the_number_of_users_adds_no_series(db):
    few = [Person.register("few") for _ in range(10)]
    before = series_of_collectors()

    for person in [*few, *(Person.register("many") for _ in range(rounds(190, 990)))]:
        person.writes("a note")

    assert series_of_collectors() == before


def series_of_collectors():
    samples = [sample for collector in collectors.ALL for sample in collector.read()]
    return sorted((sample.metric.name, sample.labels) for sample in samples)


def test_promtool_finds_nothing_to_complain_about(web):
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: install Debian's package prometheus"
    with web.client() as client:
        page = client.get("/metrics").content

    checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, check=False)

    assert checked.returncode == 0, checked.stderr.decode()


def test_a_killed_process_leaves_its_counts_and_nothing_in_flight(fresh_web):
    key, alice = issue_key(), Person.register("alice", at=clock.utc_now())
    ask_all(fresh_web, key, "GET", "/api/v1/memory", params={"user_id": alice.external_id})
    workers = children_of(fresh_web)

    with plugin.postgres().connect(OWNER) as owner, owner.transaction():
        owner.execute("LOCK TABLE idempotency_record IN ACCESS EXCLUSIVE MODE")
        hanging = [threading.Thread(target=write_once, args=(fresh_web, key, alice)) for _ in range(2)]
        for thread in hanging:
            thread.start()
        until(lambda: scraped(fresh_web).total("kimberly_api_in_flight") == 2, what="the calls to be in flight")
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        for thread in hanging:
            thread.join()

    until(lambda: len(children_of(fresh_web) - workers) == len(workers), what="new workers")
    after = until(lambda: scrape_of(fresh_web), what="a new worker to answer")
    assert after.total("kimberly_api_in_flight") == 0
    assert after.total(REQUESTS) == 12


def children_of(web) -> set[int]:
    main = web._process.pid
    return {int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()}


def write_once(web, key, alice):
    body = {"user_id": alice.external_id, "type": "long-term", "content": "a note"}
    with suppress(httpx.TransportError), web.client(key) as client:  # its process is killed
        client.post("/api/v1/memory", json=body, headers={"Idempotency-Key": unique("once")})


def scrape_of(web) -> Scrape | None:
    try:
        return scraped(web)
    except httpx.TransportError:
        return None
