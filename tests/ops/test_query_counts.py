"""How many statements each page costs is frozen in query_counts.txt: a page that asks more often is noticed."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.clients.models import ApiKey
from kimberly.lib import clock
from kimberly.lib.actors import Actor, ActorKind
from memory.models import MeditationRun, MemoryItem, PlanCohort, PrunePlan
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.meditation import Trigger
from memory.rules.tiers import Tier
from memory.services import meditationruns, plancohorts, plans, refusals, samples
from memory.services.plans import Target
from memory.services.refusals import Call
from ops.roles import Role
from tests.ops.portal import Portal, user_page
from tests.personas import TESTER, Person, hire, issue_key

FROZEN = Path(__file__).with_name("query_counts.txt")
MOST_OF_A_LIST, MOST_OF_A_USER, MOST_OF_THE_OVERVIEW = 8, 15, 15
MOST_THAT_SCORES_ANEW = 18
"""What would go next is scored while one waits, within settings of its own: five statements instead of one."""


def frozen_counts():
    lines = FROZEN.read_text(encoding="utf-8").splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines if not line.startswith("#")}


def do_all(at):
    while (shard := meditationruns.take(now=at)) is not None:
        meditationruns.do(shard, tell_time=lambda: at)


def meditated(lena, now):
    """Runs of all by a job, a client and a person of staff; the first decides something of each user."""
    clients, jobs = Actor(ActorKind.CLIENT, str(ApiKey.objects.get().pk)), Actor.job("memory.meditate_nightly")
    for days, actor in enumerate((jobs, clients, Actor(ActorKind.STAFF, str(lena.staff.pk))), start=1):
        at = now + timedelta(days=days)
        meditationruns.begin(Trigger.NIGHTLY, actor=actor, why=Why(), now=at)
        do_all(at)


def planned_of_many(lena, now):
    """Plans of a cohort by a person of staff."""
    asked, actor = Cohort(asked=Asked(beginning="other")), Actor(ActorKind.STAFF, str(lena.staff.pk))
    why = Why("They asked for room.")
    made = plancohorts.begin(asked, target=Target(share=0.5), actor=actor, why=why, now=now)
    plancohorts.go_on(made, tell_time=lambda: now)


def planned(dana, lena, now):
    """Plans by a command and a person of staff: applied, applied and undone, and frozen."""
    person, why = Actor(ActorKind.STAFF, str(lena.staff.pk)), Why("They asked for room before the trip.")
    for actor, deeds in ((TESTER, (plans.apply,)), (person, (plans.apply, plans.undo)), (TESTER, ())):
        dana.writes("goes by a plan", tier=Tier.PERMANENT, at=now)
        target = Target(size_bytes=1)
        plan = plans.make(dana.id, target=target, tier=Tier.PERMANENT, actor=actor, why=why, now=now)
        for deed in deeds:
            deed(plan.pk, actor=actor, why=why, now=now)


@pytest.fixture
def busy(lena):
    """A user with everything that a page may show, and others beside."""
    now = clock.utc_now()
    issue_key()
    samples.take(now=now - timedelta(hours=1))
    dana, until = Person.register("dana", at=now), now + timedelta(hours=1)
    for person in (dana, *(Person.register("other", at=now) for _ in range(3))):
        person.writes("a memory", at=now)
        person.writes("soon over", tier=Tier.SHORT_TERM, at=now)
        MemoryItem.objects.filter(user_id=person.id).update(created_by=f"client:{ApiKey.objects.get().pk}")
        refusals.keep_counted(
            RefusalKind.THROTTLE,
            Call(person.id, None, ""),
            source="throttle",
            source_id=str(person.is_throttled(at=now, until=until).pk),
            per_minute=10,
            now=now,
        )
    for reader in (lena, Portal.of(hire("luis", Role.LEAD))):
        reader.reveals(dana)
    meditated(lena, now)
    planned_of_many(lena, now)
    planned(dana, lena, now)
    dana.is_throttled(ThrottleScope.QUERY, at=now, until=until)
    dana.is_raised(Tier.SHORT_TERM, 1 << 20, at=now, until=until)
    return dana


def address_of(page, busy):
    """The page's address, of this user, one of their items and the newest act that can be undone."""
    item = MemoryItem.objects.filter(user_id=busy.id).order_by("pk")[0]
    act = AuditEntry.objects.filter(action="throttle.set", actor_kind="staff").order_by("-pk")[0]
    known = {"/ops/users/<user>/": user_page(busy), "<item>": item.public_id, "<act>": str(act.pk)}
    known["<who>"] = busy.public_id
    known["<cohort>"] = PlanCohort.objects.get().public_id
    known["<plan>"] = PrunePlan.objects.filter(in_cohort=None).order_by("pk")[0].public_id
    known["<run>"] = MeditationRun.objects.filter(decisions__isnull=False).distinct().get().public_id
    for name, value in known.items():
        page = page.replace(name, value)
    return page


def test_each_page_costs_as_many_statements_as_was_agreed(sam, busy):
    sam.throttles(busy, scope="all")
    sam.notes(busy, "Calls back on weekdays only.")
    sam.ends(busy.is_raised(Tier.PERMANENT, 11 << 20, at=clock.utc_now(), until=clock.utc_now() + timedelta(hours=1)))
    counted = {}

    for page in frozen_counts():
        address = address_of(page, busy)
        with CaptureQueriesContext(connection) as queries:
            assert sam.opens(address).status_code == 200
        counted[page] = len(queries)

    lines = [f"{page} {count}" for page, count in counted.items()]
    assert lines == [line for line in FROZEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def test_no_page_was_agreed_to_cost_more_than_its_kind_may():
    most = {"/ops/": MOST_OF_THE_OVERVIEW, "/ops/plans/<plan>/?tab=stays": MOST_THAT_SCORES_ANEW}
    for page, count in frozen_counts().items():
        assert count <= most.get(page, MOST_OF_A_USER if "<" in page else MOST_OF_A_LIST), page
