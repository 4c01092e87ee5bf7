"""The words of the plans of a cohort: how the whole stands, and what became of each user."""

from enum import StrEnum


class CohortState(StrEnum):
    """planning: each user gets a plan; frozen: all have one, and nothing is archived yet; applying, undoing: user by
    user; stopped: somebody ended a phase before all users were reached.
    """

    PLANNING = "planning"
    FROZEN = "frozen"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    STOPPED = "stopped"


WORKING = (CohortState.PLANNING, CohortState.APPLYING, CohortState.UNDOING)
"""The phases in which workers go on with it."""
ENDS_IN = {
    CohortState.PLANNING: CohortState.FROZEN,
    CohortState.APPLYING: CohortState.APPLIED,
    CohortState.UNDOING: CohortState.UNDONE,
}
PHASE_OF = {state: phase for phase in WORKING for state in (phase, ENDS_IN[phase])}
"""The phase that is under way, or that ended so."""


class Became(StrEnum):
    """What became of one user. nothing: nothing of theirs could go, so their plan is empty; partly: what changed since
    was left; refused: the last phase did nothing of theirs, and says why.
    """

    WAITING = "waiting"
    PLANNED = "planned"
    NOTHING = "nothing"
    APPLIED = "applied"
    PARTLY = "partly"
    UNDONE = "undone"
    REFUSED = "refused"
