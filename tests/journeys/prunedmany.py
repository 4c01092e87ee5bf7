"""Plans of cohorts for the pages that show them, with words that are as long as words can be."""

from typing import Any

from kimberly.audit.trail import Why
from memory.models import PlanCohortUser
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.rules.plancohorts import Became
from memory.services import plancohorts
from memory.services.plans import Target
from tests.personas import TESTER, Person, unique


def places(now):
    """The addresses of plans of a cohort: being made, frozen, and applied; with words that are as long as can be."""
    beginning = unique("plans")
    people = [Person.register(beginning, display_name="P" * 120) for _ in range(3)]
    for number in range(4):
        people[0].writes(f"rare{number}", at=now)
    about: dict[str, Any] = {"actor": TESTER, "why": Why("W" * 300, "T" * 64), "now": now}
    cohort = Cohort(asked=Asked(beginning=beginning))
    planning, frozen, pruned = (plancohorts.begin(cohort, target=Target(10**9), **about) for _ in range(3))
    for one in (frozen, pruned):
        plancohorts.go_on(one, tell_time=lambda: now)
    plancohorts.apply(pruned.pk, **about)
    pruned.refresh_from_db()
    plancohorts.go_on(pruned, tell_time=lambda: now)
    says = f"No room in long-term: needs 3.2 KiB, 12 B are free. {'W' * 80}"
    refused = PlanCohortUser.objects.filter(cohort=pruned, became=Became.NOTHING)
    refused.update(became=Became.REFUSED, refusal="no-room-to-restore", says=says)
    return {name: f"/ops/plans/cohorts/{one.public_id}/" for name, one in (
        ("many_planning", planning), ("many_frozen", frozen), ("many_pruned", pruned),
    )}  # fmt: skip
