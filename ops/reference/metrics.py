"""docs/metrics.md"""

from kimberly.lib.metrics import CATALOGUE, Metric
from ops.reference.tables import code, page, table

INTRODUCTION = """What `GET /metrics` exports, from `kimberly.lib.metrics.CATALOGUE`. The page opens for the bearer
`KIMBERLY_METRICS_TOKEN` or a network of `KIMBERLY_METRICS_ALLOW`.

| source | what | read it in rules by |
| --- | --- | --- |
| P | counted by the web processes of one instance | `sum(rate(...))` |
| V | counted by any process, kept in Valkey | `max without (instance, pod) (rate(...))`, then `sum` |
| D | state, read from PostgreSQL at scrape | `max without (instance, pod) (...)` |
| C | settings | as D |

A counter of closed label values is there from the start, with 0. A source that does not answer is left out, never
stale: `kimberly_collector_success` says so. django-prometheus adds its `django_db_*` and `django_cache_*`."""


def render() -> str:
    rows = [_row(metric) for _, metric in sorted(CATALOGUE.items())]
    return page("Metrics", INTRODUCTION, table(["name", "type", "source", "labels", "what it is"], rows))


def _row(metric: Metric) -> list[str]:
    labels = "; ".join(f"{code(name)}: {', '.join(values) or 'open'}" for name, values in metric.labels.items())
    bounds = f" Bounds: {' '.join(f'{bound:g}' for bound in metric.buckets)}." if metric.buckets else ""
    return [code(metric.name), metric.kind, metric.source, labels, metric.about + bounds]
