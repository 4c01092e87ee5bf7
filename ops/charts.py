"""Curves as SVG needs them: places in percent, made on the server, with the same figures for a table. Pure Python."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from kimberly.lib import bytesize, clock
from memory.rules.forecast import DAY, HOUR, Level

GAP = 1.5 * HOUR
"""Between two samples that are further apart, at least one hour was missed."""
MOST_POINTS = 180
HEADROOM = 1.08
NEAR = 9.0
"""So many percent below or above another line, a line of the grid would run into its words."""
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
TICKS = 4
DAILY = (7, 6, 5, 4)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the picture shows: from when to when, and up to how many bytes."""

    begins_at: datetime
    ends_at: datetime
    top_bytes: float

    def x(self, at: datetime) -> float:
        return 100 * ((at - self.begins_at) / (self.ends_at - self.begins_at))

    def y(self, used_bytes: float) -> float:
        return 100 - 100 * used_bytes / self.top_bytes

    def place(self, level: Level) -> str:
        return f"{self.x(level.at):.2f} {self.y(level.used_bytes):.2f}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table beside the picture."""

    at: datetime
    text: str
    highest_bytes: int


@dataclass(frozen=True, slots=True)
class Chart:
    """One tier's history. `gaps` are the times in which nobody looked."""

    frame: Frame
    line: str
    area: str
    gaps: str
    grid: list[tuple[float, str]]
    ticks: list[str]
    rows: list[Row]
    lowest_bytes: int
    highest_bytes: int
    newest: Level
    missed: timedelta


def history(levels: Sequence[Level], *, begins_at: datetime, limit_bytes: int, soft_bytes: int) -> Chart | None:
    """The levels since then, the last of them now; None where there are fewer than two."""
    seen = [level for level in levels if level.at >= begins_at]
    if len(seen) < 2:
        return None
    highest, newest = max(level.used_bytes for level in seen), seen[-1]
    frame = Frame(begins_at, newest.at, HEADROOM * max(limit_bytes, highest))
    lines = [frame.y(limit_bytes), frame.y(soft_bytes)]
    runs = [_thinned(run, frame) for run in _runs(seen)]
    return Chart(
        frame,
        line=" ".join(_path(run, frame) for run in runs),
        area=" ".join(_area(run, frame) for run in runs),
        gaps=" ".join(_path([before[-1], after[0]], frame) for before, after in pairwise(runs)),
        grid=[(y, text) for y, text in _grid(frame) if min(abs(y - line) for line in lines) > NEAR],
        ticks=_ticks(frame),
        rows=_rows(seen, frame),
        lowest_bytes=min(level.used_bytes for level in seen),
        highest_bytes=highest,
        newest=newest,
        missed=sum((after[0].at - before[-1].at for before, after in pairwise(runs)), timedelta()),
    )


@dataclass(frozen=True, slots=True)
class Lines:
    """Several curves in one frame: their paths, in the order in which they were given."""

    frame: Frame
    paths: list[str]
    grid: list[tuple[float, str]]
    ticks: list[str]


def lines(curves: Sequence[Sequence[Level]], *, limit_bytes: int) -> Lines:
    """Curves that begin and end together, below or above a limit that is drawn as well."""
    highest = max(level.used_bytes for curve in curves for level in curve)
    frame = Frame(curves[0][0].at, curves[0][-1].at, HEADROOM * max(limit_bytes, highest))
    length, limit_y = frame.ends_at - frame.begins_at, frame.y(limit_bytes)
    return Lines(
        frame,
        [_path(curve, frame) for curve in curves],
        [(y, text) for y, text in _grid(frame) if abs(y - limit_y) > NEAR],
        ["now", *(f"{clock.as_read(frame.begins_at + length * part / TICKS):%H:%M}" for part in range(1, TICKS + 1))],
    )


def spark(levels: Sequence[Level], *, begins_at: datetime, ends_at: datetime, top_bytes: int) -> str:
    """A small curve of levels that hold until the next one."""
    frame = Frame(begins_at, ends_at, HEADROOM * max([top_bytes, *(level.used_bytes for level in levels)]))
    steps = [f"H{frame.x(level.at):.1f}V{frame.y(level.used_bytes):.1f}" for level in levels[1:]]
    return "".join([f"M{frame.place(levels[0])}", *steps])


def _runs(levels: Sequence[Level]) -> list[list[Level]]:
    """Levels between which no hour was missed."""
    runs = [[levels[0]]]
    for before, after in pairwise(levels):
        if after.at - before.at > GAP:
            runs.append([])
        runs[-1].append(after)
    return runs


def _thinned(run: list[Level], frame: Frame) -> list[Level]:
    """As many points as a screen can show: of each stretch the highest, of the whole both ends."""
    stretch = (frame.ends_at - frame.begins_at) / MOST_POINTS
    highest: dict[int, Level] = {}
    for level in run[1:-1]:
        part = int((level.at - frame.begins_at) / stretch)
        if part not in highest or level.used_bytes > highest[part].used_bytes:
            highest[part] = level
    return [run[0], *highest.values(), *run[-1:]] if len(run) > 1 else run


def _path(run: Sequence[Level], frame: Frame) -> str:
    return "M" + " L".join(frame.place(level) for level in run)


def _area(run: Sequence[Level], frame: Frame) -> str:
    first, last = frame.x(run[0].at), frame.x(run[-1].at)
    return f"{_path(run, frame)} L{last:.2f} 100 L{first:.2f} 100 Z"


def _grid(frame: Frame) -> Iterator[tuple[float, str]]:
    """Two or three round figures."""
    unit = next(unit for unit in (1 << 30, 1 << 20, 1 << 10, 1) if frame.top_bytes >= 2 * unit or unit == 1)
    step = next((step for step in STEPS if step * unit * 4 > frame.top_bytes), STEPS[-1]) * unit
    for size in range(step, int(frame.top_bytes), step):
        yield frame.y(size), bytesize.human(size)


def _ticks(frame: Frame) -> list[str]:
    """As the reader's clock says; days lie a whole number of days apart where the length allows it."""
    length = frame.ends_at - frame.begins_at
    form = "{:%H:%M}" if length <= 2 * DAY else "{0.day} {0:%b}"
    parts = TICKS if length <= 2 * DAY else next((parts for parts in DAILY if not length % (parts * DAY)), TICKS)
    moments = [clock.as_read(frame.begins_at + length * part / parts) for part in range(parts)]
    return [*(form.format(moment) for moment in moments), "now"]


def _rows(levels: Sequence[Level], frame: Frame) -> list[Row]:
    """Of each hour, or where it would be too many, of each day, the highest."""
    hourly = frame.ends_at - frame.begins_at <= 2 * DAY
    highest: dict[datetime, int] = {}
    for level in levels:
        read = clock.as_read(level.at)
        at = read.replace(hour=read.hour if hourly else 0, minute=0, second=0, microsecond=0)
        highest[at] = max(highest.get(at, 0), level.used_bytes)
    said = "{0.day} {0:%b %H:%M}" if hourly else "{0:%a} {0.day} {0:%b}"
    return [Row(at, said.format(at), most) for at, most in sorted(highest.items(), reverse=True)]
