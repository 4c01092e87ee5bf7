"""From a refused write to room again, and back: support plans, two leads look at the same plan, one applies it.

The client writes; what went is wanted back; it comes back as it was once there is room. With scripts and without.
"""

from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from kimberly.clients.models import Scope
from kimberly.lib import clock
from memory.models import MemoryItem, PrunePlan
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState, Tier
from ops.roles import Role
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import plan_page, raise_page, user_page
from tests.personas import Person, content_of, hire, issue_key
from tests.web import WebServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BOTH = pytest.mark.parametrize(("scripts", "size"), [(True, DESKTOP), (False, PHONE)], ids=["desktop", "no-scripts"])
REASON = "The importer looped, the client agrees, HD-2214"
WRITE_BYTES = 40_000


@dataclass
class Client:
    """A program that writes for one person."""

    web: WebServer
    person: Person
    key: str

    def writes(self):
        body = {"user_id": self.person.external_id, "type": "short-term", "content": "z" * WRITE_BYTES}
        with self.web.client(self.key) as api:
            return api.post("/api/v1/memory", json=body).status_code


@pytest.fixture
def nora(web):
    """Somebody whose short-term tier has no room for what comes next."""
    now = clock.utc_now()
    person = Person.register("nora", display_name="Nora Vance", at=now)
    while person.free_bytes(Tier.SHORT_TERM, at=now) > WRITE_BYTES // 4:
        person.writes(content_of(8_000), tier=Tier.SHORT_TERM, at=now)
    return person


@pytest.fixture
def client(web, nora):
    return Client(web, nora, issue_key(Scope.WRITE))


def kept(person):
    """What is active, with all that is to be the same afterwards."""
    active = MemoryItem.objects.filter(user_id=person.id, state=ItemState.ACTIVE).order_by("pk")
    return list(active.values_list("pk", "tier", "content", "metadata", "created_at"))


def plans(window, person):
    """Support, from the refusal to the plan that would have made room."""
    window.opens(user_page(person, "?tab=refusals"))
    window.page.get_by_role("link", name="Plan a prune that would have made room for it").click()
    window.page.get_by_label("Reason").fill(REASON)
    window.page.get_by_role("button", name="Make the plan").click()
    expect(window.page.locator(".k-toast")).to_contain_text("Nothing of Nora Vance was archived yet.")
    return PrunePlan.objects.select_related("user").get(user_id=person.id)


def fills_in(window, plan):
    """A lead, on the plan's page and then in the form that applies it, which is not sent yet."""
    window.opens(plan_page(plan))
    expect(window.page.get_by_role("heading", level=1)).to_contain_text("of Nora Vance")
    window.page.get_by_role("link", name="Apply the plan").click()
    window.page.get_by_label("Reason").fill("Looked at the list: copies")
    window.page.get_by_label(f"Type {plan.user.external_id}").fill(plan.user.external_id)


def sends(window, plan):
    window.page.get_by_role("button", name=f"Archive {plan.items_total} item").click()
    window.page.wait_for_url("**?done=applied")


def raises(window, person):
    """Make room, so that what went fits beside what came."""
    window.opens(raise_page(person))
    window.page.get_by_label("Reason").fill("Until the client has sorted it out")
    window.page.get_by_role("button", name="Raise this quota").click()
    expect(window.page.locator(".k-toast")).to_contain_text("in short-term until")


@BOTH
@pytest.mark.promise("P9")
def test_from_a_refusal_to_a_pruned_and_then_restored_user(open_window, sam, lena, nora, client, scripts, size):
    windows = [open_window(scripts=scripts, size=size) for _ in range(3)]
    support, lead, other = windows
    support.signs_in(sam)
    lead.signs_in(lena)
    other.signs_in(hire("luis", Role.LEAD).username)
    before = kept(nora)
    assert client.writes() == 413

    plan = plans(support, nora)
    expect(support.page.locator(".k-why", has_text="cannot apply prune plans: lead can.")).to_be_visible()
    for window in (lead, other):
        fills_in(window, plan)
    sends(lead, plan)
    expect(lead.page.locator(".k-toast")).to_contain_text(f"{plan.items_total} items archived")
    sends(other, plan)
    expect(other.page.locator(".k-toast")).to_contain_text(f"Nothing was done now: {lena} applied it")
    assert (client.writes(), len(kept(nora))) == (201, len(before) - plan.items_total + 1)

    other.opens(plan_page(plan))
    expect(other.page.locator(".k-why", has_text="No room in short-term")).to_be_visible()
    raises(other, nora)
    other.opens(user_page(nora, "?tab=history&kind=undo"))
    other.page.get_by_role("link", name="Undo Applied a prune plan").click()
    other.page.get_by_label("Reason").fill("The client wants them back")
    other.page.get_by_role("button", name="Undo the plan").click()

    expect(other.page.locator(".k-toast")).to_contain_text(f"{plan.items_total} items back")
    assert [row for row in kept(nora) if row in before] == before
    plan.refresh_from_db()
    assert plan.state == PlanState.UNDONE
    lead.opens(plan_page(plan))
    expect(lead.page.get_by_role("link", name="Undo the plan")).to_have_count(0)
    if scripts:
        assert [window.reports() for window in windows] == [[], [], []]


def test_a_double_click_applies_once(open_window, lena, nora, client, sam):
    client.writes()
    plan = plans(open_window(scripts=False).signs_in(sam), nora)
    window = open_window().signs_in(lena)
    fills_in(window, plan)

    window.page.get_by_role("button", name="Archive").dblclick()

    expect(window.page.locator(".k-toast")).to_contain_text("items archived")
    plan.refresh_from_db()
    assert plan.archived_items == plan.items_total
