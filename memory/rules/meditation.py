"""The words of a meditation: what starts one, how it stands, and what it decides of a memory."""

from datetime import timedelta
from enum import StrEnum

MOST_USERS_IN_A_SHARD = 200
MOST_ITEMS_IN_A_SHARD = 20_000
"""A shard holds its users' counters until it commits, and a writer waits no longer than five seconds for one."""

DEAD_AFTER, HEARTBEAT_LIMIT = timedelta(seconds=10), timedelta(minutes=2)
"""A shard whose worker's lock is free is dead after the shorter time, any other that says nothing after the longer."""
MOST_TRIES = 3
TRIES_TOGETHER = 2
"""After so many failed tries of a shard its users are tried apart, so that one user's data stops nobody else."""


class Trigger(StrEnum):
    """Why a run began."""

    NIGHTLY = "nightly"
    MANUAL = "manual"
    BACKFILL = "backfill"


class Scope(StrEnum):
    """Whom a run is about; some: a cohort."""

    ALL = "all"
    SOME = "some"
    USER = "user"


class RunState(StrEnum):
    """held: it would archive far more than usual, and waits for an operator; aborted: an operator's decision."""

    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


UNFINISHED = (RunState.QUEUED, RunState.RUNNING, RunState.HELD)


class ShardState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class UndoState(StrEnum):
    """How the undo of a whole run stands; stopped: by an operator, before all users were reached."""

    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"


class UndoOutcome(StrEnum):
    """What became of one user in the undo of a run. partly: some items are left as they are; left: all of them;
    refused: nothing was undone, and it can be tried again.
    """

    UNDONE = "undone"
    PARTLY = "partly"
    LEFT = "left"
    REFUSED = "refused"


class Act(StrEnum):
    """What was decided of an item; kept and protected are counted, and have no row."""

    PROMOTED = "promoted"
    ARCHIVED = "archived"
    PURGED = "purged"


class Reason(StrEnum):
    """worthy: the score reached the threshold; expired: it did not, and the life was over; no-room: it did, and
    long-term was full; soft-limit: the lowest of a tier above its soft limit; grace: archived for as long as promised;
    plan: somebody applied a prune plan, which no meditation does.
    """

    WORTHY = "worthy"
    EXPIRED = "expired"
    NO_ROOM = "no-room"
    SOFT_LIMIT = "soft-limit"
    GRACE = "grace"
    PLAN = "plan"


OF_MEDITATION: tuple[Reason, ...] = tuple(reason for reason in Reason if reason is not Reason.PLAN)
