"""Token buckets: the same in Redis and in a process alone; taken from all rules together or from none."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kimberly.web import ratelimit
from kimberly.web.ratelimit import LocalBuckets, Rule
from tests.counts import rounds
from tests.personas import unique

pytestmark = pytest.mark.promise("R3")

AN_HOUR = 3_600  # so long a window that no token comes back while a test runs


def rule(quota: int, *, name: str = "write") -> Rule:
    return Rule(name, unique("bucket"), quota, AN_HOUR)


def shared(*rules: Rule) -> list[ratelimit.Verdict]:
    return ratelimit.take(rules, while_away=[])


def test_a_bucket_lets_its_quota_pass_and_not_one_more():
    one = rule(3)

    verdicts = [shared(one)[0] for _ in range(5)]

    assert [verdict.passes for verdict in verdicts] == [True, True, True, False, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0, 0]
    assert verdicts[-1].wait_seconds == pytest.approx(AN_HOUR / 3, rel=0.01)


def test_when_one_rule_refuses_no_other_loses_a_call():
    small, large = rule(1), rule(10)

    for _ in range(5):
        verdicts = shared(small, large)

    assert [verdict.passes for verdict in verdicts] == [False, True]
    assert verdicts[1].remaining == 9


def test_the_strictest_of_several_refusals_is_the_one_that_waits_longest():
    quick, slow = Rule("quick", unique("bucket"), 1, 60), Rule("slow", unique("bucket"), 1, AN_HOUR)
    shared(quick, slow)

    binding = ratelimit.strictest(shared(quick, slow))

    assert binding is not None
    assert binding.rule == slow


def test_a_rule_whose_quota_changes_begins_anew():
    before = rule(1)
    shared(before)

    after = replace(before, quota=5)

    assert shared(after)[0].remaining == 4


@settings(max_examples=rounds(50, 2_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(quotas=st.lists(st.integers(1, 5), min_size=1, max_size=3), calls=st.integers(1, 8))
def test_redis_and_a_process_alone_say_the_same(quotas, calls):
    rules, alone = [rule(quota, name=f"rule-{place}") for place, quota in enumerate(quotas)], LocalBuckets()

    for _ in range(calls):
        together = [(verdict.passes, verdict.remaining) for verdict in shared(*rules)]
        by_itself = [(verdict.passes, verdict.remaining) for verdict in alone.take(rules)]

        assert together == by_itself


def test_a_process_alone_forgets_the_callers_it_has_not_seen_for_long(monkeypatch):
    monkeypatch.setattr(ratelimit, "LOCAL_BUCKETS", 2)
    alone, rules = LocalBuckets(), [rule(1), rule(1), rule(1)]

    for one in rules:
        alone.take([one])

    assert [alone.take([one])[0].passes for one in (rules[2], rules[0])] == [False, True]
