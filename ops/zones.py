"""The zone in which a person reads times: UTC, or their own, kept by the browser they sit at."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

COOKIE = "kimberly_zone"
KEPT_SECONDS = 400 * 24 * 60 * 60  # as long as browsers keep a cookie at all


@cache
def names() -> tuple[str, ...]:
    """Every zone that can be chosen, in order: those of places, without the abbreviations and the historical ones."""
    return tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


def chosen(cookies: Mapping[str, str]) -> str:
    """The name of the zone that the browser keeps; empty for UTC."""
    name = cookies.get(COOKIE, "")
    return name if name in names() else ""


def zone(name: str) -> tzinfo:
    """The zone of this name; UTC where it is none that can be chosen."""
    return ZoneInfo(name) if name in names() else UTC


def place(name: str) -> str:
    """The zone as people call it: `Lisbon`."""
    return name.rpartition("/")[2].replace("_", " ")
