"""What an audit entry says in words: one sentence, with a tone and an icon, and what it was measured against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize, clock, ids
from memory.rules import selections
from memory.rules.brakes import Held
from memory.rules.limits import LimitSource
from memory.rules.plans import ItemOutcome
from memory.rules.selections import Skip
from ops import cohorttelling, words
from ops.models import LONGEST_REVEAL

Facts = Mapping[str, Any]
HELD_BY = {
    str(Held.SPIKE): "it archived far more of what it scored than the last nights did",
    str(Held.RUN_CAP): "it has brought tiers down by as much as one run may",
}
MEASURED = ("items.deleted", "items.restored", "meditation.undone", "plan.applied", "plan.undone")
"""Acts that free or take room: why they were done shows in what was used of which limit."""


@dataclass(frozen=True, slots=True)
class Told:
    """An act in words. `because` are facts of that time: names and values."""

    what: str
    tone: str
    icon: str
    because: tuple[tuple[str, str], ...] = ()


def tell(entry: AuditEntry, now: datetime) -> Told:
    """The entry in words; one whose action is new here is told by its name."""
    tone, icon, say = TOLD.get(entry.action, ("mute", "instruction", None))
    what = say(entry.before, entry.after, now) if say else entry.action
    if "undoes" in entry.after:
        what, icon = f"Undo: {what[:1].lower()}{what[1:]}", "undo"
    because = tuple(_measured(entry.before)) if entry.action in MEASURED else ()
    return Told(what, tone, icon, because)


def _registered(before: Facts, after: Facts, now: datetime) -> str:
    return f"Registered on the {after.get('plan', 'default')} plan"


def _changed(before: Facts, after: Facts, now: datetime) -> str:
    if before.get("plan") != after.get("plan"):
        return f"Moved from the {before.get('plan')} plan to the {after.get('plan')} plan"
    fields = ", ".join(str(name).replace("_", " ") for name in after.get("fields", ()))
    return f"Changed: {fields}" if fields else "Changed"


def _suspended(before: Facts, after: Facts, now: datetime) -> str:
    return "Suspended: no writes and no queries"


def _resumed(before: Facts, after: Facts, now: datetime) -> str:
    return "Resumed: writes and queries go on"


def _raised(before: Facts, after: Facts, now: datetime) -> str:
    was = bytesize.human(int(before.get("limit_bytes", 0)))
    size = bytesize.human(int(after.get("hard_bytes", 0)))
    if "replaces" in after:
        return f"Replaced the raise of {after.get('tier')} to {was} by one to {size}{_until(after, now)}"
    return f"Raised {after.get('tier')} from {was} to {size}{_until(after, now)}"


def _raise_ended(before: Facts, after: Facts, now: datetime) -> str:
    return f"Ended the raise of {after.get('tier')} to {bytesize.human(int(before.get('hard_bytes', 0)))}"


def _throttled(before: Facts, after: Facts, now: datetime) -> str:
    says = words.brake(after.get("scope", "all"), after.get("per_minute"))
    how = f"Throttled: {says}" if after.get("per_minute") is None else f"Throttled to {says}"
    return f"{how}{_until(after, now)}"


def _lifted(before: Facts, after: Facts, now: datetime) -> str:
    return f"Lifted the throttle: {words.brake(after.get('scope', 'all'), before.get('per_minute'))}"


def _revealed(before: Facts, after: Facts, now: datetime) -> str:
    return f"Revealed content to themselves for {words.span(LONGEST_REVEAL)}"


def _masked(before: Facts, after: Facts, now: datetime) -> str:
    return "Masked content again"


def _goals_removed(before: Facts, after: Facts, now: datetime) -> str:
    return f"Forgot {words.counted(after['goals'], 'goal')}"


def _protected(before: Facts, after: Facts, now: datetime) -> str:
    return f"Protected {_items(after)}{_skipped(after)}"


def _unprotected(before: Facts, after: Facts, now: datetime) -> str:
    return f"Unprotected {_items(after)}{_skipped(after)}"


def _deleted(before: Facts, after: Facts, now: datetime) -> str:
    return f"Deleted {_items(after)}, to the archive{_pushed_out(after)}{_skipped(after)}"


def _restored(before: Facts, after: Facts, now: datetime) -> str:
    return f"Restored {_items(after)} from the archive{_skipped(after)}"


def _one_deleted(before: Facts, after: Facts, now: datetime) -> str:
    return f"Deleted an item, {_item(after)}, to the archive{_pushed_out(after)}"


def _one_restored(before: Facts, after: Facts, now: datetime) -> str:
    return f"Restored an item, {_item(after)}, from the archive"


def _one_purged(before: Facts, after: Facts, now: datetime) -> str:
    return f"Erased an item for good, {_item(after)}"


def _meditation_undone(before: Facts, after: Facts, now: datetime) -> str:
    if "undo" in after:
        return f"The undo of the meditation ended: {_reached(after)}"
    run = f"{ids.Prefix.RUN}_{str(after.get('run', '')).replace('-', '')}"
    return f"Undid what the meditation {run} decided: {_items(after)}{_skipped(after)}"


def _run_begun(before: Facts, after: Facts, now: datetime) -> str:
    return f"Began a meditation of {words.counted(int(after.get('shards', 0)), 'shard')}"


def _run_held(before: Facts, after: Facts, now: datetime) -> str:
    return f"The meditation is held: {HELD_BY.get(str(after.get('reason')), 'it waits for an operator')}"


def _run_ended(before: Facts, after: Facts, now: datetime) -> str:
    error = f", {after['error']}" if after.get("error") else ""
    return f"The meditation ended: {after.get('state')}{error}"


def _undo_begun(before: Facts, after: Facts, now: datetime) -> str:
    return f"Began to undo the meditation, of {words.counted(int(after.get('users', 0)), 'user')}"


def _undo_stopped(before: Facts, after: Facts, now: datetime) -> str:
    return f"Stopped the undo of the meditation: {_reached(after)}"


def _reached(after: Facts) -> str:
    """What became of the users of a run: `18 users undone, 1 left as they are, 2 refused`."""
    users = words.counted(int(after.get("users", 0)), "user")
    return f"{users} undone, {int(after.get('left', 0)):,} left as they are, {int(after.get('refused', 0)):,} refused"


def _plan_made(before: Facts, after: Facts, now: datetime) -> str:
    missing = int(after.get("shortfall_bytes", 0))
    short = f"; {bytesize.human(missing)} are missing to the target" if missing else ""
    items, size = words.counted(int(after.get("number", 0)), "item"), bytesize.human(int(after.get("size_bytes", 0)))
    return f"Planned a prune of {words.listed(after.get('tiers', ()))}: {items}, {size}{short}"


def _plan_applied(before: Facts, after: Facts, now: datetime) -> str:
    left = {ItemOutcome(name): int(number) for name, number in sorted(after.get("skipped", {}).items())}
    says = ", ".join(f"{number:,} {outcome.says}" for outcome, number in left.items())
    return f"Applied a prune plan: archived {_items(after)}{f'. Left as they were: {says}' if says else ''}"


def _plan_undone(before: Facts, after: Facts, now: datetime) -> str:
    return f"Undid a prune plan: {_items(after)}, are back"


def _note_added(before: Facts, after: Facts, now: datetime) -> str:
    return "Wrote a note"


def _note_changed(before: Facts, after: Facts, now: datetime) -> str:
    return "Changed a note"


def _note_removed(before: Facts, after: Facts, now: datetime) -> str:
    return "Removed a note"


def _reconciled(before: Facts, after: Facts, now: datetime) -> str:
    return f"Mended the counters of {', '.join(after)}: they were not the sum of the items"


def _items(after: Facts) -> str:
    tiers = words.listed(after.get("tiers", ()))
    size = bytesize.human(int(after.get("size_bytes", 0)))
    return f"{words.counted(int(after.get('number', 0)), 'item')}{f' of {tiers}' if tiers else ''}, {size}"


def _item(after: Facts) -> str:
    return f"{bytesize.human(int(after.get('size_bytes', 0)))} of {after.get('tier', 'a tier')}"


def _pushed_out(after: Facts) -> str:
    number = int(after.get("purged_items", 0))
    return f"; {words.counted(number, 'archived item')} went for good, the archive was full" if number else ""


def _skipped(after: Facts) -> str:
    skipped = {Skip(name): int(number) for name, number in after.get("skipped", {}).items()}
    return f". Left as they were: {selections.told(skipped)}" if skipped else ""


def _until(after: Facts, now: datetime) -> str:
    """The end that was planned; entries of long ago may have none."""
    ends_at = after.get("ends_at")
    return f" until {clock.time_of_day(datetime.fromisoformat(ends_at).astimezone(UTC), now)}" if ends_at else ""


def _measured(before: Facts) -> list[tuple[str, str]]:
    """Each tier as it was before: what was used, of which limit, from where."""
    return [
        (f"{tier.capitalize()} before", _used_of(was)) for tier, was in sorted(before.items()) if isinstance(was, dict)
    ]


def _used_of(was: Facts) -> str:
    used, limit = bytesize.human(was["used_bytes"]), bytesize.human(was["limit_bytes"])
    return f"{used} of {limit}, {limit_from(was['limit_source'], was['limit_source_id'])}"


def limit_from(source: str, source_id: str) -> str:
    """Where a limit came from: `from the free plan`, `from the raise ovr_…`."""
    if source == LimitSource.OVERRIDE:
        return f"from the raise {ids.Prefix.OVERRIDE}_{source_id.replace('-', '')}"
    return f"from the {source_id} plan"


Saying = tuple[str, str, Callable[[Facts, Facts, datetime], str]]


def _plain(tone: str, icon: str, sentence: str) -> Saying:
    """An act that is always told alike."""
    return tone, icon, lambda _before, _after, _now: sentence


def _about_accounts(sentence: str) -> Saying:
    return _plain("mute", "person", sentence)


TOLD: dict[str, Saying] = {
    "user.registered": ("mute", "person", _registered),
    "user.changed": ("mute", "instruction", _changed),
    "user.suspended": ("bad", "lock", _suspended),
    "user.resumed": ("ok", "play", _resumed),
    "quota.raised": ("info", "action", _raised),
    "quota.override_ended": ("mute", "undo", _raise_ended),
    "throttle.set": ("warn", "action", _throttled),
    "throttle.lifted": ("mute", "undo", _lifted),
    "goals.removed": ("mute", "instruction", _goals_removed),
    "content.revealed": ("warn", "eye", _revealed),
    "content.masked": ("mute", "lock", _masked),
    "items.protected": ("ok", "lock", _protected),
    "items.unprotected": ("mute", "lock", _unprotected),
    "items.deleted": ("warn", "skip", _deleted),
    "items.restored": ("ok", "undo", _restored),
    "item.deleted": ("mute", "skip", _one_deleted),
    "item.restored": ("mute", "undo", _one_restored),
    "item.purged": ("mute", "close", _one_purged),
    "meditation.undone": ("ok", "undo", _meditation_undone),
    "meditation.begun": ("info", "running", _run_begun),
    "meditation.held": ("ask", "wait", _run_held),
    "meditation.approved": _plain("warn", "play", "Let the meditation go on, without brakes but the daily cap"),
    "meditation.aborted": _plain("warn", "skip", "Aborted the meditation; what was done stays done"),
    "meditation.retried": _plain("info", "running", "Let the failed shards of the meditation be done again"),
    "meditation.ended": ("mute", "check", _run_ended),
    "meditation.undo_begun": ("warn", "undo", _undo_begun),
    "meditation.undo_stopped": ("warn", "skip", _undo_stopped),
    **cohorttelling.TOLD,
    "plan.made": ("ask", "wait", _plan_made),
    "plan.applied": ("warn", "skip", _plan_applied),
    "plan.undone": ("ok", "undo", _plan_undone),
    "note.added": ("info", "communication", _note_added),
    "note.changed": ("info", "communication", _note_changed),
    "note.removed": ("mute", "communication", _note_removed),
    "usage.reconciled": ("warn", "check", _reconciled),
    "staff.made": _about_accounts("Made an account of staff"),
    "staff.changed": _about_accounts("Changed an account of staff"),
    "staff.password_changed": _about_accounts("Changed a password of staff"),
    "staff.second_factor_set": _about_accounts("Set up a second factor"),
    "staff.second_factor_removed": _about_accounts("Removed a second factor"),
    "staff.recovery_codes_made": _about_accounts("Made new recovery codes"),
    "staff.recovery_code_used": _about_accounts("Signed in with a recovery code"),
    "staff.sessions_ended": _about_accounts("Ended sessions of staff"),
    "staff.locked": _about_accounts("Locked after wrong tries"),
    "staff.unlocked": _about_accounts("Unlocked a sign-in"),
}
