"""Tags of the pages about the meditation."""

from datetime import timedelta
from typing import Any

from django import template

from memory.models import MeditationRun
from memory.queries import cohorts
from memory.rules.meditation import Act, RunState, ShardState, Trigger, UndoOutcome
from ops import badges, nights, shows, words
from ops.badges import Badge
from ops.queries.meditations import RunRow
from ops.queries.runacts import UndoRow
from ops.queries.schedules import ScheduleRow

register = template.Library()

TRIGGERS = {Trigger.NIGHTLY: "Nightly,", Trigger.MANUAL: "By hand,", Trigger.BACKFILL: "Backfill"}


@register.filter
def took(length: timedelta) -> str:
    """`4 min 38 s`."""
    return nights.took(length)


@register.filter
def trigger(name: str) -> str:
    """Why a run began, before whom it is of: `Nightly, of all users`."""
    return TRIGGERS[Trigger(name)]


@register.filter
def whom(run: MeditationRun) -> str:
    """`Dana Whitfield`, `all users`, `some users`."""
    return nights.whom(run)


@register.filter
def cohort(run: MeditationRun) -> str:
    """The customers whom a run of some is about, in words."""
    return shows.of_cohort(cohorts.of_kept(run.cohort))


@register.simple_tag
def run_badge(row: RunRow) -> Badge:
    """A run's state; one that says nothing any more is called so."""
    return badges.SILENT if row.is_silent else badges.RUN[RunState(row.run.state)]


@register.simple_tag
def shard_badge(state: str) -> Badge:
    """A shard's state."""
    return badges.SHARD[ShardState(state)]


@register.simple_tag
def act_badge(act: str) -> Badge:
    """What was decided of an item."""
    return badges.ACT[Act(act)]


@register.simple_tag
def schedule_badge(row: ScheduleRow) -> Badge:
    """Whether a job is planned."""
    return badges.SCHEDULE[row.is_on]


@register.simple_tag
def undo_badge(outcome: str) -> Badge:
    """What became of a user in the undo of a run."""
    return badges.UNDO[UndoOutcome(outcome)]


@register.inclusion_tag("ops/parts/meditation_progress.html", takes_context=True)
def progress(context: Any, row: RunRow) -> dict[str, Any]:
    """How far a run is, how fast it goes, and how long it goes on."""
    of = row.progress
    far = {"done": of.users_done, "users": of.users, "heard_at": of.heard_at}
    return {
        **far,
        **_pace(of.users_done, of.users),
        "rate": row.users_per_minute,
        "left": row.left,
        "now": context["now"],
    }


@register.inclusion_tag("ops/parts/meditation_progress.html", takes_context=True)
def undo_progress(context: Any, undo: UndoRow) -> dict[str, Any]:
    """How far the undo of a run is, how fast it goes, and how long it goes on."""
    far = {"done": undo.told, "users": undo.users, "heard_at": undo.undo.heartbeat_at}
    pace = {"rate": undo.users_per_minute, "left": undo.left_over, "now": context["now"]}
    return {**far, **_pace(undo.told, undo.users), **pace}


def _pace(done: int, users: int) -> dict[str, Any]:
    return {"percent": words.percent(done / users if users else 1.0), "most": max(1, users)}
