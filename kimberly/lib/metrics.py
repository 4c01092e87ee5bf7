"""The metric catalogue: each metric is declared once, with its type, unit, labels and source.

Sources (design: each metric has one):
- P  counters and histograms of a web process, merged over its processes by the /metrics view;
- V  what any process counts, kept in Valkey hashes; buffered here while Valkey is away;
- D  state, read from PostgreSQL at scrape by a collector;
- C  settings shown as gauges.
"""

import bisect
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import prometheus_client

CATALOGUE: dict[str, "Metric"] = {}


class Source(StrEnum):
    PROCESS = "P"
    SHARED = "V"
    DATABASE = "D"
    CONFIGURED = "C"


Labels = Mapping[str, Sequence[str]]
"""Label name -> its closed set of values. An empty set means: bounded by configuration or by a fixed top-n."""


@dataclass(frozen=True)
class Metric:
    """One family of the catalogue."""

    name: str
    kind: str
    source: Source
    labels: Labels
    about: str
    buckets: tuple[float, ...] = ()

    def combinations(self) -> list[tuple[str, ...]]:
        """Every combination of closed label values; a metric with an open label has none to begin with."""
        if any(not values for values in self.labels.values()):
            return []
        return list(itertools.product(*self.labels.values()))


def _declare(metric: Metric) -> Metric:
    if metric.name in CATALOGUE:
        raise ValueError(f"{metric.name} is declared twice")
    CATALOGUE[metric.name] = metric
    return metric


def _labels(labels: Labels | None) -> dict[str, tuple[str, ...]]:
    return {name: tuple(str(value) for value in values) for name, values in (labels or {}).items()}


def process_counter(name: str, about: str, labels: Labels | None = None) -> prometheus_client.Counter:
    """A counter of source P; all combinations of closed labels start at 0, so that a first failure is an increase."""
    metric = _declare(Metric(name, "counter", Source.PROCESS, _labels(labels), about))
    counter = prometheus_client.Counter(name, about, list(metric.labels))
    for combination in metric.combinations():
        if combination:
            counter.labels(*combination)
    return counter


def process_histogram(
    name: str, about: str, buckets: tuple[float, ...], labels: Labels | None = None
) -> prometheus_client.Histogram:
    """A histogram of source P; bounds in the metric's unit."""
    metric = _declare(Metric(name, "histogram", Source.PROCESS, _labels(labels), about, buckets))
    histogram = prometheus_client.Histogram(name, about, list(metric.labels), buckets=buckets)
    for combination in metric.combinations():
        if combination:
            histogram.labels(*combination)
    return histogram


def process_gauge(name: str, about: str) -> prometheus_client.Gauge:
    """A gauge of source P, summed over the living processes of the instance."""
    _declare(Metric(name, "gauge", Source.PROCESS, {}, about))
    return prometheus_client.Gauge(name, about, multiprocess_mode="livesum")


def database_gauge(name: str, about: str, labels: Labels | None = None) -> Metric:
    """A gauge of source D; a collector gives its samples at scrape."""
    return _declare(Metric(name, "gauge", Source.DATABASE, _labels(labels), about))


def configured_gauge(name: str, about: str, labels: Labels | None = None) -> Metric:
    """A gauge of source C."""
    return _declare(Metric(name, "gauge", Source.CONFIGURED, _labels(labels), about))


class SharedCounter:
    """A counter of source V: counted here, added to Valkey by the flusher; nothing waits for Valkey.

    What was counted since the last flush is lost with a killed process: at most one flush interval.
    """

    _lock = threading.Lock()
    _buffer: Counter[tuple[str, tuple[str, ...]]] = Counter()
    on_count: Callable[[], None] | None = None
    """Set by the flusher (kimberly.web.sharedcounters), so that a process which counts nothing has no thread."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    def add(self, amount: int, *labels: str) -> None:
        """Count; call it after the commit."""
        series = (self.metric.name, tuple(map(str, labels)))
        with SharedCounter._lock:
            SharedCounter._buffer[series] += amount
        if SharedCounter.on_count is not None:
            SharedCounter.on_count()

    @classmethod
    def take(cls) -> Counter[tuple[str, tuple[str, ...]]]:
        """Everything counted since the last call; whoever takes it keeps it until it is stored."""
        with cls._lock:
            taken, cls._buffer = cls._buffer, Counter()
        return taken


class SharedHistogram(SharedCounter):
    """A histogram of source V, in seconds. Its hash has for each combination of labels a count by bucket (each
    observation in one) and a sum; the bucket's bound stands behind the labels.
    """

    SUM = "sum"
    PER_SECOND = 1_000_000
    """Sums are kept as whole microseconds, since Valkey adds integers without a loss."""

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one duration; call it after the commit."""
        bounds = self.metric.buckets
        place = bisect.bisect_left(bounds, seconds)
        self.add(1, *labels, str(bounds[place]) if place < len(bounds) else "+Inf")
        self.add(round(seconds * self.PER_SECOND), *labels, self.SUM)


def shared_histogram(
    name: str, about: str, buckets: tuple[float, ...], labels: Labels | None = None
) -> SharedHistogram:
    """A histogram of source V; bounds in seconds."""
    bounds = tuple(float(bound) for bound in buckets)  # "10.0", as the client library writes bounds
    return SharedHistogram(_declare(Metric(name, "histogram", Source.SHARED, _labels(labels), about, bounds)))


def shared_counter(name: str, about: str, labels: Labels | None = None) -> SharedCounter:
    """A counter of source V."""
    return SharedCounter(_declare(Metric(name, "counter", Source.SHARED, _labels(labels), about)))
