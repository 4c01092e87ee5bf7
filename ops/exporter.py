"""What a scrape gives: this instance's own counters, the shared ones from Valkey, and what collectors read.

A source that fails is left out, with its success at 0: absent, never stale. The rest is answered all the same.
"""

import itertools
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import prometheus_client
import structlog
from django.db import connection
from django.db.utils import Error
from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kimberly.lib import metrics
from kimberly.lib.metrics import SharedHistogram
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
# One thread each: a collector that hangs keeps no other waiting.
_pool = ThreadPoolExecutor(max_workers=len(collectors.ALL), thread_name_prefix="collector")


def exposition() -> bytes:
    """The whole page in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts())  # first: it makes the series of what only the database knows, such as plans
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _forget_ended_processes(Path(folder))
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_OwnProcess())
    return prometheus_client.generate_latest(registry)


def _forget_ended_processes(folder: Path) -> None:
    """A killed process's calls in flight are over; its counters stay, so that sums never fall."""
    for path in folder.glob("gauge_live*_*.db"):
        try:
            os.kill(int(path.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except PermissionError:  # it lives, as somebody else
            continue


class _OwnProcess(Collector):
    """The families of this process: kimberly's and django-prometheus's, nothing of the interpreter."""

    def collect(self) -> Iterator[Metric]:
        for family in prometheus_client.REGISTRY.collect():
            if family.name.startswith(("kimberly_", "django_")):
                family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
                yield family


class _Facts(Collector):
    """Shared counters and collectors' samples. Valkey is read while the collectors are at work."""

    def collect(self) -> Iterator[Metric]:
        until = time.monotonic() + DEADLINE_SECONDS
        started = {collector.name: _start(collector) for collector in collectors.ALL}
        yield from _shared_counters()
        readings = {name: _awaited(reading, until) for name, reading in started.items()}
        yield from _families(sample for reading in readings.values() for sample in reading.samples or ())
        yield _gauge(SUCCESS, {(name,): float(reading.samples is not None) for name, reading in readings.items()})
        yield _gauge(DURATION, {(name,): reading.took_seconds for name, reading in readings.items()})
        yield _gauge(collectors.DB_UP, {(): float(readings[collectors.CONNECTION].samples is not None)})


def _shared_counters() -> Iterator[Metric]:
    shared = [metric for metric in metrics.CATALOGUE.values() if metric.source is metrics.Source.SHARED]
    try:
        sums = sharedcounters.read_all(metric.name for metric in shared)
    except redisclient.RedisAway:
        return
    for metric in shared:
        stored = sums[metric.name]
        if metric.kind == "histogram":
            yield _histogram(metric, stored)
            continue
        family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.about, labels=list(metric.labels))
        for combination in {**dict.fromkeys(metric.combinations(), 0), **stored}:
            family.add_metric(list(combination), stored.get(combination, 0))
        yield family


def _histogram(metric: metrics.Metric, stored: Mapping[tuple[str, ...], int]) -> Metric:
    """Each observation was counted in one bucket; Prometheus wants those up to each bound."""
    bounds = [*map(str, metric.buckets), "+Inf"]
    family = HistogramMetricFamily(metric.name, metric.about, labels=list(metric.labels))
    for labels in metric.combinations():
        sums = itertools.accumulate(stored.get((*labels, bound), 0) for bound in bounds)
        total = stored.get((*labels, SharedHistogram.SUM), 0) / SharedHistogram.PER_SECOND
        family.add_metric(list(labels), list(zip(bounds, sums, strict=True)), sum_value=total)
    return family


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


def _start(collector: collectors.CollectorOf) -> Reading | Future[Reading]:
    """The kept reading while it is fresh, else one that is under way."""
    with _lock:
        kept = _readings.get(collector.name)
        if kept is not None and kept.samples is not None and time.monotonic() - kept.read_at < collector.cache_seconds:
            return kept
        running = _running.get(collector.name)
        if running is None or running.done():
            running = _running[collector.name] = _pool.submit(_read, collector)
        return running


def _awaited(reading: Reading | Future[Reading], until: float) -> Reading:
    """The reading; one that does not come in time has failed."""
    if isinstance(reading, Reading):
        return reading
    try:
        return reading.result(timeout=max(0.0, until - time.monotonic()))
    except TimeoutError:
        return Reading(time.monotonic(), DEADLINE_SECONDS, None)


def _read(collector: collectors.CollectorOf) -> Reading:
    started = time.monotonic()
    samples: tuple[collectors.Sample, ...] | None = None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '2s'")
        samples = tuple(collector.read())
    except Error as error:
        logger.warning("collector_failed", collector=collector.name, error=type(error).__name__)
    except Exception:
        logger.exception("collector_failed", collector=collector.name)
    finally:
        connection.close()
    reading = Reading(time.monotonic(), time.monotonic() - started, samples)
    with _lock:
        _readings[collector.name] = reading
    return reading
