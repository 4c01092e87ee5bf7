"""Bytes as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimberly.lib import bytesize

KIB, MIB = 1 << 10, 1 << 20


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (604, "604 B"),
        (1023, "1,023 B"),
        (KIB, "1 KiB"),
        (512 * KIB, "512 KiB"),
        (1126, "1.10 KiB"),
        (2250, "2.20 KiB"),
        (2550, "2.49 KiB"),
        (KIB * 3 // 2, "1.50 KiB"),
        (10 * KIB - 3, "10.0 KiB"),
        (20_685, "20.2 KiB"),
        (419_430, "409.6 KiB"),
        (524_083, "511.8 KiB"),
        (1_023_800, "999.8 KiB"),
        (1_023_990, "1,000 KiB"),
        (MIB - 20, "1,024 KiB"),
        (1_104_896, "1.05 MiB"),
        (2 * MIB, "2 MiB"),
        (-604, "-604 B"),
    ],
)
def test_says_a_size_in_the_unit_that_fits(size_bytes, text):
    assert bytesize.human(size_bytes) == text


@given(st.integers(min_value=0, max_value=1 << 45))
def test_what_is_said_to_be_enough_is_enough_and_not_much_more(size_bytes):
    number, unit = bytesize.at_least(size_bytes).replace(",", "").split()

    said = float(number) * {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
    assert size_bytes <= said <= size_bytes * 1.01 + 1
