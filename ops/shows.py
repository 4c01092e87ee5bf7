"""The lists of users that one may ask for, in words."""

from dataclasses import dataclass
from datetime import datetime

from kimberly.lib import clock
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked, Show


@dataclass(frozen=True, slots=True)
class Shown:
    """One list: the word on its chip, what it holds, and what it means that it is empty."""

    label: str
    about: str
    nobody: str
    by_tier: bool = False


ALL = {
    Show.ATTENTION: Shown(
        "Needs attention",
        "Over hard, refused today, throttled or suspended.",
        "Nobody is over hard, throttled or suspended, and nobody was refused today.",
    ),
    Show.OVER_HARD: Shown(
        "Over hard",
        "More is used than the limit in force: nothing is lost, writes wait for room.",
        "Everybody is within the limit in force. Who is above one, after a raise ended, stands here.",
        by_tier=True,
    ),
    Show.OVER_SOFT: Shown(
        "Over soft",
        "Writes succeed; what is least useful is archived first.",
        "Everybody is below the soft limit.",
        by_tier=True,
    ),
    Show.REFUSED: Shown(
        "Refused today",
        "A call was refused since midnight UTC.",
        "No call was refused since midnight UTC.",
    ),
    Show.THROTTLED: Shown(
        "Throttled",
        "Under a throttle that holds now.",
        "No user is throttled. When someone is, you find here who did it, why, and when it ends.",
    ),
    Show.RAISED: Shown(
        "Raised",
        "A tier has another limit than the plan's, for a time.",
        "Everybody has the limits of their plan. A raise that holds shows here until it ends.",
        by_tier=True,
    ),
    Show.SUSPENDED: Shown(
        "Suspended",
        "No writes and no queries.",
        "Nobody is suspended.",
    ),
}


def of_cohort(cohort: Cohort) -> str:
    """Those customers in words: `those over soft in long-term`, `all customers, missed since …`."""
    asked, missed = cohort.asked, cohort.missed
    named = f"those on the list “{ALL[asked.show].label}”" if asked.show else "the customers"
    parts = [f"{named} in {asked.tier}" if asked.tier else named]
    if asked.beginning:
        parts.append(f"whose ids or names begin with {asked.beginning}")
    if missed:
        parts.append(f"missed from {_moment(missed.since)} until {_moment(missed.until)}")
    return ", ".join(parts)


def _moment(at: datetime) -> str:
    return f"{clock.as_read(at):%Y-%m-%d %H:%M} {clock.zone_name(at)}"


def title(asked: Asked) -> str:
    """The page's title: the list, and what was typed."""
    name = f"Users: {ALL[asked.show].label.lower()}" if asked.show else "Users"
    return f"{name} that begin with {asked.beginning}" if asked.beginning else name
