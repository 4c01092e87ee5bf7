"""What users are working towards: setting and removing goals."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from kimberly.audit import trail
from kimberly.audit.trail import Subject
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Kind, Refusal
from memory.embedding.base import Embedded
from memory.models import Goal, MemoryUser
from memory.services.quotas import UserGone

MOST_GOALS = 50  # The score's relevance compares each memory with each goal.


class GoalGone(Refusal):
    """There is no such goal, or not of this user."""

    slug = "goal-not-found"
    kind = Kind.NOT_FOUND
    title = "There is no such goal."


class TooManyGoals(Refusal):
    """A user has as many goals as one may have."""

    slug = "too-many-goals"
    kind = Kind.CONFLICT
    title = f"A user has at most {MOST_GOALS} goals. Nothing was changed."

    def remedies(self) -> list[str]:
        return ["Remove a goal that was reached or given up."]


def set_goal(
    user_id: UUID, text: str, *, embedded: Embedded | None, created_by: Actor, now: datetime
) -> tuple[Goal, bool]:
    """Keep a goal; gives it and whether it is new: the same words again are the goal that is there.

    Raises UserGone or TooManyGoals.
    """
    with transaction.atomic():
        if not MemoryUser.objects.select_for_update(no_key=True).filter(pk=user_id).exists():
            raise UserGone
        there = Goal.objects.filter(user_id=user_id, text=text).first()
        if there is not None:
            return there, False
        if Goal.objects.filter(user_id=user_id).count() >= MOST_GOALS:
            raise TooManyGoals
        made = Goal.objects.create(
            user_id=user_id,
            text=text,
            embedding=embedded.vector if embedded else None,
            embedding_model=embedded.model if embedded else None,
            created_at=now,
            created_by=str(created_by),
        )
    return made, True


def remove_goal(user_id: UUID, goal_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Forget one goal of the user. Raises GoalGone."""
    if not _remove(Goal.objects.filter(user_id=user_id, pk=goal_id), user_id, actor=actor, now=now):
        raise GoalGone


def remove_goals(user_id: UUID, *, actor: Actor, now: datetime) -> int:
    """Forget every goal of the user; gives how many there were."""
    return _remove(Goal.objects.filter(user_id=user_id), user_id, actor=actor, now=now)


def _remove(chosen: QuerySet[Goal], user_id: UUID, *, actor: Actor, now: datetime) -> int:
    with transaction.atomic():
        removed, _ = chosen.delete()
        if removed:
            subject = Subject("user", str(user_id))
            trail.record("goals.removed", subject=subject, actor=actor, now=now, after={"goals": removed})
    return removed
