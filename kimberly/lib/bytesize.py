"""Bytes for people: KiB and MiB, the way every page, message and log says them."""

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def human(size_bytes: int) -> str:
    """`1,016 B`, `512 KiB`, `1.60 MiB`, `409.6 KiB`: whole, or to three digits and at least one decimal.

    The decimal tells 511.8 of 512 KiB from full; from a thousand on it says nothing.
    """
    sign, size = ("-", -size_bytes) if size_bytes < 0 else ("", size_bytes)
    for factor, unit in _UNITS:
        if size >= factor:
            value = size / factor
            return f"{sign}{value:,.{_digits(value)}f} {unit}"
    return f"{sign}{size:,} B"


def at_least(size_bytes: int) -> str:
    """The same, rounded up: who types what it says has enough."""
    for factor, unit in _UNITS:
        if size_bytes >= factor:
            digits = _digits(size_bytes / factor)
            parts = -(-size_bytes * 10**digits // factor)
            whole = parts % 10**digits == 0
            return f"{parts / 10**digits:,.{0 if whole else digits}f} {unit}"
    return human(size_bytes)


def _digits(value: float) -> int:
    return 0 if value >= 999.95 or value == int(value) else 1 if value >= 9.995 else 2
