"""One meditation of some users: score, promote, archive, purge, and say why. One transaction; twice is as once.

Whatever is decided goes by the scores of this very transaction, whose inputs stay with each decision.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from kimberly.db import statements
from kimberly.lib.crashpoints import crashpoint
from kimberly.lib.sql import statement
from memory import metrics
from memory.models import Notification
from memory.rules.meditation import Act, Reason
from memory.rules.scoring import Profile
from memory.rules.tiers import Tier
from memory.services import quotas
from memory.services.quotas import Shift

# In this order (10-memory): what a life's end moved into long-term is looked at there, and what is archived now is not
# purged now.
STEPS = ("end_short_term", "archive_over_soft", "purge_past_grace")
PURGED_NOTICE = "items-purged"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was done to so many items of a user's tier, and why."""

    user_id: UUID
    tier: Tier
    act: Act
    reason: Reason
    items: int
    size_bytes: int


@dataclass(slots=True)
class Outcome:
    """What a meditation did. `left` are the users whom another one had."""

    users: list[UUID]
    left: list[UUID]
    items_scored: int = 0
    kept: Counter[Tier] = field(default_factory=Counter)
    protected: Counter[Tier] = field(default_factory=Counter)
    decided: list[Decided] = field(default_factory=list)
    caps_hit: int = 0

    def items(self, act: Act) -> int:
        """How many items that was done to."""
        return sum(one.items for one in self.decided if one.act is act)

    @property
    def brought_down_bytes(self) -> int:
        """Bytes archived to bring tiers down to their soft limit: what the brakes count."""
        return sum(one.size_bytes for one in self.decided if one.reason is Reason.SOFT_LIMIT)

    @property
    def freed_bytes(self) -> int:
        """Bytes that left the quota."""
        return sum(one.size_bytes for one in self.decided if one.act is Act.ARCHIVED)


def meditate(user_ids: Sequence[UUID], *, run_id: UUID, profile: Profile, now: datetime) -> Outcome:
    """Meditate on these users, inside the caller's transaction; those whom another meditation has are left."""
    asked = statements.fetch_all(statement(__file__, "meditators"), {"user_ids": list(user_ids)})
    users = [user_id for (user_id,) in asked]
    outcome = Outcome(users, sorted(set(user_ids) - set(users)))
    parameters = {"user_ids": users, "run_id": run_id, "profile_version": profile.version, "now": now}
    # Counters, then items, everywhere: so that no two wait for each other.
    quotas.hold_all(users)
    _score(outcome, {**parameters, **profile.parameters()})
    crashpoint("meditation-scored")
    for step in STEPS:
        rows = statements.fetch_all(statement(__file__, step), {**parameters, "threshold": profile.threshold})
        decided = [Decided(row[0], Tier(row[1]), Act(row[2]), Reason(row[3]), *row[4:]) for row in rows]
        quotas.shift_all([shift for one in decided for shift in _shifts(one)])
        outcome.decided += decided
        crashpoint(f"meditation-{step}")
    _count_the_rest(outcome, parameters)
    _notify(outcome, run_id=run_id, now=now)
    crashpoint("meditation-noted")
    transaction.on_commit(partial(_count, outcome))
    return outcome


def _score(outcome: Outcome, parameters: dict[str, object]) -> None:
    """Fold the accesses and score every active item; the scores stay in the table `scored` until the commit."""
    statements.execute(statement(__file__, "fold_accesses"), parameters)
    statements.execute("DROP TABLE IF EXISTS scored", {})
    scores = statement(__file__, "scored_items")
    with statements.without_nested_loops():
        table = f"CREATE TEMPORARY TABLE scored ON COMMIT DROP AS {scores}"
        outcome.items_scored = statements.execute(table, parameters)
    # Without it the planner takes the table for a small one, and looks its items up one by one.
    statements.execute("ANALYZE scored", {})
    statements.execute(statement(__file__, "keep_scores"), parameters)
    statements.execute(statement(__file__, "note_scored"), parameters)


def _shifts(one: Decided) -> Iterator[Shift]:
    """What a decision means for the counters."""
    if one.act is Act.PURGED:
        yield Shift(one.user_id, one.tier, archived_bytes=-one.size_bytes, archived_items=-one.items)
    elif one.act is Act.ARCHIVED:
        yield Shift(one.user_id, one.tier, -one.size_bytes, -one.items, one.size_bytes, one.items)
    else:
        yield Shift(one.user_id, one.tier, -one.size_bytes, -one.items)
        yield Shift(one.user_id, Tier.LONG_TERM, one.size_bytes, one.items)


def _count_the_rest(outcome: Outcome, parameters: dict[str, object]) -> None:
    for tier, kept, protected in statements.fetch_all(statement(__file__, "kept_by_meditation"), parameters):
        outcome.kept[Tier(tier)] = kept
        outcome.protected[Tier(tier)] = protected
    row = statements.fetch_one(statement(__file__, "capped_today"), parameters)
    outcome.caps_hit = row[0] if row else 0


def _notify(outcome: Outcome, *, run_id: UUID, now: datetime) -> None:
    """Who lost something for good is told what and why."""
    lost: dict[UUID, dict[str, int]] = {}
    for one in outcome.decided:
        if one.act is Act.PURGED:
            lost.setdefault(one.user_id, {})[str(one.tier)] = one.items
    Notification.objects.bulk_create(
        Notification(
            user_id=user_id,
            kind=PURGED_NOTICE,
            facts={"items": items, "reason": str(Reason.GRACE), "run": str(run_id)},
            created_at=now,
        )
        for user_id, items in lost.items()
    )


def _count(outcome: Outcome) -> None:
    """Tell the metrics what was committed."""
    for one in outcome.decided:
        metrics.MEDITATED.add(one.items, one.tier, one.act)
        if one.act is Act.PROMOTED:
            metrics.PROMOTED.add(one.items, one.tier, Tier.LONG_TERM)
        elif one.act is Act.ARCHIVED:
            reason = "meditation" if one.reason is Reason.SOFT_LIMIT else "expired"
            metrics.count_archived(one.tier, one.items, reason=reason)
        else:
            metrics.count_purged(one.tier, one.items, reason="grace")
    for decision, counted in (("kept", outcome.kept), ("protected", outcome.protected)):
        for tier, items in counted.items():
            metrics.MEDITATED.add(items, tier, decision)
    metrics.MEDITATED_USERS.add(len(outcome.users), "ok")
    metrics.DAILY_CAP_HITS.add(outcome.caps_hit)
