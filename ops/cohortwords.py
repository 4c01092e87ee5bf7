"""The plans of a cohort in one sentence: what they would do, how far they are, and what they did."""

from collections.abc import Callable, Iterator

from kimberly.lib import bytesize, clock
from memory.models import PlanCohort
from memory.queries import cohorts
from memory.rules import plans as rules
from memory.rules.plancohorts import CohortState
from memory.rules.tiers import Tier
from ops import shows, words
from ops.nights import Verdict
from ops.queries.plancohorts import CohortRow

NO_BREAK = "\N{NO-BREAK SPACE}"
DOING = {
    CohortState.PLANNING: "Plans are being made",
    CohortState.APPLYING: "The plans are being applied",
    CohortState.UNDOING: "The plans are being undone",
}


def verdict(row: CohortRow) -> Verdict:
    """The whole in one sentence, and what else there is to know."""
    if row.is_working:
        return _working(row)
    return _SAYS[CohortState(row.cohort.state)](row)


def whom(cohort: PlanCohort) -> str:
    """`those on the list “Over soft” in long-term`: who was asked for."""
    return shows.of_cohort(cohorts.of_kept(cohort.cohort))


def target(cohort: PlanCohort) -> str:
    """`25 % of what is active in long-term`, `500 KiB of short-term and long-term`: what each plan is to free."""
    return f"{amount(cohort)} {of_what(cohort)}"


def amount(cohort: PlanCohort) -> str:
    """`25 %`, `500 KiB`."""
    if cohort.target_share is not None:
        return f"{cohort.target_share * 100:.3g}{NO_BREAK}%"
    return bytesize.human(cohort.target_bytes or 0)


def of_what(cohort: PlanCohort) -> str:
    """`of what is active in long-term`, `of short-term and long-term`."""
    scope = words.listed([str(tier) for tier in rules.scope(Tier(cohort.tier) if cohort.tier else None)])
    return f"of what is active in {scope}" if cohort.target_share is not None else f"of {scope}"


def _working(row: CohortRow) -> Verdict:
    of, doing = row.of, DOING[row.cohort.phase]
    far = f"{of.told:,} of {words.counted(of.reaches, 'user')}"
    if row.is_silent:
        heard = words.relative(row.cohort.heartbeat_at or row.cohort.begun_at, row.now)
        why = f"The last sign of life came {heard}. The watch asks a worker to go on each minute."
        return Verdict("bad", "bad", f"Nobody goes on with it: {far}", [why])
    left = f", about {words.span(row.left_over)} left" if row.left_over is not None else ""
    more = ["Nothing is archived yet."] if row.cohort.phase is CohortState.PLANNING else []
    return Verdict("info", "running", f"{doing}: {far}{left}", [*more, *_failures(row)])


def _frozen(row: CohortRow) -> Verdict:
    of = row.of
    if row.is_stale:
        text = f"The plans grew stale {words.relative(row.cohort.stale_at, row.now)}: nothing was archived"
        return Verdict("warn", "warn", text, ["Begin anew: the plans go by the scores of now.", *_failures(row)])
    if not of.with_something:
        nothing = "Nothing of these users can go: what there is, is protected, or in another tier."
        return Verdict("mute", "skip", "There is nothing to archive", [nothing, *_failures(row)])
    users = words.counted(of.with_something, "user")
    text = f"{_size(of.items, of.size_bytes)} of {users} would leave retrieval; nothing is archived yet"
    until = f"{clock.time_of_day(row.cohort.stale_at, row.now)} {clock.zone_name(row.cohort.stale_at)}"
    apply_by = f"Apply it until {until}, {words.relative(row.cohort.stale_at, row.now)}: later the plans are stale."
    return Verdict("ask", "wait", text, [apply_by, *_failures(row)])


def _applied(row: CohortRow) -> Verdict:
    of = row.of
    users = words.counted(of.applied + of.partly, "user")
    text = f"Applied {_ended(row)}: {_size(of.archived_items, of.archived_bytes)} of {users} archived"
    tone = "warn" if of.refused or of.partly else "ok"
    return Verdict(tone, tone, text, [*_failures(row), "All of it can be undone until its grace ends."])


def _undone(row: CohortRow) -> Verdict:
    of = row.of
    users = words.counted(of.undone, "user")
    text = f"Undone {_ended(row)}: {_size(of.restored_items, of.restored_bytes)} of {users} are back"
    tone = "warn" if of.refused else "ok"
    return Verdict(tone, tone, text, [*_failures(row)])


def _stopped(row: CohortRow) -> Verdict:
    of = row.of
    reached = f"{of.told:,} of {words.counted(of.reaches, 'user')} reached"
    text = f"Stopped {_ended(row)} while {row.cohort.stopped_while}: {reached}"
    stays = {
        CohortState.PLANNING: "Nothing was archived. Begin anew: a preview of some users is none of the whole.",
        CohortState.APPLYING: f"{_size(of.archived_items, of.archived_bytes)} are archived, and stay so until undone.",
        CohortState.UNDOING: f"{_size(of.restored_items, of.restored_bytes)} are back; undo goes on with the others.",
    }
    return Verdict("warn", "warn", text, [stays[row.cohort.phase], *_failures(row)])


def _failures(row: CohortRow) -> Iterator[str]:
    """Whom it does not, or did not, reach as it was asked."""
    of = row.of
    if of.refused:
        yield f"Refused: {words.counted(of.refused, 'user')}, listed below with what would help."
    if of.partly:
        skipped = words.counted(of.skipped_items, "item")
        yield f"Partly: {words.counted(of.partly, 'user')}; {skipped} had changed since, and stay."
    if row.cohort.phase is CohortState.PLANNING and of.short:
        missing = bytesize.human(of.shortfall_bytes)
        yield f"Short of the target: {words.counted(of.short, 'user')}, {missing} in all."


def _size(items: int, size_bytes: int) -> str:
    return f"{words.counted(items, 'item')} ({bytesize.human(size_bytes)})"


def _ended(row: CohortRow) -> str:
    return words.relative(row.cohort.ended_at or row.now, row.now)


_SAYS: dict[CohortState, Callable[[CohortRow], Verdict]] = {
    CohortState.FROZEN: _frozen,
    CohortState.APPLIED: _applied,
    CohortState.UNDONE: _undone,
    CohortState.STOPPED: _stopped,
}
