"""Rate limits: one atomic script in Redis, and buckets of this process while Redis is away."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from django.http import HttpResponse

from kimberly.lib import metrics
from kimberly.web import redisclient

FALLBACKS = metrics.process_counter(
    "kimberly_rate_limiter_fallback_total", "Calls whose rate was limited by this process alone, because Redis is away."
)
LOCAL_BUCKETS = 10_000  # Callers remembered in this process while Redis is away; the least recent one goes first.


@dataclass(frozen=True, slots=True)
class Rule:
    """So many calls a window for one key. `name` is what the RateLimit headers call it."""

    name: str
    key: str
    quota: int
    window_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one call: whether it passes, whole calls left, seconds until the next one."""

    rule: Rule
    passes: bool
    remaining: int
    wait_seconds: float

    @property
    def reset_seconds(self) -> int:
        """Seconds until the whole quota is there again."""
        missing = self.rule.quota - self.remaining
        return -(-missing * self.rule.window_seconds // self.rule.quota)


def take(rules: Sequence[Rule], *, while_away: Sequence[Rule]) -> list[Verdict]:
    """Take one call from every rule's bucket, or from none when one is empty; a verdict for each rule.

    While Redis is away the rules `while_away` hold instead, in this process alone.
    """
    if not rules:
        return []
    try:
        return _take_shared(rules)
    except redisclient.RedisAway:
        FALLBACKS.inc()
        return _local.take(while_away)


def _take_shared(rules: Sequence[Rule]) -> list[Verdict]:
    keys = [f"rate:{rule.key}" for rule in rules]
    arguments = [number for rule in rules for number in (rule.quota, rule.window_seconds * 1000)]
    numbers = [int(part) for part in redisclient.run(_script(), keys, arguments).split()]
    triples = zip(rules, numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return [Verdict(rule, bool(passes), tokens // 1000, wait / 1000) for rule, passes, tokens, wait in triples]


@cache
def _script() -> redisclient.Script:
    return redisclient.Script(Path(__file__).with_suffix(".lua").read_text(encoding="utf-8"))


class LocalBuckets:
    """The same token buckets in this process's memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, rules: Sequence[Rule]) -> list[Verdict]:
        now = time.monotonic()
        with self._lock:
            tokens = [self._tokens(rule, now) for rule in rules]
            passes = all(left >= 1 for left in tokens)
            return [self._settle(rule, left, now, taken=passes) for rule, left in zip(rules, tokens, strict=True)]

    def _tokens(self, rule: Rule, now: float) -> float:
        left, at = self._buckets.get(rule.key, (float(rule.quota), now))
        return min(float(rule.quota), left + (now - at) * rule.quota / rule.window_seconds)

    def _settle(self, rule: Rule, left: float, now: float, *, taken: bool) -> Verdict:
        after = left - 1 if taken else left
        self._buckets[rule.key] = (after, now)
        self._buckets.move_to_end(rule.key)
        if len(self._buckets) > LOCAL_BUCKETS:
            self._buckets.popitem(last=False)
        wait_seconds = max(0.0, 1 - after) * rule.window_seconds / rule.quota
        return Verdict(rule, left >= 1, int(after), wait_seconds)


_local = LocalBuckets()


def strictest(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict that binds: one that refuses and waits longest, else the one with the least left."""
    if not verdicts:
        return None
    return min(verdicts, key=lambda v: (v.passes, -v.wait_seconds if not v.passes else v.remaining, v.rule.quota))


def add_headers(response: HttpResponse, verdicts: Sequence[Verdict]) -> None:
    """RateLimit-Policy and RateLimit as in draft-ietf-httpapi-ratelimit-headers-10, one entry a rule."""
    if verdicts:
        response["RateLimit-Policy"] = ", ".join(
            f'"{v.rule.name}";q={v.rule.quota};w={v.rule.window_seconds}' for v in verdicts
        )
        response["RateLimit"] = ", ".join(f'"{v.rule.name}";r={v.remaining};t={v.reset_seconds}' for v in verdicts)


def in_this_process(rule: Rule, *, quota: int) -> Rule:
    """The same rule with what one process may let through by itself."""
    return replace(rule, quota=min(rule.quota, quota))
