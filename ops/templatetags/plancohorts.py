"""Tags of the pages about plans of cohorts."""

from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse

from kimberly.lib import ids
from memory.models import PlanCohort
from memory.rules.plancohorts import Became, CohortState
from memory.rules.plans import PlanState
from ops import badges, cohortwords, words
from ops.badges import Badge
from ops.queries.plancohorts import CohortRow

register = template.Library()


@register.simple_tag
def cohort_badge(row: CohortRow) -> Badge:
    """How the whole stands; what says nothing any more, or is too old, is called so."""
    if row.is_silent:
        return badges.SILENT
    return badges.PLAN[PlanState.STALE] if row.is_stale else badges.COHORT[CohortState(row.cohort.state)]


@register.simple_tag
def became_badge(became: str) -> Badge:
    """What became of a user."""
    return badges.BECAME[Became(became)]


@register.filter
def whom(cohort: PlanCohort) -> str:
    """Who was asked for, in words."""
    return cohortwords.whom(cohort)


@register.filter
def target(cohort: PlanCohort) -> str:
    """What is to be freed of each user."""
    return cohortwords.target(cohort)


@register.filter
def amount(cohort: PlanCohort) -> str:
    """How much of each user, without of what."""
    return cohortwords.amount(cohort)


@register.filter
def of_what(cohort: PlanCohort) -> str:
    """Of which tiers' bytes."""
    return cohortwords.of_what(cohort)


@register.filter
def times(number: float) -> str:
    """`0.05 times`, `3.2 times`, `41 times`."""
    if 0 < number < 0.005:
        return "Less than 0.01 times"
    decimals = 2 if number < 1 else 1 if number < 10 else 0
    return f"{number:,.{decimals}f} times"


@register.filter
def share(part: float) -> str:
    """`53 %`."""
    return words.percent(part)


@register.filter
def plan_url(public_id: str) -> str:
    """The page of one user's plan."""
    return reverse("ops:plan", args=[public_id])


@register.filter
def cohort_url(cohort_id: UUID) -> str:
    """The page of a cohort's plans."""
    return reverse("ops:cohort", args=[ids.encode(ids.Prefix.COHORT, cohort_id)])


@register.inclusion_tag("ops/parts/meditation_progress.html", takes_context=True)
def cohort_progress(context: Any, row: CohortRow) -> dict[str, Any]:
    """How far the phase is, how fast it goes, and how long it goes on."""
    of = row.of
    return {
        "done": of.told,
        "users": of.reaches,
        "heard_at": row.cohort.heartbeat_at,
        "percent": words.percent(of.told / of.reaches if of.reaches else 1.0),
        "most": max(1, of.reaches),
        "rate": row.users_per_minute,
        "left": row.left_over,
        "now": context["now"],
    }
