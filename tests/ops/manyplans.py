"""Plans of cohorts in each phase, their pages, and what is sent there."""

from typing import Any

from kimberly.audit.trail import Why
from kimberly.lib import clock
from memory.models import PlanCohort
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.services import plancohorts
from memory.services.plans import Target
from tests.ops.portal import plan_page, prune_page
from tests.personas import TESTER, Person

COHORTS = "/ops/plans/cohorts/"


def made():
    """(planning, frozen, applied): each of one user with four memories."""
    now = clock.utc_now()
    other = Person.register("pruned", at=now)
    for number in range(4):
        other.writes(f"rare{number}", at=now)
    asked = Cohort(asked=Asked(beginning="pruned"))
    about: dict[str, Any] = {"actor": TESTER, "why": Why("They asked for room."), "now": now}
    made = [plancohorts.begin(asked, target=Target(share=0.5), **about) for _ in range(3)]
    planning, frozen, applied = (PlanCohort.objects.get(pk=one.pk) for one in made)
    for one in (frozen, applied):
        plancohorts.go_on(one, tell_time=lambda: now)
    plancohorts.apply(applied.pk, **about)
    plancohorts.go_on(PlanCohort.objects.get(pk=applied.pk), tell_time=lambda: now)
    return planning, frozen, applied


def addresses(planning, frozen, applied):
    """The pages about these, by their names."""
    return {
        "ops:plan-cohort": f"{COHORTS}new/",
        "ops:cohort": f"{COHORTS}{frozen.public_id}/",
        "ops:apply-cohort": f"{COHORTS}{frozen.public_id}/apply/",
        "ops:undo-cohort": f"{COHORTS}{applied.public_id}/undo/",
        "ops:stop-cohort": f"{COHORTS}{planning.public_id}/stop/",
    }


def addresses_of_one(plan, person):
    """The pages about this plan and its person, by their names."""
    return {
        "ops:plan": plan_page(plan),
        "ops:plan-prune": prune_page(person),
        "ops:apply-plan": plan_page(plan, "apply/"),
        "ops:undo-plan": plan_page(plan, "undo/"),
    }


def sent_by(seen, planning, frozen, applied):
    """What can be done with plans of cohorts."""
    about = {"scope": "usual", "free": "10", "q": "pruned"}
    return {
        "plan-cohort": lambda: seen.sends(f"{COHORTS}new/", **about),
        "apply-cohort": lambda: seen.sends(f"{COHORTS}{frozen.public_id}/apply/", whom=frozen.public_id[-6:]),
        "undo-cohort": lambda: seen.sends(f"{COHORTS}{applied.public_id}/undo/", whom=applied.public_id[-6:]),
        "stop-cohort": lambda: seen.sends(f"{COHORTS}{planning.public_id}/stop/"),
    }
