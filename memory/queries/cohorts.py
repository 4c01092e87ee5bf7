"""Some of the customers: those of a list of users, and those on whom the nights of a window did not meditate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.errors import Invalid
from kimberly.lib.sql import statement
from memory.queries import standing
from memory.queries.standing import Asked, Show
from memory.rules.tiers import Tier


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which nights may have passed somebody over, from its beginning to before its end."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Those customers of the list who were missed in the window, where one is given. The list's order plays no part."""

    asked: Asked = standing.EVERYBODY
    missed: Window | None = None


EVERYBODY = Cohort()


def window(since: datetime, until: datetime, *, now: datetime, pointer: str = "/") -> Window:
    """The window between these times. Raises Invalid where it lies ahead, or ends before it begins."""
    if since >= now:
        raise Invalid((f"{pointer}missed_since", "must be in the past: nobody was missed yet"))
    if since >= until:
        raise Invalid((f"{pointer}missed_until", "must be after the beginning of the window"))
    return Window(since, until)


def user_ids(cohort: Cohort, *, now: datetime) -> list[UUID]:
    """Whom the cohort holds now, sorted."""
    listed = standing.ids(cohort.asked, now=now)
    if cohort.missed is None:
        return listed
    window = {"since": cohort.missed.since, "until": cohort.missed.until}
    missed = {row[0] for row in statements.fetch_all(statement(__file__, "users_missed"), window)}
    return [user_id for user_id in listed if user_id in missed]


def kept(cohort: Cohort) -> dict[str, str]:
    """The cohort as it is kept with what is done with it: names and values, without what is not asked."""
    asked, missed = cohort.asked, cohort.missed
    values = {
        "show": asked.show,
        "tier": asked.tier,
        "beginning": asked.beginning,
        "since": missed.since.isoformat() if missed else None,
        "until": missed.until.isoformat() if missed else None,
    }
    return {name: str(value) for name, value in values.items() if value}


def of_kept(values: Mapping[str, Any]) -> Cohort:
    """The cohort that was kept so."""
    show, tier = values.get("show"), values.get("tier")
    asked = Asked(
        show=Show(show) if show else None, tier=Tier(tier) if tier else None, beginning=values.get("beginning", "")
    )
    if "since" not in values:
        return Cohort(asked=asked)
    since, until = (datetime.fromisoformat(values[name]) for name in ("since", "until"))
    return Cohort(asked=asked, missed=Window(since, until))
