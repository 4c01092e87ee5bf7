"""Plans of several people at once, and who did what became of them."""

from kimberly.audit.models import AuditEntry
from memory import tasks
from memory.models import PlanCohortUser
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.services import plancohorts
from memory.services.plans import Target
from tests.personas import NOON, TESTER, Person
from tests.pruning.planning import LATER, WHY, tells

NAMED = Cohort(asked=Asked(beginning="batch"))
"""Those whose ids begin so, of whom others know nothing."""


def people(number=3, *, items=4):
    """So many, each with memories of 100 bytes, in the order of their ids."""
    persons = [Person.register(f"batch{n}") for n in range(number)]
    for person in persons:
        tells(person, items)
    return sorted(persons, key=lambda person: person.id)


def begun(cohort=NAMED, *, target=None, tier=None, now=NOON):
    """The plans of these, none of them made yet."""
    target = target or Target(share=0.5)
    return plancohorts.begin(cohort, target=target, tier=tier, actor=TESTER, why=WHY, now=now)


def planned(**asked):
    return goes_on(begun(**asked))


def goes_on(made, *, now=NOON, **seconds):
    """Go on with the phase until it is over, or for so long; gives the row as it is then."""
    made.refresh_from_db()
    plancohorts.go_on(made, tell_time=lambda: now, **seconds)
    made.refresh_from_db()
    return made


def applies(made, *, now=LATER):
    plancohorts.apply(made.pk, actor=TESTER, why=WHY, now=now)
    return goes_on(made, now=now)


def undoes(made, *, now=LATER):
    plancohorts.undo(made.pk, actor=TESTER, why=WHY, now=now)
    return goes_on(made, now=now)


def stops(made, *, now=LATER):
    plancohorts.stop(made.pk, actor=TESTER, why=WHY, now=now)
    made.refresh_from_db()
    return made


def became(made):
    """What became of each, in the order of their ids."""
    return list(PlanCohortUser.objects.filter(cohort=made).order_by("user_id").values_list("became", flat=True))


def plan_of_member(made, person):
    return PlanCohortUser.objects.select_related("plan").get(cohort=made, user_id=person.id).plan


def entries(made, action):
    """How many of these acts are told of it."""
    return AuditEntry.objects.filter(subject_kind="cohort", subject_id=str(made.pk), action=action).count()


def all_done():
    """The workers do all that waits; other tests may have left some."""
    while tasks.go_on_with_cohort() is not None:
        pass
