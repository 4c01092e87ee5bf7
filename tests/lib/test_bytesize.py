"""Bytes as people read them."""

import pytest

from kimberly.lib import bytesize

KIB, MIB = 1 << 10, 1 << 20


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (604, "604 B"),
        (1023, "1023 B"),
        (KIB, "1 KiB"),
        (512 * KIB, "512 KiB"),
        (419_430, "409.6 KiB"),
        (1_104_896, "1.05 MiB"),
        (2 * MIB, "2 MiB"),
        (-604, "-604 B"),
    ],
)
def test_says_a_size_in_the_unit_that_fits(size_bytes, text):
    assert bytesize.human(size_bytes) == text
