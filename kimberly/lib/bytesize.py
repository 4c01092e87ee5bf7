"""Bytes for people: KiB and MiB, the way every page, message and log says them."""

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def human(size_bytes: int) -> str:
    """`604 B`, `512 KiB`, `1.05 MiB`: up to three digits that say something."""
    sign, size = ("-", -size_bytes) if size_bytes < 0 else ("", size_bytes)
    for factor, unit in _UNITS:
        if size >= factor:
            value = size / factor
            digits = 0 if value >= 1000 or value == int(value) else 1 if value >= 100 else 2
            text = f"{value:,.{digits}f}"
            return f"{sign}{text.rstrip('0').rstrip('.') if digits else text} {unit}"
    return f"{sign}{size} B"
