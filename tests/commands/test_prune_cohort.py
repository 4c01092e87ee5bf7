from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from kimberly.celery import app
from kimberly.lib import clock
from memory.models import MemoryItem, PlanCohort, PlanCohortUser, PrunePlanItem
from memory.rules.plancohorts import Became, CohortState
from memory.rules.tiers import ItemState
from memory.services import items
from memory.services.items import Change
from tests.personas import TESTER, Person

REASON = "They asked for room before the trip."


@pytest.fixture(autouse=True)
def _with_a_broker(db):
    """As manage.py does it."""
    app.set_default()


@pytest.fixture
def people():
    persons = [Person.register(f"batch{n}") for n in range(2)]
    for person in persons:
        for number in range(4):
            person.writes(f"rare{number}", at=clock.utc_now())
    return persons


def told(*arguments, reason=REASON):
    """What the command says on standard output, a line each."""
    output = StringIO()
    call_command("prune_cohort", *arguments, "--reason", reason, stdout=output, stderr=StringIO())
    return output.getvalue().splitlines()


def planned():
    return told("--beginning", "batch", "--share", "0.5", "--wait")


def active(person):
    return sum(usage.active_items for usage in map(person.usage, ["short-term", "long-term"]))


def test_plans_of_each_user_and_prints_the_id_and_what_they_add_up_to(people):
    cohort_id, result = planned()

    made = PlanCohort.objects.get()
    assert (cohort_id, made.state, made.created_by) == (made.public_id, CohortState.FROZEN, "command:prune_cohort")
    assert result.startswith("frozen: plans that archive something 2, items 4, ")
    assert [active(person) for person in people] == [4, 4]


def test_leaves_them_to_the_workers_unless_told_to_wait(people):
    [cohort_id] = told("--beginning", "batch", "--bytes", "5")

    made = PlanCohort.objects.get()
    assert (cohort_id, made.state, made.target_bytes) == (made.public_id, CohortState.PLANNING, 5)


def test_applies_and_undoes_them_by_their_id(people):
    cohort_id, _ = planned()

    _, applied = told("--apply", cohort_id, "--wait")
    left = [active(person) for person in people]
    _, undone = told("--undo", cohort_id, "--wait")

    assert applied.startswith("applied: users 2, partly 0; items archived 4, ")
    assert left == [2, 2]
    assert undone.startswith("undone: users 2; items back 4, ")
    assert [active(person) for person in people] == [4, 4]


def test_keeps_why_in_the_audit_trail(people):
    told("--beginning", "batch", "--share", "0.5", "--ticket", "HD-2214")

    entry = AuditEntry.objects.select_related("text").get(action="cohort.begun")
    assert (entry.text.reason, entry.text.ticket) == (REASON, "HD-2214")


def test_tells_of_whom_not_all_was_done(people):
    cohort_id, _ = planned()
    member = PlanCohortUser.objects.order_by("user_id")[0]
    first = PrunePlanItem.objects.get(plan=member.plan_id, position=1)
    change = Change(content="something else")
    items.change_item(first.item_id, change, user_id=member.user_id, expected=None, now=clock.utc_now())

    said = told("--apply", cohort_id, "--wait")

    assert f"{member.user.external_id}: partly. Left as they are: 1 changed since." in said


def test_fails_where_somebody_is_refused(people):
    cohort_id, _ = planned()
    told("--apply", cohort_id, "--wait")
    gone = people[0]
    archived = MemoryItem.objects.filter(user_id=gone.id, state=ItemState.ARCHIVED).order_by("pk")[0]
    items.purge_item(archived.pk, user_id=gone.id, actor=TESTER, now=clock.utc_now())
    output = StringIO()

    with pytest.raises(CommandError, match="Some users were refused"):
        call_command(
            "prune_cohort", "--undo", cohort_id, "--wait", "--reason", REASON, stdout=output, stderr=StringIO()
        )

    assert f"{gone.external_id}: refused. All come back, or none" in output.getvalue()
    assert PlanCohortUser.objects.get(user_id=gone.id).became == Became.REFUSED


def test_stops_what_is_under_way(people):
    [cohort_id] = told("--beginning", "batch", "--share", "0.5")

    told("--stop", cohort_id)

    assert PlanCohort.objects.get().state == CohortState.STOPPED


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--share", "0.5"], "This asks for all customers"),
        (["--beginning", "nobody-begins-so", "--share", "0.5"], "Nobody is among these customers"),
        (["--beginning", "batch"], "Say --share or --bytes"),
        (["--tier", "long-term", "--share", "0.5"], "--tier narrows a list"),
        (["--beginning", "batch", "--share", "1.5"], "target_share"),
        (["--apply", "nonsense"], "There are no such plans"),
        (["--apply", "coh_00000000000000000000000000000007"], "There are no such plans"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(people, arguments, says):
    with pytest.raises(CommandError, match=says):
        told(*arguments)

    assert not PlanCohort.objects.exists()


def test_a_reason_that_says_nothing_is_refused(people):
    with pytest.raises(CommandError, match="at least 10 characters"):
        told("--beginning", "batch", "--share", "0.5", reason="oops")
