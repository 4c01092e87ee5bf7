"""Why an item has its score, and why it is where it is. Told from what was kept then, never from content."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from kimberly.lib import ids
from memory.models import MeditationDecision, MemoryItem, PrunePlanItem
from memory.queries import plans
from memory.queries import scoring as stored
from memory.rules import scoring, sentences
from memory.rules.meditation import Act, Reason
from memory.rules.scoring import Inputs, Parts, Profile

ABOUT_THE_ITEM = (
    "id", "user_id", "user__external_id", "tier", "state", "size_bytes", "protected", "created_at", "expires_at",
    "archived_at", "archive_reason", "purge_after", "purged_at", "purge_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoreNow:
    """The item's score as it is stored. `order_key` is score / √bytes: the lowest goes first."""

    score: float
    parts: Parts
    profile: Profile
    order_key: float
    scored_at: datetime
    in_words: str


@dataclass(frozen=True, slots=True)
class Retold:
    """A decision's score once more: the formula of its profile, applied to the inputs that were kept with it."""

    score: float
    parts: Parts
    profile: Profile
    order_key: float
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a meditation, or of a plan that was applied. `retold` is None where no score was asked."""

    act: Act
    reason: Reason
    tier: str
    size_bytes: int
    score: float | None
    retold: Retold | None
    decided_at: datetime
    undone_at: datetime | None
    run_id: UUID | None
    plan_id: UUID | None
    in_words: str

    @property
    def decided_by(self) -> str:
        """The id of the meditation or the plan."""
        if self.run_id is not None:
            return ids.encode(ids.Prefix.RUN, self.run_id)
        return ids.encode(ids.Prefix.PLAN, self.plan_id) if self.plan_id else ""


@dataclass(frozen=True, slots=True)
class Why:
    """An item, or what is left of one, with its score and every decision so far, the newest first."""

    item_id: UUID
    user_id: UUID
    external_id: str
    tier: str
    state: str
    size_bytes: int
    protected: bool
    created_at: datetime
    expires_at: datetime | None
    archived_at: datetime | None
    archive_reason: str
    purge_after: datetime | None
    purged_at: datetime | None
    purge_reason: str
    score: ScoreNow | None
    decisions: tuple[Decided, ...]


def of_item(item_id: UUID) -> Why | None:
    """Whoever's item it is; None when there never was one."""
    return _told(MemoryItem.objects.filter(pk=item_id))


def of_users_item(item_id: UUID, *, user_id: UUID) -> Why | None:
    """The user's item; None when it never was theirs."""
    return _told(MemoryItem.objects.filter(pk=item_id, user_id=user_id))


def _told(items: QuerySet[MemoryItem]) -> Why | None:
    row: dict[str, Any] | None = items.values(*ABOUT_THE_ITEM).first()
    if row is None:
        return None
    item_id, external_id = row.pop("id"), row.pop("user__external_id")
    now, decisions = _score_now(item_id, row["size_bytes"]), tuple(_decisions(item_id))
    return Why(item_id=item_id, external_id=external_id, score=now, decisions=decisions, **row)


def _score_now(item_id: UUID, size_bytes: int) -> ScoreNow | None:
    scored = stored.of_item(item_id)
    if scored is None:
        return None
    profile = stored.profile(scored.profile_version)
    key = scoring.order_key(scored.score, size_bytes)
    in_words = sentences.score(scored.score, scored.parts, profile)
    return ScoreNow(scored.score, scored.parts, profile, key, scored.scored_at, in_words)


def _decisions(item_id: UUID) -> list[Decided]:
    """Of meditations and of plans, the newest first."""
    rows = list(MeditationDecision.objects.filter(item_id=item_id).order_by("-decided_at", "-id"))
    planned = plans.decided_of(item_id)
    versions = {row.profile_version for row in rows if row.profile_version is not None}
    profiles = stored.profiles(versions | {row.plan.profile_version for row in planned})
    told = [_of_meditation(row, profiles) for row in rows] + [_of_plan(row, profiles) for row in planned]
    return sorted(told, key=lambda decided: decided.decided_at, reverse=True)


def _of_meditation(row: MeditationDecision, profiles: Mapping[int, Profile]) -> Decided:
    retold = None
    if row.profile_version is not None:
        retold = _retold(row.inputs, row.size_bytes, profiles[row.profile_version])
    in_words = _in_words(Act(row.act), Reason(row.reason), row, retold, row.decided_at, row.undone_at)
    return Decided(
        Act(row.act), Reason(row.reason), row.tier, row.size_bytes, row.score, retold,
        row.decided_at, row.undone_at, row.run_id, None, in_words,
    )  # fmt: skip


def _of_plan(row: PrunePlanItem, profiles: Mapping[int, Profile]) -> Decided:
    plan = row.plan
    retold = _retold(row.inputs, row.size_bytes, profiles[plan.profile_version])
    applied_at = plan.applied_at or plan.created_at
    in_words = _in_words(Act.ARCHIVED, Reason.PLAN, row, retold, applied_at, plan.undone_at)
    return Decided(
        Act.ARCHIVED, Reason.PLAN, row.tier, row.size_bytes, row.score, retold,
        applied_at, plan.undone_at, None, plan.pk, in_words,
    )  # fmt: skip


def _in_words(
    act: Act,
    reason: Reason,
    row: MeditationDecision | PrunePlanItem,
    retold: Retold | None,
    decided_at: datetime,
    undone_at: datetime | None,
) -> str:
    return sentences.decision(
        act,
        reason,
        tier=row.tier,
        size_bytes=row.size_bytes,
        score=row.score,
        order_key=retold.order_key if retold else None,
        threshold=retold.profile.threshold if retold else None,
        decided_at=decided_at,
        undone_at=undone_at,
    )


def _retold(kept: Mapping[str, Any], size_bytes: int, profile: Profile) -> Retold:
    inputs = Inputs.kept(kept)
    parts = scoring.parts(inputs, profile)
    score = scoring.score(parts, profile)
    return Retold(score, parts, profile, scoring.order_key(score, size_bytes), inputs)
