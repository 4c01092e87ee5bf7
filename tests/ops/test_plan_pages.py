"""The pages of prune plans: the list, and one plan as a person judges it before and looks it up afterwards."""

import pytest

from memory.models import MemoryItem
from memory.rules.tiers import Tier
from memory.services import items
from memory.services.items import Change
from tests.ops.portal import plan_page, prune_page, text_of, user_page
from tests.ops.refusing import refuse
from tests.personas import NOON, TESTER, Person
from tests.pruning.planning import DAY, HOUR, SHORT, applied, listed, plan_of, tells, undone

pytestmark = pytest.mark.usefixtures("clock_at_noon")
PLANS = "/ops/plans/"


@pytest.fixture
def dana(db):
    """With six memories in long-term, of 100 bytes each."""
    person = Person.register("dana", display_name="Dana Whitfield")
    tells(person, 6)
    return person


def protect(person, item_id, *, at=NOON):
    items.change_item(item_id, Change(protected=True), user_id=person.id, expected=None, now=at)


def positions(answer):
    return [row.position for row in answer.context["page"].rows]


def test_before_anything_was_planned_the_list_says_where_a_plan_begins(vera, db):
    assert "No prune was planned yet" in vera.reads(PLANS)


def test_the_list_tells_whose_plan_it_is_how_it_stands_and_what_was_left(vera, dana):
    plan = plan_of(dana, 250)
    protect(dana, listed(plan)[0])
    applied(plan, now=NOON)

    text = vera.reads(PLANS)

    assert "Dana Whitfield" in text
    assert "Applied tests (command), just now" in text
    assert "3 300 B 2 200 B 1 protected since" in text


def test_the_list_shows_one_state_and_one_user(vera, dana, alice):
    tells(alice, 2)
    old, new, hers = plan_of(dana, 100, now=NOON - DAY - HOUR), plan_of(dana, 200), plan_of(alice, 100)
    shown = {
        query: [row.plan.pk for row in vera.opens(f"{PLANS}?{query}").context["page"].rows]
        for query in ("", "state=frozen", "state=stale", "state=applied", f"user={dana.public_id}")
    }

    assert shown[""] == sorted([old.pk, new.pk, hers.pk], reverse=True)
    assert set(shown["state=frozen"]) == {new.pk, hers.pk}
    assert shown["state=stale"] == [old.pk]
    assert shown["state=applied"] == []
    assert shown[f"user={dana.public_id}"] == [new.pk, old.pk]


@pytest.mark.parametrize("query", ["?user=usr_x", f"?user=usr_{'0' * 32}"])
def test_plans_of_nobody_are_nowhere(vera, db, query):
    assert vera.opens(f"{PLANS}{query}").status_code == 404


def test_no_plan_of_a_state_is_said_so(vera, dana):
    plan_of(dana, 100)

    assert "No plan stands so" in vera.reads(f"{PLANS}?state=undone")


def test_a_frozen_plan_says_what_goes_what_stays_and_until_when(vera, dana):
    protect(dana, tells(dana, 1)[0])
    plan = plan_of(dana, 250)

    text = vera.reads(plan_page(plan))

    assert "Archive 3 items of Dana Whitfield" in text
    assert "3 items, 300 B, would be archived" in text
    assert "It can be applied until tomorrow 12:00" in text
    assert "3 items 300 B, of 7 items" in text
    assert "Stays, protected 1 item 100 B" in text
    assert "Looked at again just now: none of the 3 items has changed." in text
    assert "vera" in text
    assert "cannot apply prune plans: lead can." in text


def test_usage_is_drawn_before_and_after_and_said_in_figures(vera, dana):
    plan = plan_of(dana, 250, tier=Tier.LONG_TERM)

    answer = vera.opens(plan_page(plan))

    assert answer.content.decode().count("<meter") == 2
    text = text_of(answer)
    assert "Long-term when it was made Long-term 600 B of" in text
    assert "Long-term once it is applied Long-term 300 B of" in text


def test_what_goes_stands_in_order_with_its_score_told_in_parts(vera, dana):
    plan = plan_of(dana, 250)

    answer = vera.opens(plan_page(plan))

    assert positions(answer) == [1, 2, 3]
    text = text_of(answer)
    assert "the score by the root of 100 B: the lowest go first" in text
    assert "Predictive value" in text
    assert "masked, 98 characters" in text
    assert "rare0x0" not in answer.content.decode()


def test_the_contents_show_to_whoever_has_them_revealed(lena, dana):
    plan = plan_of(dana, share=1.0)
    assert "rare1x0" not in lena.reads(plan_page(plan))
    lena.reveals(dana)

    assert "rare1x0" in lena.reads(plan_page(plan))
    assert "rare5x0" not in lena.reads(plan_page(plan, "?tab=stays"))


def test_the_biggest_the_oldest_and_a_sample_can_be_looked_at(vera, dana):
    dana.writes("a long one, " * 20, at=NOON)
    dana.writes("an old one", at=NOON - 9 * DAY)
    plan = plan_of(dana, share=1.0)
    by_size = MemoryItem.objects.filter(planned__plan=plan).order_by("-size_bytes")

    rows = {name: vera.opens(plan_page(plan, f"?list={name}")).context["page"].rows for name in ("biggest", "oldest")}

    assert rows["biggest"][0].public_id == by_size[0].public_id
    assert rows["oldest"][0].created_at == NOON - 9 * DAY
    sample = [positions(vera.opens(plan_page(plan, "?list=sample"))) for _ in range(2)]
    assert sample[0] == sample[1]
    assert sorted(sample[0]) == list(range(1, 9))


def test_a_long_list_goes_on_page_by_page(vera, dana):
    tells(dana, 20)
    plan = plan_of(dana, share=1.0)

    first = vera.opens(plan_page(plan))
    second = vera.opens(plan_page(plan, f"?cursor={first.context['page'].next_cursor}"))

    assert positions(first) + positions(second) == list(range(1, 27))
    assert vera.opens(plan_page(plan, "?cursor=x")).status_code == 422


def test_what_stays_are_the_next_in_line_and_what_is_protected(vera, dana):
    kept = tells(dana, 1)[0]
    protect(dana, kept)
    plan = plan_of(dana, 250)

    answer = vera.opens(plan_page(plan, "?tab=stays"))

    assert [row.position for row in answer.context["next_ones"]] == [4, 5, 6]
    assert [row.public_id for row in answer.context["protected"]] == [MemoryItem.objects.get(pk=kept).public_id]


def test_the_next_in_line_are_those_that_a_larger_target_reaches(vera, dana):
    small, large = plan_of(dana, 250), plan_of(dana, share=1.0)

    shown = vera.opens(plan_page(small, "?tab=stays")).context["next_ones"]

    assert [row.public_id for row in shown] == [f"mem_{item.hex}" for item in listed(large)[3:]]


def test_a_plan_of_everything_leaves_nothing(vera, dana):
    text = vera.reads(plan_page(plan_of(dana, share=1.0), "?tab=stays"))

    assert "Nothing else may go" in text
    assert "Nothing is protected in short-term and long-term" in text


def test_what_is_missing_to_the_target_is_said(vera, dana):
    plan = plan_of(dana, 1_000)

    assert "400 B are missing to the target" in vera.reads(plan_page(plan))


def test_a_plan_that_finds_nothing_says_so(lena, alice):
    plan = plan_of(alice, 1_000)

    text = lena.reads(plan_page(plan))

    assert "There is nothing that may go" in text
    assert "Nothing goes What is there is protected, or there is nothing." in text
    assert plan_page(plan, "apply/") not in lena.opens(plan_page(plan)).content.decode()


def test_the_daily_cap_is_what_it_is_compared_with(vera, dana):
    dana.writes("Lives in Utrecht.", tier=Tier.PERMANENT)

    usual, permanent = plan_of(dana, 250), plan_of(dana, share=1.0, tier=Tier.PERMANENT)

    assert "times the " in vera.reads(plan_page(usual))
    assert "No cap a meditation may archive nothing there" in vera.reads(plan_page(permanent))


def test_what_changed_since_is_told_before_it_is_applied(lena, dana):
    plan = plan_of(dana, 250)
    protect(dana, listed(plan)[0])

    text, form = lena.reads(plan_page(plan)), lena.reads(plan_page(plan, "apply/"))

    assert "2 of 3 items, 200 B, would be archived" in text
    assert "2 of 3 items, 200 B, would be archived" in form
    assert "Looked at again just now: 1 protected since, and left as they are if it is applied now." in text
    assert "Left as they are, never replaced by others: 1 protected since." in form
    assert "2 items active archived, 200 B" in form


def test_what_was_left_stands_first_when_asked_for(vera, dana):
    plan = plan_of(dana, 250)
    protect(dana, listed(plan)[1])
    applied(plan, now=NOON)

    text, left = vera.reads(plan_page(plan)), vera.opens(plan_page(plan, "?outcome=protected"))

    assert "2 items of 3 archived, 200 B freed" in text
    assert "Left as they were: 1 protected since." in text
    assert positions(left) == [2]


def test_a_stale_plan_says_so_and_offers_a_new_one(lena, dana):
    plan = plan_of(dana, 250, now=NOON - DAY - HOUR)

    text, form = lena.reads(plan_page(plan)), lena.reads(plan_page(plan, "apply/"))

    assert "Too old to be applied: it grew stale 60 min ago" in text
    assert "It grew stale 60 min ago: make a new plan" in form
    assert lena.applies(plan).status_code == 409


def test_a_plan_of_nothing_waits_for_nobody(lena, db):
    plan = plan_of(Person.register("empty"), share=0.5)

    text, form = lena.reads(plan_page(plan)), lena.reads(plan_page(plan, "apply/"))

    assert "Nothing to apply nothing that may go was found" in text
    assert "Nothing of it can go: there is nothing to apply." in form


def test_a_suspended_user_is_named_as_one(lena, dana):
    plan = plan_of(dana, 250)
    lena.suspends(dana)

    assert "the user is suspended" in lena.reads(plan_page(plan))
    assert "the user is suspended" in lena.reads(plan_page(plan, "apply/"))


def test_an_applied_plan_says_by_whom_and_until_when_it_can_be_undone(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)

    answer = lena.opens(plan_page(plan))

    text = text_of(answer)
    assert f"3 items archived, 300 B freed, just now by {lena.staff.username}" in text
    assert "Can be undone until" in text
    assert answer.context["undo"].why_not == ""


def test_why_a_plan_cannot_be_undone_stands_on_its_page(lena, dana):
    plan = plan_of(dana, 250)
    lena.applies(plan)
    MemoryItem.objects.filter(pk=listed(plan)[0]).update(purge_after=NOON)

    text, form = lena.reads(plan_page(plan)), lena.reads(plan_page(plan, "undo/"))

    assert "It cannot be undone now. All come back, or none: of the items 1 past their grace." in text
    assert "Cannot be undone now for what is said above" in text
    assert "Can be undone until" not in text
    assert "1 past their grace" in form


def test_an_undone_plan_says_what_is_back(vera, dana):
    plan = plan_of(dana, 250)
    applied(plan, now=NOON)
    undone(plan, now=NOON)

    text = vera.reads(plan_page(plan))

    assert "Undone just now by tests (command): 3 items back, 300 B" in text
    assert "now active" in text


def test_the_users_other_plans_are_one_step_away(vera, dana):
    first, second = plan_of(dana, 100), plan_of(dana, 200)

    assert plan_page(first) in vera.opens(plan_page(second)).content.decode()


def test_a_plan_is_found_by_its_id(vera, dana):
    plan = plan_of(dana, 100)

    assert vera.opens(f"/ops/find/?q={plan.public_id}").url == plan_page(plan)
    assert vera.opens(f"/ops/users/?q={plan.public_id}").url == user_page(dana)


def test_an_unknown_plan_is_nowhere(vera, db):
    assert vera.opens(f"/ops/plans/plan_{'0' * 32}/").status_code == 404
    assert vera.opens("/ops/plans/run_1/").status_code == 404


def test_the_users_page_lists_the_plans(lena, dana):
    assert "Nobody has planned a prune of this user yet" in lena.reads(user_page(dana, "?tab=plans"))
    plan = plan_of(dana, 250)
    lena.applies(plan)

    page = lena.opens(user_page(dana, "?tab=plans")).content.decode()

    assert plan_page(plan) in page
    assert plan_page(plan, "undo/") in page


def test_an_archived_item_says_by_which_plan_and_score_it_went(vera, dana):
    plan = plan_of(dana, 250)
    applied(plan, now=NOON)

    text = vera.reads(user_page(dana, "?tab=items&state=archived"))

    assert "because somebody applied a prune plan" in text
    assert f"By the prune plan {plan.public_id}" in text
    assert "Order" in text


def test_of_a_meditation_and_a_plan_the_later_one_is_told(vera, dana):
    plan = plan_of(dana, 250)
    applied(plan, now=NOON)
    gone = listed(plan)[0]
    undone(plan, now=NOON)
    items.delete_item(gone, user_id=dana.id, actor=TESTER, now=NOON)

    text = vera.reads(user_page(dana, "?tab=items&state=archived"))

    assert "because a client deleted it" in text
    assert plan.public_id not in text


def test_a_refusal_leads_to_a_plan_of_its_tier_and_size(sam, alice):
    refuse(alice, needed_bytes=alice.usage(SHORT).limit_bytes)
    alice.writes("x" * 998, tier=SHORT)
    refuse(alice, needed_bytes=alice.usage(SHORT).limit_bytes)

    page = sam.opens(user_page(alice, "?tab=refusals")).content.decode()

    assert f'href="{prune_page(alice)}?tier=short-term&amp;size=1000"' in page
    assert page.count("Plan a prune<span") == 1
