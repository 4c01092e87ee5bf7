"""What is said after an action: made from the rows as they are, so that a reload or a second sending says the same."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from kimberly.lib import bytesize, clock, ids
from memory.models import MeditationRun
from ops import roles, words
from ops.queries import acts, meditations
from ops.queries.acts import ActRow
from ops.queries.measures import MeasureRow, Sort
from ops.queries.reveals import RevealRow
from ops.queries.users import Profile
from ops.views.itemforms import UndoForm


@dataclass(frozen=True, slots=True)
class Toast:
    """One sentence, and what may come next: an undo that is sent from here, or a page to go to."""

    text: str
    link_url: str = ""
    link: str = ""
    undo_url: str = ""
    undo_form: UndoForm | None = None


def of(profile: Profile, done: str, *, staff: Any, now: datetime) -> Toast | None:
    """The toast about the act, measure or reveal with this id; None when the user has no such one."""
    reveal = next((reveal for reveal in profile.reveals if reveal.public_id == done), None)
    if reveal is not None:
        return _reveal(profile, reveal, now)
    run_id = ids.decode(ids.Prefix.RUN, done) if done.startswith(ids.Prefix.RUN) else None
    run = meditations.begun(run_id, profile.user.pk) if run_id else None
    if run is not None:
        return _meditation(run)
    measure = next((measure for measure in profile.measures if measure.public_id == done), None)
    if measure is None:
        act_id = _uuid(done)
        act = acts.told(act_id, profile.user.pk, now=now) if act_id else None
        return _act(profile, act, staff, now) if act else None
    toast = TOLD[measure.sort](profile, measure, now)
    if not measure.is_in_force:
        return toast
    set_by = acts.of_measure(profile.user.pk, measure.id, now=now)
    return _with_undo(toast, set_by, staff) if set_by else toast


def _meditation(run: MeditationRun) -> Toast:
    """The run's own page says how it goes."""
    url = reverse("ops:meditation-run", args=[run.public_id])
    return Toast(f"A meditation of {run.user} was begun.", url, "See the run")


def _act(profile: Profile, act: ActRow, staff: Any, now: datetime) -> Toast:
    """What was done, or that it was taken back."""
    if not act.undone_by:
        return _with_undo(Toast(f"{act.what}."), act, staff)
    made = act.after.get("throttle") or act.after.get("override")
    measure = next((measure for measure in profile.measures if str(measure.id) == made), None)
    if measure is not None:
        return TOLD[measure.sort](profile, measure, now)
    return Toast(f"Undone: {act.what[:1].lower()}{act.what[1:]}.")


def _with_undo(toast: Toast, act: ActRow, staff: Any) -> Toast:
    """With the way back, for who may take it and while nobody has."""
    action = acts.UNDOABLE.get(act.action)
    if action is None or not act.can_be_undone or act.undone_by or roles.why_not(staff, action) is not None:
        return toast
    return replace(toast, undo_url=reverse("ops:undo", args=[act.id]), undo_form=UndoForm(name=f"undo-{act.id}"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _until(measure: MeasureRow, now: datetime) -> str:
    return f"until {clock.time_of_day(measure.ends_at, now)}, {words.relative(measure.ends_at, now)}"


def _throttle(profile: Profile, measure: MeasureRow, now: datetime) -> Toast:
    if not measure.is_in_force:
        url = reverse("ops:throttle", args=[profile.user.public_id])
        return Toast(f"The throttle of {profile.user} has ended: {measure.says}.", url, "Throttle again")
    how = f"{measure.says}" if measure.says.startswith("all") else f"throttled to {measure.says}"
    verb = "has" if measure.says.startswith("all") else "is"
    return Toast(f"{profile.user} {verb} {how} {_until(measure, now)}.")


def _raise(profile: Profile, measure: MeasureRow, now: datetime) -> Toast:
    if measure.is_in_force:
        limit = bytesize.human(measure.hard_bytes or 0)
        return Toast(f"{profile.user} has {limit} in {measure.tier} {_until(measure, now)}.")
    usage = next(usage for tier, usage in profile.tiers.items() if tier is measure.tier)
    text = f"The raise of {measure.tier} has ended. {profile.user} has {bytesize.human(usage.limit_bytes)} there"
    over = f", {bytesize.human(usage.active_bytes)} are used: writes wait for room" if usage.is_over_limit else ""
    return Toast(f"{text}{over}.", reverse("ops:raise-quota", args=[profile.user.public_id]), "Raise again")


TOLD = {Sort.THROTTLE: _throttle, Sort.RAISE: _raise}


def _reveal(profile: Profile, reveal: RevealRow, now: datetime) -> Toast:
    if reveal.is_in_force:
        until = f"until {clock.time_of_day(reveal.ends_at, now)}, {words.relative(reveal.ends_at, now)}"
        # The banner right below has the button that masks it again.
        return Toast(f"Content of {profile.user} shows to {reveal.who} {until}.")
    url = reverse("ops:reveal", args=[profile.user.public_id])
    return Toast(f"Content of {profile.user} is masked to {reveal.who}.", url, "Reveal again")
