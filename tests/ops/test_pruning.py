"""A prune of one user in the portal: planned, looked at, applied once by whoever comes first, undone as a whole."""

import pytest

from kimberly.audit.models import AuditEntry
from memory.models import MemoryItem, PrunePlan
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState, Tier
from ops.roles import Role
from tests.ops.portal import WHY, Portal, plan_page, text_of
from tests.personas import Person, hire
from tests.pruning.planning import plan_of, tells

pytestmark = pytest.mark.usefixtures("clock_at_noon")


@pytest.fixture
def dana(db):
    """With six memories in long-term, of 100 bytes each."""
    person = Person.register("dana", display_name="Dana Whitfield")
    tells(person, 6)
    return person


@pytest.fixture
def luis(db):
    """Another lead."""
    return Portal.of(hire("luis", Role.LEAD))


def the_plan():
    return PrunePlan.objects.select_related("user").get()


def states(person):
    found = MemoryItem.objects.filter(user_id=person.id).order_by("pk")
    return sorted(found.values_list("state", flat=True))


def test_support_plans_a_prune_and_nothing_is_archived(sam, dana):
    answer = sam.plans(dana, ticket="HD-2214")

    plan = the_plan()
    assert answer.url == f"{plan_page(plan)}?done=made"
    assert (plan.tier, plan.target_share, plan.items_total, plan.ticket) == (Tier.LONG_TERM, 0.5, 3, "HD-2214")
    assert set(states(dana)) == {ItemState.ACTIVE}
    text = sam.reads(answer.url)
    assert "The plan is made. Nothing of Dana Whitfield was archived yet." in text
    assert "3 items, 300 B, would be archived" in text
    assert WHY in text


def test_a_lead_applies_it_with_the_typed_id_and_is_offered_the_way_back(lena, dana):
    plan = plan_of(dana, 250)

    answer = lena.applies(plan)

    plan.refresh_from_db()
    assert (plan.state, plan.archived_items) == (PlanState.APPLIED, 3)
    page = lena.opens(answer.url)
    assert "Applied just now: 3 items archived, 300 B freed." in text_of(page)
    assert f'href="{plan_page(plan, "undo/")}"' in page.content.decode()
    assert AuditEntry.objects.get(action="plan.applied").text.reason == WHY


def test_the_wrong_id_applies_nothing(lena, dana):
    plan = plan_of(dana, 250)

    answer = lena.applies(plan, whom="somebody")

    assert (answer.status_code, set(states(dana))) == (422, {ItemState.ACTIVE})
    assert "This is not the external id of the user whose plan this is." in text_of(answer)


def test_who_comes_second_is_told_who_applied_it_and_nothing_happens_twice(lena, luis, dana):
    plan = plan_of(dana, 250)
    luis.opens(plan_page(plan, "apply/"))
    lena.applies(plan)

    answer = luis.applies(plan)

    told = f"Nothing was done now: {lena.staff.username} applied it just now. 3 items archived, 300 B freed."
    assert told in luis.reads(answer.url)
    assert AuditEntry.objects.filter(action="plan.applied").count() == 1


def test_a_lead_undoes_it_and_all_is_back(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)

    answer = lena.takes_back(plan)

    assert set(states(dana)) == {ItemState.ACTIVE}
    text = lena.reads(answer.url)
    assert "Undone just now: 3 items back, 300 B." in text
    assert AuditEntry.objects.get(action="plan.undone").text.reason == WHY
