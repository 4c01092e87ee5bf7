"""What a scrape of /metrics says, read by the parser of Prometheus' own client."""

from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.web import WebServer

DEADLINE_SECONDS = 3  # The page comes within this, whatever is down.


@dataclass(frozen=True)
class Scrape:
    """The series of one scrape, by name and labels."""

    series: dict[tuple[str, frozenset[tuple[str, str]]], float]

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.series}

    def value(self, name: str, **labels: str) -> float:
        """One series; KeyError when it is absent."""
        return self.series[name, frozenset(labels.items())]

    def total(self, name: str, **labels: str) -> float:
        """The sum over the series of that name that have these labels among theirs; 0 when there are none."""
        return sum(value for (found, own), value in self.series.items() if found == name and labels.items() <= own)


def scraped(web: WebServer) -> Scrape:
    answer = httpx.get(f"{web.url}/metrics", timeout=DEADLINE_SECONDS)
    assert answer.status_code == 200, answer.text
    return understood(answer.text)


def understood(page: str) -> Scrape:
    """The page's series; fails when one stands there twice."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    series = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(series) == len(samples), "a series stands on the page twice"
    return Scrape(series)
