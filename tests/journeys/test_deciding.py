"""At three in the morning, on a phone: a held meditation is looked at and decided, and one that was wrong is undone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from kimberly.lib import clock
from memory import tasks
from memory.models import MeditationRun, MemoryItem
from memory.rules.brakes import Held
from memory.rules.meditation import RunState
from memory.rules.tiers import ItemState, Tier
from memory.services import meditationbrakes
from tests.journeys.window import DESKTOP, PHONE
from tests.meditation.runs import begin, do_all
from tests.ops.portal import run_page
from tests.personas import Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHY = "The canary was one busy user, INC-7"
BOTH = pytest.mark.parametrize(("scripts", "size"), [(True, PHONE), (False, DESKTOP)], ids=["phone", "no-scripts"])


@pytest.fixture
def run(committed_db):
    """A meditation of one user, with something to archive."""
    now = clock.utc_now()
    person = Person.register("held", display_name="Hanna Ek", at=now - timedelta(days=9))
    for n in range(4):
        person.writes(f"rare{n}", tier=Tier.SHORT_TERM, at=now - timedelta(days=2))
    yield begin(person=person, now=now)
    MeditationRun.objects.filter(ended_at=None).update(state=RunState.ABORTED, ended_at=clock.utc_now())


def confirms(page, run, button):
    page.get_by_label("Reason").fill(WHY)
    page.get_by_label(f"Type {run.public_id[-6:]}").fill(run.public_id[-6:])
    page.get_by_role("button", name=button).click()


@BOTH
def test_a_held_run_is_let_go_on(open_window, olivia, run, scripts, size):
    meditationbrakes.hold(run.pk, Held.SPIKE, now=clock.utc_now())
    window = open_window(scripts=scripts, size=size).signs_in(olivia).opens(run_page(run))
    expect(window.page.get_by_role("heading", name="is held and waits for an operator")).to_be_visible()
    window.page.get_by_role("link", name="Look at a sample").click()
    window.page.get_by_role("link", name="Let it go on").click()

    confirms(window.page, run, "Let it go on")

    expect(window.page.locator(".k-toast")).to_have_text("Let the meditation go on, without brakes but the daily cap.")
    expect(window.page.locator(".k-timeline")).to_contain_text(WHY)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


@BOTH
def test_a_run_that_was_wrong_is_undone(open_window, olivia, run, scripts, size):
    do_all(clock.utc_now())
    window = open_window(scripts=scripts, size=size).signs_in(olivia).opens(run_page(run))
    window.page.get_by_role("link", name="Undo the run").click()

    confirms(window.page, run, "Undo the run")

    expect(window.page.locator(".k-toast")).to_contain_text("The undo was begun.")
    while tasks.undo_meditation() is not None:  # other tests may have left some
        pass
    window.opens(run_page(run, "?tab=undo"))
    expect(window.page.get_by_role("heading", name="It was undone")).to_be_visible()
    expect(window.page.get_by_role("link", name="Hanna Ek").first).to_be_visible()
    assert set(MemoryItem.objects.filter(user_id=run.user_id).values_list("state", flat=True)) == {ItemState.ACTIVE}


@BOTH
def test_one_users_part_is_undone_from_their_timeline(open_window, lena, run, scripts, size):
    do_all(clock.utc_now())
    window = open_window(scripts=scripts, size=size).signs_in(lena)
    window.opens(f"/ops/users/{run.user.public_id}/?tab=history&kind=meditation")
    window.page.get_by_role("link", name="Undo Meditation archived").click()
    window.page.get_by_label("Reason").fill(WHY)

    window.page.get_by_role("button", name="Undo").click()

    expect(window.page.locator(".k-toast")).to_contain_text("Undid what the meditation")
    assert set(MemoryItem.objects.filter(user_id=run.user_id).values_list("state", flat=True)) == {ItemState.ACTIVE}
