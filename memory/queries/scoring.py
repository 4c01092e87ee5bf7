"""The current weights of the score, what an item's score is, and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from memory.models import ItemScore, ScoringProfile
from memory.rules.scoring import Parts, Profile

NAMES = (
    "version", "relevance", "emotional", "predictive", "recency", "threshold", "half_life_days", "use_prior"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """An item's score as it is stored."""

    score: float
    parts: Parts
    profile_version: int
    scored_at: datetime


def current_profile() -> Profile:
    """The newest version of the weights."""
    return _profile(ScoringProfile.objects.order_by("-version")[:1].get())


def profile(version: int) -> Profile:
    """The weights of a version; they never change."""
    return _profile(ScoringProfile.objects.get(pk=version))


def profiles(versions: Collection[int]) -> dict[int, Profile]:
    """The weights of these versions, by version."""
    rows = ScoringProfile.objects.filter(pk__in=versions).order_by("pk") if versions else ()
    return {row.version: _profile(row) for row in rows}


def of_item(item_id: UUID) -> Scored | None:
    """The item's score; None before it was scored for the first time."""
    row = ItemScore.objects.filter(pk=item_id).first()
    if row is None:
        return None
    parts = Parts(row.relevance, row.emotional, row.predictive, row.recency)
    return Scored(row.score, parts, row.profile_version, row.scored_at)


def _profile(row: ScoringProfile) -> Profile:
    return Profile(**{name: getattr(row, name) for name in NAMES})
