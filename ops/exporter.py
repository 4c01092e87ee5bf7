"""What a scrape gives: this instance's own counters, the shared ones from Valkey, and what collectors read.

A source that fails is left out, with its success at 0: absent, never stale. The rest is answered all the same.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import prometheus_client
import structlog
from django.db import DatabaseError, connection
from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kimberly.lib import metrics
from kimberly.web import redisclient, sharedcounters
from ops import collectors

logger = structlog.get_logger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DEADLINE_SECONDS = 2.5

SUCCESS = metrics.database_gauge(
    "kimberly_collector_success", "1 when the collector's last reading went well.", {"collector": collectors.NAMES}
)
DURATION = metrics.database_gauge(
    "kimberly_collector_duration_seconds",
    "How long the collector's last reading took.",
    {"collector": collectors.NAMES},
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a collector gave; `samples` is None when it failed."""

    read_at: float
    took_seconds: float
    samples: tuple[collectors.Sample, ...] | None


_readings: dict[str, Reading] = {}
_running: dict[str, Future[Reading]] = {}
_lock = threading.Lock()
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="collector")


def exposition() -> bytes:
    """The whole page in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_OwnProcess())
    registry.register(_Facts())
    return prometheus_client.generate_latest(registry)


class _OwnProcess(Collector):
    """The families of this process: kimberly's and django-prometheus's, nothing of the interpreter."""

    def collect(self) -> Iterator[Metric]:
        for family in prometheus_client.REGISTRY.collect():
            if family.name.startswith(("kimberly_", "django_")):
                yield family


class _Facts(Collector):
    """Shared counters and collectors' samples."""

    def collect(self) -> Iterator[Metric]:
        readings = _read_all()
        yield from _shared_counters()
        samples = [sample for reading in readings.values() for sample in reading.samples or ()]
        yield from _families(samples)
        yield _gauge(SUCCESS, {(name,): float(reading.samples is not None) for name, reading in readings.items()})
        yield _gauge(DURATION, {(name,): reading.took_seconds for name, reading in readings.items()})


def _shared_counters() -> Iterator[Metric]:
    for metric in metrics.CATALOGUE.values():
        if metric.source is not metrics.Source.SHARED:
            continue
        try:
            stored = sharedcounters.read(metric.name)
        except redisclient.RedisAway:
            return
        family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.about, labels=list(metric.labels))
        for combination in {**dict.fromkeys(metric.combinations(), 0), **stored}:
            family.add_metric(list(combination), stored.get(combination, 0))
        yield family


def _families(samples: Iterable[collectors.Sample]) -> Iterator[Metric]:
    by_metric: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric.name, {})[sample.labels] = sample.value
    for name, values in by_metric.items():
        yield _gauge(metrics.CATALOGUE[name], values)


def _gauge(metric: metrics.Metric, values: dict[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(metric.name, metric.about, labels=list(metric.labels))
    for labels, value in values.items():
        family.add_metric(list(labels), value)
    return family


def _read_all() -> dict[str, Reading]:
    """Every collector's reading, fresh or from its cache; those that do not answer in time have failed."""
    until = time.monotonic() + DEADLINE_SECONDS
    started = {collector.name: _start(collector) for collector in collectors.ALL}
    found: dict[str, Reading] = {}
    for name, pending in started.items():
        if isinstance(pending, Reading):
            found[name] = pending
            continue
        try:
            found[name] = pending.result(timeout=max(0.0, until - time.monotonic()))
        except TimeoutError:
            found[name] = Reading(time.monotonic(), DEADLINE_SECONDS, None)
    return found


def _start(collector: collectors.CollectorOf) -> Reading | Future[Reading]:
    with _lock:
        kept = _readings.get(collector.name)
        if kept is not None and kept.samples is not None and time.monotonic() - kept.read_at < collector.cache_seconds:
            return kept
        running = _running.get(collector.name)
        if running is None or running.done():
            running = _running[collector.name] = _pool.submit(_read, collector)
        return running


def _read(collector: collectors.CollectorOf) -> Reading:
    started = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '2s'")
        samples: tuple[collectors.Sample, ...] | None = tuple(collector.read())
    except DatabaseError as error:
        logger.warning("collector_failed", collector=collector.name, error=type(error).__name__)
        samples = None
    finally:
        connection.close()
    reading = Reading(time.monotonic(), time.monotonic() - started, samples)
    with _lock:
        _readings[collector.name] = reading
    return reading
