"""A prune plan in one sentence, each tier before and after it, and the stages that it goes through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from kimberly.lib import bytesize, clock
from memory.queries.usage import TierUsage
from memory.rules.plans import PlanState
from memory.rules.tiers import TIERS_SHOWN, Tier
from ops import words
from ops.nights import Verdict
from ops.queries.prunes import PlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """One tier as it was when the plan was made, and as the plan leaves it. `now_bytes` is what is used at this moment;
    None where nobody knows any more."""

    tier: Tier
    limit_bytes: int
    soft_bytes: int
    before_bytes: int
    before_items: int
    goes_bytes: int
    goes_items: int
    protected_items: int
    protected_bytes: int
    now_bytes: int | None

    @property
    def after_bytes(self) -> int:
        return self.before_bytes - self.goes_bytes

    @property
    def after_items(self) -> int:
        return self.before_items - self.goes_items

    @property
    def stays_above_soft(self) -> bool:
        return self.soft_bytes < self.after_bytes


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a plan; `is_here` where it stands."""

    tone: str
    icon: str
    name: str
    told: str
    is_here: bool = False


def verdict(row: PlanRow, still: tuple[int, int] | None = None) -> Verdict:
    """How the plan stands; `still` is how many items and bytes of it would go now, where somebody has looked."""
    if row.state is PlanState.FROZEN:
        return _frozen(row, still or (row.plan.items_total, row.plan.bytes_total))
    return SAYS[row.state](row)


def scope(row: PlanRow) -> str:
    """`short-term and long-term`."""
    return words.listed([str(tier) for tier in row.tiers])


def target(row: PlanRow) -> str:
    """`25 % of what is active there, 12.3 KiB`, `12.3 KiB`."""
    size = bytesize.human(row.plan.target_bytes)
    if row.plan.target_share is None:
        return size
    return f"{row.plan.target_share:.4%}".rstrip("%").rstrip("0").rstrip(".") + f" % of what was active there, {size}"


def cap(row: PlanRow) -> tuple[str, str]:
    """How it compares with what a meditation may do there: `1.3 times`, and of what."""
    times = row.times_cap
    if times is None:
        return "No cap", "a meditation may archive nothing there"
    return _times(times), f"the {bytesize.human(row.plan.cap_bytes)} that a meditation may archive there in a day"


def shortfall(row: PlanRow) -> str:
    """What is missing to the target; empty where nothing is."""
    if not row.plan.shortfall_bytes:
        return ""
    missing = bytesize.human(row.plan.shortfall_bytes)
    return f"{missing} are missing to the target: all else there is protected, or there is no more."


def changes(row: PlanRow, used: dict[Tier, TierUsage]) -> list[TierChange]:
    """Each tier that it reaches, in the order in which people read them."""
    return [_change(tier, row.plan.facts[tier], used.get(tier)) for tier in TIERS_SHOWN if tier in row.plan.facts]


def stages(row: PlanRow, *, grace: timedelta | None, is_hindered: bool = False) -> list[Stage]:
    """From the list to the end of the grace. `grace` is the shortest of its tiers; None where nobody knows it.
    `is_hindered`: something stands against undoing it just now.
    """
    return list(_stages(row, grace, is_hindered))


def looked_again(items: int, left: str) -> str:
    """How a frozen list stands now: `items` would go, `left` says what would not."""
    if not left:
        return f"Looked at again just now: none of the {words.counted(items, 'item')} has changed." if items else ""
    return f"Looked at again just now: {left}, and left as they are if it is applied now."


def left(row: PlanRow) -> str:
    """`Left as they were: 2 changed since.`; empty where all of it went."""
    return f"Left as they were: {row.skipped_says}." if row.skipped else ""


def _change(tier: Tier, facts: dict[str, int], now: TierUsage | None) -> TierChange:
    limit_bytes = facts["limit_bytes"]
    return TierChange(
        tier=tier,
        limit_bytes=limit_bytes,
        soft_bytes=now.soft_bytes if now else limit_bytes,
        before_bytes=facts["used_bytes"],
        before_items=facts["used_items"],
        goes_bytes=facts["goes_bytes"],
        goes_items=facts["goes_items"],
        protected_items=facts["protected_items"],
        protected_bytes=facts["protected_bytes"],
        now_bytes=now.active_bytes if now else None,
    )


def _frozen(row: PlanRow, still: tuple[int, int]) -> Verdict:
    plan, (items, size_bytes) = row.plan, still
    if not plan.items_total:
        return Verdict("warn", "warn", "There is nothing that may go", [*filter(None, [shortfall(row)])])
    until = f"It can be applied until {clock.time_of_day(plan.stale_at, row.now)}"
    told = [f"{until}, {words.relative(plan.stale_at, row.now)}; until then nothing happens.", shortfall(row)]
    tone = "warn" if plan.shortfall_bytes else "ask"
    number = words.counted(items, "item") if items == plan.items_total else f"{items:,} of {plan.items_total:,} items"
    goes = f"{number}, {bytesize.human(size_bytes)}, would be archived"
    return Verdict(tone, "wait", goes, [*filter(None, told)])


def _stale(row: PlanRow) -> Verdict:
    since = words.relative(row.plan.stale_at, row.now)
    more = "It was never applied, and nothing was archived. A new plan goes by the scores of now."
    return Verdict("warn", "warn", f"Too old to be applied: it grew stale {since}", [more])


def _applied(row: PlanRow) -> Verdict:
    plan = row.plan
    items, size = words.counted(plan.archived_items or 0, "item"), bytesize.human(plan.archived_bytes or 0)
    when = words.relative(plan.applied_at or row.now, row.now)
    of = f" of {plan.items_total:,}" if row.skipped else ""
    text = f"{items}{of} archived, {size} freed, {when} by {row.applied_by}"
    return Verdict("warn" if row.skipped else "ok", "ok", text, [*filter(None, [left(row)])])


def _undone(row: PlanRow) -> Verdict:
    plan = row.plan
    items, size = words.counted(plan.restored_items or 0, "item"), bytesize.human(plan.restored_bytes or 0)
    when = words.relative(plan.undone_at or row.now, row.now)
    applied = words.relative(plan.applied_at or row.now, row.now)
    archived = words.counted(plan.archived_items or 0, "item")
    before = f"{row.applied_by} applied it {applied}: {archived} went. {left(row)}".strip()
    return Verdict("mute", "undo", f"Undone {when} by {row.undone_by}: {items} back, {size}", [before])


SAYS: dict[PlanState, Callable[[PlanRow], Verdict]] = {
    PlanState.STALE: _stale,
    PlanState.APPLIED: _applied,
    PlanState.UNDONE: _undone,
}


def _stages(row: PlanRow, grace: timedelta | None, is_hindered: bool) -> Iterator[Stage]:
    plan, now, is_frozen = row.plan, row.now, row.state is PlanState.FROZEN
    yield Stage("ok", "ok", "Frozen", f"{clock.time_of_day(plan.created_at, now)}, {plan.list_sha256[:8]}…")
    if row.state is PlanState.STALE:
        yield Stage("warn", "warn", "Stale", f"since {clock.time_of_day(plan.stale_at, now)}", is_here=True)
        return
    if not plan.items_total:
        yield Stage("mute", "close", "Nothing to apply", "nothing that may go was found", is_here=True)
        return
    if plan.applied_at is None:
        exactly = f"exactly these {words.counted(plan.items_total, 'item')}"
        yield Stage("ask", "wait", "Applied", f"{exactly}, by a lead", is_here=is_frozen)
    else:
        number = words.counted(plan.archived_items or 0, "item")
        yield Stage("ok", "ok", "Applied", f"{clock.time_of_day(plan.applied_at, now)}, {number}")
    if plan.undone_at is not None:
        yield Stage("mute", "undo", "Undone", clock.time_of_day(plan.undone_at, now), is_here=True)
        return
    days = f"{grace.days} days" if grace else "its grace"
    ends_at = plan.applied_at + grace if plan.applied_at and grace else None
    can = f"until {clock.time_of_day(ends_at, now)}" if ends_at else f"for {days}, while there is room"
    is_over = ends_at is not None and now >= ends_at
    is_here = plan.applied_at is not None and not is_over
    if is_here and is_hindered:
        yield Stage("warn", "warn", "Cannot be undone now", "for what is said above", is_here)
    else:
        yield Stage("ok" if is_here else "mute", "undo" if is_here else "pending", "Can be undone", can, is_here)
    told = f"not before {clock.time_of_day(ends_at, now)}" if ends_at else f"{days} after it is applied"
    yield Stage("mute", "close" if is_over else "pending", "Purged", told, is_here=is_over)


def _times(times: float) -> str:
    if 0 < times < 0.05:
        return "Less than 0.1 times"
    return f"{times:,.1f} times" if times < 100 else f"{times:,.0f} times"
