"""Each promise of what is built has a test."""

import pytest

from ops.reference import promises
from ops.reference.promises import BEGUN, PROMISES
from tests.house.sources import PROJECT

MARKS = list(promises.marks(PROJECT))


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_a_test(promise):
    assert [mark for mark in MARKS if mark.promise == promise] != []


def test_each_mark_names_a_promise():
    assert [mark for mark in MARKS if mark.promise not in {**PROMISES, **BEGUN}] == []
