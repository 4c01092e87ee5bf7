"""A prune of one user in the portal: planned, looked at, applied once by whoever comes first, undone as a whole."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from memory.models import MemoryItem, MemoryUser, PrunePlan
from memory.rules.meditation import Trigger
from memory.rules.plans import PlanState
from memory.rules.tiers import ItemState, Tier, UserState
from memory.services import meditationruns, samples
from ops.roles import Role
from tests.ops.portal import WHY, Portal, plan_page, prune_page, raise_page, text_of, user_page
from tests.personas import NOON, TESTER, Person, hire
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


def meditate_on(person, *, at):
    meditationruns.begin(Trigger.MANUAL, user_id=person.id, actor=TESTER, why=Why(), now=at)
    while (shard := meditationruns.take(now=at)) is not None:
        meditationruns.do(shard, tell_time=lambda: at)


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


def test_the_timeline_tells_each_step_with_why_and_the_way_back(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan, ticket="HD-2214")

    page = lena.opens(user_page(dana, "?tab=history"))

    text = text_of(page)
    assert "Planned a prune of long-term and short-term: 3 items, 300 B" in text
    assert f"Applied a prune plan: archived 3 items of long-term, 300 B {WHY} {lena.staff.username}, HD-2214" in text
    assert "Long-term before 600 B of" in text
    assert f'href="{plan_page(plan)}"' in page.content.decode()
    assert f'href="{plan_page(plan, "undo/")}"' in page.content.decode()


def test_an_undone_plan_says_so_in_the_timeline_and_is_not_offered_again(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    lena.takes_back(plan)

    page = lena.opens(user_page(dana, "?tab=history&kind=meditation"))

    assert "Undid a prune plan: 3 items of long-term, 300 B, are back" in text_of(page)
    assert f"undone by {lena.staff.username} just now" in text_of(page)
    assert plan_page(plan, "undo/") not in page.content.decode()


def test_what_meditations_and_plans_decided_stands_in_one_list(lena, dana):
    dana.writes("Soon over.", tier=Tier.SHORT_TERM, at=NOON - timedelta(days=2))
    meditate_on(dana, at=NOON - timedelta(hours=1))
    plan = plan_of(dana, 250)
    lena.applies(plan)
    lena.throttles(dana)

    text = lena.reads(user_page(dana, "?tab=history&kind=meditation"))

    assert "Applied a prune plan: archived 3 items" in text
    assert "Meditation archived 1 item" in text
    assert "Throttled to" not in text


def test_an_applied_plan_is_among_what_can_be_undone_until_it_is(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    page = user_page(dana, "?tab=history&kind=undo")
    assert "Applied a prune plan" in lena.reads(page)

    lena.takes_back(plan)

    assert "Applied a prune plan" not in lena.reads(page)


def test_the_form_says_how_it_is_now_and_would_be(sam, dana):
    text = sam.reads(prune_page(dana))

    assert "Used in long-term 600 B" in text
    assert "at most 450 B" in text


def test_what_is_protected_is_not_promised_to_go(sam, dana):
    MemoryItem.objects.filter(user_id=dana.id).update(protected=True)

    text = sam.reads(prune_page(dana))

    assert "at most 600 B" in text
    assert "450 B" not in text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("?tier=short-term&size=1000", ("short-term", "other", "0.977")),
        ("?tier=permanent&size=2048", ("permanent", "other", "2")),
        ("?tier=long-term&free=50", ("long-term", "50", None)),
        ("?tier=none&size=-1&free=99", ("usual", "25", None)),
        ("?size=" + "9" * 40, ("usual", "25", None)),
    ],
)
def test_a_link_fills_in_what_it_asks_for_and_rounds_up(sam, dana, query, wanted):
    form = sam.opens(prune_page(dana, query)).context["offer"].form

    filled = tuple(form[name].initial for name in ("tier", "free", "size"))
    assert tuple(None if value is None else str(value) for value in filled) == wanted


def test_a_size_is_typed_and_frees_at_least_that(sam, dana):
    sam.plans(dana, free="other", size="0.245", unit="KiB")

    assert (the_plan().target_bytes, the_plan().items_total) == (250, 3)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"free": "other"}, "How much?"),
        ({"free": "other", "size": "-1"}, "A number above 0"),
        ({"free": "other", "size": "nan"}, "A number above 0"),
        ({"free": "75"}, "Select a valid choice"),
        ({"tier": "none"}, "Select a valid choice"),
        ({"reason": "short"}, "at least 10, so that the next reader understands"),
    ],
)
def test_what_is_typed_wrong_is_said_beside_it_and_kept(sam, dana, fields, says):
    answer = sam.plans(dana, ticket="HD-2214", **fields)

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "HD-2214" in answer.content.decode()
    assert not PrunePlan.objects.exists()


def test_a_form_that_is_sent_twice_makes_one_plan(sam, dana):
    once = uuid4()

    first, second = (sam.plans(dana, once=once) for _ in range(2))

    assert first.url == second.url
    assert PrunePlan.objects.count() == 1


def test_a_form_that_is_sent_twice_applies_and_undoes_once(lena, dana):
    plan = plan_of(dana, 250)

    for send in (lena.applies, lena.takes_back):
        once = uuid4()
        assert send(plan, once=once).url == send(plan, once=once).url

    assert AuditEntry.objects.filter(action__startswith="plan.").count() == 3


def test_support_sees_who_applies_and_cannot(sam, dana):
    plan = plan_of(dana, 250)

    assert "(support) cannot apply prune plans: lead can." in sam.reads(plan_page(plan, "apply/"))
    assert sam.applies(plan).status_code == 403
    assert set(states(dana)) == {ItemState.ACTIVE}


def test_a_viewer_sees_who_plans(vera, dana):
    assert "(viewer) cannot plan prunes: lead and support can." in vera.reads(prune_page(dana))
    assert "cannot plan prunes" in vera.reads(user_page(dana))


def test_nothing_is_planned_of_somebody_who_is_erased(sam, dana):
    MemoryUser.objects.filter(pk=dana.id).update(state=UserState.ERASED)

    assert "This user is erased: there is nothing to prune." in sam.reads(prune_page(dana))
    assert sam.plans(dana).status_code == 404
    assert not PrunePlan.objects.exists()


def test_a_plan_that_grew_stale_while_it_was_looked_at_applies_nothing(lena, dana):
    plan = plan_of(dana, 250)
    PrunePlan.objects.update(stale_at=NOON)

    answer = lena.applies(plan)

    assert answer.status_code == 409
    assert "It grew stale just now: make a new plan" in text_of(answer)
    assert WHY in text_of(answer), "what was typed is not lost"
    assert set(states(dana)) == {ItemState.ACTIVE}


def test_an_undone_plan_is_not_applied_again(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    lena.takes_back(plan)

    answer = lena.applies(plan)

    assert answer.status_code == 409
    assert "A plan takes effect once: make a new one." in text_of(answer)


def test_two_who_undo_are_told_who_did(lena, luis, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    lena.takes_back(plan)

    answer = luis.takes_back(plan)

    assert f"Nothing was done now: {lena.staff.username} undid it just now. 3 items back." in luis.reads(answer.url)
    assert AuditEntry.objects.filter(action="plan.undone").count() == 1


def test_without_room_nothing_comes_back_and_what_helps_is_said(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    dana.fill(Tier.LONG_TERM, leaving_bytes=10)

    answer = lena.takes_back(plan)

    assert answer.status_code == 409
    assert "No room in long-term: needs 300 B, 10 B are free." in text_of(answer)
    page = lena.opens(plan_page(plan))
    assert "What would help: Raise long-term to" in text_of(page)
    assert f'href="{raise_page(dana)}"' in page.content.decode()


def test_burst_overflow_leads_to_a_plan_down_to_the_soft_limit(sam, db):
    samples.take(now=NOON - timedelta(hours=1))
    person = Person.register("dana", display_name="Dana Whitfield")
    person.fill(Tier.LONG_TERM, leaving_bytes=100)
    used = person.usage(Tier.LONG_TERM)

    page = sam.opens("/ops/burst/?tier=long-term").content.decode()

    size = used.active_bytes - used.soft_bytes
    assert f'href="{prune_page(person)}?tier=long-term&amp;size={size}"' in page
