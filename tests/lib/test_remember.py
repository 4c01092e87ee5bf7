"""What a process remembers for a moment."""

from kimberly.lib.remember import Remembered


def test_looks_up_once_while_the_value_is_fresh():
    lookups = iter(["first", "second"])
    remembered: Remembered[str, str] = Remembered(seconds=60, most=10)

    found = [remembered.get("alice", lambda _key: next(lookups)) for _ in range(3)]

    assert found == ["first"] * 3


def test_looks_up_anew_when_the_time_is_over():
    remembered: Remembered[str, int] = Remembered(seconds=0, most=10)

    lookups = iter([1, 2])

    assert [remembered.get("alice", lambda _key: next(lookups)) for _ in range(2)] == [1, 2]


def test_does_not_remember_that_there_was_nothing():
    remembered: Remembered[str, str] = Remembered(seconds=60, most=10)

    remembered.get("alice", lambda _key: None)

    assert remembered.get("alice", str.upper) == "ALICE"


def test_keeps_no_more_values_than_it_may():
    remembered: Remembered[int, int] = Remembered(seconds=60, most=2)

    for number in range(5):
        remembered.get(number, lambda key: key + 1)

    assert remembered.get(0, lambda _key: -1) == -1
    assert remembered.get(4, lambda _key: -1) == 5
