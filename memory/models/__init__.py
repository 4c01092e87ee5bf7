"""The tables of the memory core, one aggregate a file."""

from memory.models.goals import Goal
from memory.models.items import MemoryItem
from memory.models.limits import QuotaOverride, Refusal, Throttle
from memory.models.meditation import (
    ItemScore,
    MeditationDecision,
    MeditationRun,
    MeditationShard,
    MeditationUndo,
    MeditationUndoUser,
    Notification,
    ScoringProfile,
    UserScoring,
)
from memory.models.plancohorts import PlanCohort, PlanCohortUser
from memory.models.plans import PrunePlan, PrunePlanItem
from memory.models.retrieval import AccessEvent, ItemFeedback, RetrievalProfile
from memory.models.usage import UsageCounter, UsageSample, UsageSampling
from memory.models.users import MemoryUser, Plan, TierPolicy

__all__ = [
    "AccessEvent",
    "Goal",
    "ItemFeedback",
    "ItemScore",
    "MeditationDecision",
    "MeditationRun",
    "MeditationShard",
    "MeditationUndo",
    "MeditationUndoUser",
    "MemoryItem",
    "MemoryUser",
    "Notification",
    "Plan",
    "PlanCohort",
    "PlanCohortUser",
    "PrunePlan",
    "PrunePlanItem",
    "QuotaOverride",
    "Refusal",
    "RetrievalProfile",
    "ScoringProfile",
    "Throttle",
    "TierPolicy",
    "UsageCounter",
    "UsageSample",
    "UsageSampling",
    "UserScoring",
]
