"""Many users at once: plans are made, looked at as a whole, applied, stopped and undone; on a phone without scripts."""

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory.models import MemoryItem, PlanCohort
from memory.rules.plancohorts import CohortState
from memory.rules.tiers import ItemState
from memory.services import items
from memory.services.items import Change
from tests.journeys.window import DESKTOP, PHONE
from tests.personas import Person, unique
from tests.pruning.cohorts import all_done, plan_of_member
from tests.pruning.planning import listed

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHY = "They are over and asked for room, HD-31"
BOTH = pytest.mark.parametrize(("scripts", "size"), [(True, DESKTOP), (False, PHONE)], ids=["desktop", "phone"])


@pytest.fixture
def people(committed_db):
    """Three of whom each has something to archive; whatever others left to the workers is done."""
    all_done()
    beginning = unique("many")
    persons = [Person.register(f"{beginning}-{n}", display_name=f"{beginning} {n}") for n in range(3)]
    for person in persons:
        for number in range(4):
            person.writes(f"rare{number}", at=clock.utc_now())
    return beginning, persons


def makes(page, beginning):
    page.goto("/ops/plans/cohorts/")
    page.get_by_role("link", name="Plan for a cohort").first.click()
    page.get_by_label("Whose ids or names begin with").fill(beginning)
    page.get_by_role("button", name="Show how many they are").click()
    expect(page.locator(".k-change")).to_contain_text("3 users: the customers")
    page.get_by_label("50 %").check(force=True)  # the dot itself is hidden below its words
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Plan for these users").click()
    expect(page.locator(".k-toast")).to_contain_text("left to the workers")
    return PlanCohort.objects.get(cohort__beginning=beginning)


def confirms(page, made, action):
    page.get_by_role("link", name=action).click()
    page.get_by_label("Reason").fill(WHY)
    page.get_by_label(f"Type {made.public_id[-6:]}").fill(made.public_id[-6:])
    page.get_by_role("button", name=action).click()
    expect(page.locator(".k-toast")).to_contain_text("Began to")


def stops(page):
    page.get_by_role("link", name="Stop", exact=True).click()
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Stop", exact=True).click()


def changes(person, item):
    about = {"user_id": person.id, "expected": None, "now": clock.utc_now()}
    items.change_item(item, Change(content="something else"), **about)


def archived(persons):
    return MemoryItem.objects.filter(user__in=[one.id for one in persons], state=ItemState.ARCHIVED).count()


@BOTH
def test_from_the_filter_to_the_undo_of_all(open_window, sam, lena, people, scripts, size):
    beginning, persons = people
    made = makes(open_window(scripts=scripts, size=size).signs_in(sam).page, beginning)
    page = open_window(scripts=scripts, size=size).signs_in(lena).page
    address = f"/ops/plans/cohorts/{made.public_id}/"
    page.goto(address)
    expect(page.get_by_role("heading", name="Plans are being made: 0 of 3 users")).to_be_visible()
    all_done()
    page.goto(address)
    expect(page.get_by_role("heading", name="6 items (42 B) of 3 users would leave retrieval")).to_be_visible()
    page.get_by_role("link", name="Where most goes").click()
    expect(page.get_by_role("heading", name="Of whom most bytes go")).to_be_visible()
    changes(persons[1], listed(plan_of_member(made, persons[1]))[0])

    confirms(page, made, "Apply the plans")
    stops(page)
    expect(page.get_by_role("heading", name="while applying: 0 of 3 users")).to_be_visible()
    confirms(page, made, "Apply the plans")
    all_done()
    page.goto(address)
    expect(page.get_by_role("heading", name="5 items (35 B) of 3 users archived")).to_be_visible()
    page.get_by_role("link", name="See whom").click()
    expect(page.locator("#live")).to_contain_text("Left as they are: 1 changed since.")
    assert archived(persons) == 5
    confirms(page, made, "Undo the plans")
    all_done()

    page.goto(address)
    expect(page.get_by_role("heading", name="Undone")).to_be_visible()
    made.refresh_from_db()
    assert (made.state, archived(persons)) == (CohortState.UNDONE, 0)


def test_a_page_left_open_tells_how_far_it_is(open_window, sam, people):
    beginning, _ = people
    page = open_window().signs_in(sam).page
    makes(page, beginning)

    all_done()

    expect(page.get_by_role("heading", name="would leave retrieval; nothing is archived yet")).to_be_visible(
        timeout=15_000
    )
