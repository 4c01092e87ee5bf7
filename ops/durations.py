"""How long runs took, as SVG needs it: one bar each, places in percent, made on the server. Pure Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

HEADROOM = 1.15
LABELS = 10.0
"""So many percent on the left are for the words at the lines."""
STEPS = tuple(timedelta(seconds=one) for one in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200))


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of those that ended well, and of the others; lines to measure them by, with their lengths."""

    well: str
    badly: str
    grid: list[tuple[float, timedelta]]
    longest: timedelta


def bars(lengths: Sequence[tuple[timedelta, bool]]) -> Bars | None:
    """Of each run how long it took and whether it ended well, in the order in which they are drawn; None for fewer
    than two."""
    if len(lengths) < 2:
        return None
    longest = max(length for length, _ in lengths)
    top = max(longest, STEPS[0]) * HEADROOM
    width = (100 - LABELS) / len(lengths)
    drawn = [
        (f"M{LABELS + (place + 0.5) * width:.2f} 100V{_y(length, top):.2f}", is_well)
        for place, (length, is_well) in enumerate(lengths)
    ]
    step = next((step for step in STEPS if step * 3 > top), STEPS[-1])
    grid = [(_y(step * times, top), step * times) for times in (1, 2) if step * times < top]
    well, badly = ("".join(path for path, is_well in drawn if is_well is wanted) for wanted in (True, False))
    return Bars(well, badly, grid, longest)


def _y(length: timedelta, top: timedelta) -> float:
    return 100 - 100 * (length / top)
