"""What staff does with prune plans: make one of a user, apply it as it was shown, undo it as a whole."""

from datetime import datetime
from functools import partial
from uuid import UUID

from memory.models import PrunePlan
from memory.rules.tiers import Tier
from memory.services import plans
from memory.services.plans import Done, Target
from ops import roles
from ops.services import reasoned
from ops.services.measures import Sender


def make(sender: Sender, *, user_id: UUID, target: Target, tier: Tier | None, now: datetime) -> PrunePlan:
    """Freeze what would go of a user to free the target. Raises NotYourRole, Invalid, UserGone or AlreadySent."""
    effect = partial(plans.make, user_id, target=target, tier=tier)
    return reasoned.once(sender, roles.PLAN_PRUNE, effect, now)


def apply(sender: Sender, plan_id: UUID, *, now: datetime) -> Done:
    """Archive exactly what the plan shows; one that is applied already stays as it is, and is given.

    Raises NotYourRole, Invalid, NoSuchPlan, PlanStale, PlanOver, UserGone or AlreadySent.
    """
    return reasoned.once(sender, roles.APPLY_PLAN, partial(plans.apply, plan_id), now)


def undo(sender: Sender, plan_id: UUID, *, now: datetime) -> Done:
    """Bring back all that the plan archived, or nothing; one that is undone already stays as it is, and is given.

    Raises NotYourRole, Invalid, NoSuchPlan, PlanNotApplied, UserGone, NotAllOfPlan, NoRoomToRestore or AlreadySent.
    """
    return reasoned.once(sender, roles.UNDO_PLAN, partial(plans.undo, plan_id), now)
