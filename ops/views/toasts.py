"""What is said after an action: made from the rows as they are, so that a reload or a second sending says the same."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from kimberly.lib import bytesize, clock
from ops import words
from ops.queries.measures import MeasureRow, Sort
from ops.queries.reveals import RevealRow
from ops.queries.users import Profile


@dataclass(frozen=True, slots=True)
class Toast:
    """One sentence, and the way to undo what it tells, unless the page offers that anyway."""

    text: str
    undo_url: str = ""
    undo: str = ""


def of(profile: Profile, done: str, *, now: datetime) -> Toast | None:
    """The toast about the measure or reveal with this id; None when the user has no such one."""
    reveal = next((reveal for reveal in profile.reveals if reveal.public_id == done), None)
    if reveal is not None:
        return _reveal(profile, reveal, now)
    measure = next((measure for measure in profile.measures if measure.public_id == done), None)
    if measure is None:
        return None
    tell = {Sort.THROTTLE: _throttle, Sort.RAISE: _raise}[measure.sort]
    return tell(profile, measure, now)


def _until(measure: MeasureRow, now: datetime) -> str:
    return f"until {clock.time_of_day(measure.ends_at, now)}, {words.relative(measure.ends_at, now)}"


def _throttle(profile: Profile, measure: MeasureRow, now: datetime) -> Toast:
    if not measure.is_in_force:
        url = reverse("ops:throttle", args=[profile.user.public_id])
        return Toast(f"The throttle of {profile.user} has ended: {measure.says}.", url, "Throttle again")
    how = f"{measure.says}" if measure.says.startswith("all") else f"throttled to {measure.says}"
    verb = "has" if measure.says.startswith("all") else "is"
    url = reverse("ops:lift-throttle", args=[measure.public_id])
    return Toast(f"{profile.user} {verb} {how} {_until(measure, now)}.", url, "Lift the throttle")


def _raise(profile: Profile, measure: MeasureRow, now: datetime) -> Toast:
    if measure.is_in_force:
        limit = bytesize.human(measure.hard_bytes or 0)
        url = reverse("ops:end-override", args=[measure.public_id])
        return Toast(f"{profile.user} has {limit} in {measure.tier} {_until(measure, now)}.", url, "End the raise")
    usage = next(usage for tier, usage in profile.tiers.items() if tier is measure.tier)
    text = f"The raise of {measure.tier} has ended. {profile.user} has {bytesize.human(usage.limit_bytes)} there"
    over = f", {bytesize.human(usage.active_bytes)} are used: writes wait for room" if usage.is_over_limit else ""
    return Toast(f"{text}{over}.", reverse("ops:raise-quota", args=[profile.user.public_id]), "Raise again")


def _reveal(profile: Profile, reveal: RevealRow, now: datetime) -> Toast:
    if reveal.is_in_force:
        until = f"until {clock.time_of_day(reveal.ends_at, now)}, {words.relative(reveal.ends_at, now)}"
        # The banner right below has the button that masks it again.
        return Toast(f"Content of {profile.user} shows to {reveal.who} {until}.")
    url = reverse("ops:reveal", args=[profile.user.public_id])
    return Toast(f"Content of {profile.user} is masked to {reveal.who}.", url, "Reveal again")
