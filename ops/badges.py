"""States as people see them: a tone, an icon and a word, never a colour alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from memory.queries.usage import TierUsage
from memory.rules.limits import LimitSource
from memory.rules.meditation import Act, RunState, ShardState, UndoOutcome
from memory.rules.plancohorts import Became, CohortState
from memory.rules.plans import ItemOutcome, PlanState
from memory.rules.tiers import ItemState, UserState
from ops import words

NEARLY_FULL = 0.95  # of the hard limit: where the bars turn red as well


@dataclass(frozen=True, slots=True)
class Badge:
    """One word about a state, with its tone and icon."""

    tone: str
    icon: str
    text: str


USER = {
    UserState.ACTIVE: Badge("ok", "ok", "Active"),
    UserState.SUSPENDED: Badge("bad", "lock", "Suspended"),
    UserState.ERASING: Badge("ask", "wait", "Being erased"),
    UserState.ERASED: Badge("mute", "skip", "Erased"),
}
ITEM = {
    ItemState.ACTIVE: Badge("ok", "ok", "Active"),
    ItemState.ARCHIVED: Badge("mute", "skip", "Archived"),
    ItemState.PURGED: Badge("mute", "close", "Purged"),
}
RUN = {
    RunState.QUEUED: Badge("mute", "wait", "Queued"),
    RunState.RUNNING: Badge("info", "running", "Running"),
    RunState.HELD: Badge("ask", "wait", "Held"),
    RunState.SUCCEEDED: Badge("ok", "ok", "Succeeded"),
    RunState.FAILED: Badge("bad", "bad", "Failed"),
    RunState.ABORTED: Badge("mute", "skip", "Aborted"),
}
SILENT = Badge("bad", "bad", "No sign of life")
SHARD = {
    ShardState.QUEUED: Badge("mute", "wait", "Queued"),
    ShardState.RUNNING: Badge("info", "running", "Running"),
    ShardState.SUCCEEDED: Badge("ok", "ok", "Done"),
    ShardState.FAILED: Badge("bad", "bad", "Failed"),
}
SCHEDULE = {True: Badge("ok", "ok", "On"), False: Badge("warn", "skip", "Switched off")}
UNDO = {
    UndoOutcome.UNDONE: Badge("ok", "ok", "Undone"),
    UndoOutcome.PARTLY: Badge("warn", "warn", "Partly undone"),
    UndoOutcome.LEFT: Badge("mute", "skip", "Left as they are"),
    UndoOutcome.REFUSED: Badge("bad", "bad", "Refused"),
}
COHORT = {
    CohortState.PLANNING: Badge("info", "running", "Planning"),
    CohortState.FROZEN: Badge("ask", "wait", "Waits to be applied"),
    CohortState.APPLYING: Badge("info", "running", "Being applied"),
    CohortState.APPLIED: Badge("ok", "ok", "Applied"),
    CohortState.UNDOING: Badge("info", "running", "Being undone"),
    CohortState.UNDONE: Badge("mute", "undo", "Undone"),
    CohortState.STOPPED: Badge("warn", "skip", "Stopped"),
}
BECAME = {
    Became.WAITING: Badge("mute", "wait", "Waiting"),
    Became.PLANNED: Badge("ask", "wait", "Planned"),
    Became.NOTHING: Badge("mute", "skip", "Nothing to archive"),
    Became.APPLIED: Badge("ok", "ok", "Applied"),
    Became.PARTLY: Badge("warn", "warn", "Partly applied"),
    Became.UNDONE: Badge("ok", "undo", "Undone"),
    Became.REFUSED: Badge("bad", "bad", "Refused"),
}
PLAN = {
    PlanState.FROZEN: Badge("ask", "wait", "Waits to be applied"),
    PlanState.APPLIED: Badge("ok", "ok", "Applied"),
    PlanState.UNDONE: Badge("mute", "undo", "Undone"),
    PlanState.STALE: Badge("warn", "warn", "Stale"),
}
PLANNED = {
    ItemOutcome.ARCHIVED: ITEM[ItemState.ARCHIVED],
    ItemOutcome.CHANGED: Badge("warn", "skip", "Left: changed since"),
    ItemOutcome.PROTECTED: Badge("warn", "lock", "Left: protected since"),
    ItemOutcome.AWAY: Badge("warn", "skip", "Left: archived before"),
    ItemOutcome.GONE: Badge("warn", "close", "Left: gone for good before"),
}
ACT = {
    Act.PROMOTED: Badge("ok", "ok", "Promoted"),
    Act.ARCHIVED: ITEM[ItemState.ARCHIVED],
    Act.PURGED: ITEM[ItemState.PURGED],
}


def of_user(state: str, tiers: Iterable[TierUsage], *, throttled_until: datetime | None, now: datetime) -> list[Badge]:
    """The user's state first, then what is unusual."""
    badges = [USER[UserState(state)]]
    if throttled_until is not None:
        badges.append(Badge("warn", "action", f"Throttled, {words.span(throttled_until - now)} left"))
    for tier in tiers:
        badges += _of_tier(tier, now)
    return badges


def _of_tier(tier: TierUsage, now: datetime) -> list[Badge]:
    name = tier.tier.label
    badges = []
    if tier.is_over_limit:
        badges.append(Badge("bad", "bad", f"{name} over hard"))
    elif tier.share >= NEARLY_FULL:
        badges.append(Badge("bad", "bad", f"{name} {words.percent(tier.share)} full"))
    elif tier.is_over_soft:
        badges.append(Badge("warn", "warn", f"{name} over soft"))
    if tier.limit_source is LimitSource.OVERRIDE and tier.override_ends_at is not None:
        left = words.span(tier.override_ends_at - now)
        badges.append(Badge("info", "action", f"{name} raised, {left} left"))
    return badges
