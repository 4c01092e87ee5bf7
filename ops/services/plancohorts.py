"""What staff does with plans of cohorts: make them, apply, stop and undo them."""

from datetime import datetime
from functools import partial
from uuid import UUID

from kimberly.audit.models import AuditEntry
from memory.models import PlanCohort
from memory.queries.cohorts import Cohort
from memory.rules.tiers import Tier
from memory.services import plancohorts
from memory.services.plans import Target
from ops import roles
from ops.services import reasoned
from ops.services.measures import Sender


def begin(sender: Sender, cohort: Cohort, *, target: Target, tier: Tier | None, now: datetime) -> PlanCohort:
    """Leave a plan for each of these users to be made.

    Raises NotYourRole, Invalid, OfNobodyInParticular, NobodyInCohort or AlreadySent.
    """
    return reasoned.once(sender, roles.PLAN_COHORT, partial(plancohorts.begin, cohort, target=target, tier=tier), now)


def apply(sender: Sender, cohort_id: UUID, *, now: datetime) -> AuditEntry:
    """Leave the plans to be applied.

    Raises NotYourRole, Invalid, NoSuchCohort, NotInThatPhase, CohortStale, NobodyLeft or AlreadySent.
    """
    return reasoned.once(sender, roles.APPLY_COHORT, partial(plancohorts.apply, cohort_id), now)


def undo(sender: Sender, cohort_id: UUID, *, now: datetime) -> AuditEntry:
    """Leave all that they archived to be brought back.

    Raises NotYourRole, Invalid, NoSuchCohort, NotInThatPhase, NobodyLeft or AlreadySent.
    """
    return reasoned.once(sender, roles.UNDO_COHORT, partial(plancohorts.undo, cohort_id), now)


def stop(sender: Sender, cohort_id: UUID, *, now: datetime) -> AuditEntry:
    """Reach no more users. Raises NotYourRole, Invalid, NoSuchCohort, NotInThatPhase or AlreadySent."""
    return reasoned.once(sender, roles.STOP_COHORT, partial(plancohorts.stop, cohort_id), now)
