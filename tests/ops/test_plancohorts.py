"""Staff plans prunes of many users: the whole is seen before it is applied, and who was left is told."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize
from memory.models import MemoryItem, MemoryUser, PlanCohort, PlanCohortUser
from memory.rules.plancohorts import Became, CohortState
from memory.rules.tiers import ItemState, Tier, UserState
from memory.services import items, userbyuser
from memory.services.items import Change
from ops.queries import plancohorts
from ops.queries.names import Names
from tests.ops.portal import WHY, Portal, text_of
from tests.personas import NOON, Person
from tests.pruning.cohorts import all_done, applies, begun, goes_on, people, plan_of_member, planned
from tests.pruning.planning import DAY, HOUR, LATER, archived, listed

pytestmark = pytest.mark.usefixtures("clock_at_noon")
NEW, ALL = "/ops/plans/cohorts/new/", "/ops/plans/cohorts/"


def page(made, rest=""):
    return f"{ALL}{made.public_id}/{rest}"


def sends_new(portal, **fields):
    return portal.sends(NEW, **{"q": "batch", "scope": "usual", "free": "50", **fields})


def confirms(portal, made, what, **fields):
    return portal.sends(page(made, what), whom=made.public_id[-6:], **fields)


def test_the_form_says_how_many_it_reaches_before_anything_is_sent(sam, db):
    people(2)

    text = sam.reads(f"{NEW}?q=batch")

    assert "Users 2 users: the customers, whose ids or names begin with batch a frozen plan for each" in text
    assert "Nothing is archived by it" in text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "plans archive of nobody whom nobody chose"),
        ("?q=nobody-begins-so", "Nobody is among these customers now."),
        ("?tier=long-term", "Of which list? A tier narrows one."),
    ],
)
def test_whom_nobody_chose_is_not_planned_for(sam, db, query, says):
    assert says in sam.reads(NEW + query)


def test_support_makes_them_and_is_led_to_the_whole(sam, db):
    people(2)

    answer = sends_new(sam, ticket="HD-9")

    made = PlanCohort.objects.get()
    assert (made.users, made.target_share, made.state) == (2, 0.5, CohortState.PLANNING)
    entry = AuditEntry.objects.select_related("text").get(action="cohort.begun")
    assert (entry.actor_id, entry.text.reason, entry.text.ticket) == (str(sam.staff.pk), WHY, "HD-9")
    assert answer.url == page(made, f"?done={made.public_id}")
    text = sam.reads(answer.url)
    assert "Plans are being made: 0 of 2 users" in text
    assert "The plans are left to the workers." in text
    assert "every 5s" in sam.opens(page(made)).content.decode()


def test_sent_twice_they_are_made_once(sam, db):
    people(1)
    once = uuid4()

    first, second = (sends_new(sam, once=once) for _ in range(2))

    assert first.url == second.url
    assert PlanCohort.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"free": "other", "size": ""}, "How much?"),
        ({"free": "other", "size": "x"}, "A number above 0"),
        ({"reason": "oops"}, "so that the next reader understands"),
    ],
)
def test_what_cannot_be_sent_is_told_where_it_stands(sam, db, fields, says):
    people(1)

    answer = sends_new(sam, **fields)

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not PlanCohort.objects.exists()


def test_all_customers_are_refused_when_sent_too(sam, db):
    people(1)

    answer = sends_new(sam, q="")

    assert answer.status_code == 409
    assert not PlanCohort.objects.exists()


def test_a_size_of_a_named_tier_is_asked_of_each(sam, db):
    people(1)

    sends_new(sam, scope="long-term", free="other", size="1.5", unit="KiB")

    made = PlanCohort.objects.get()
    assert (made.tier, made.target_bytes) == (Tier.LONG_TERM, 1_536)
    assert f"{bytesize.human(1_536)} of long-term" in sam.reads(page(made))


def test_the_whole_is_seen_before_it_is_applied(sam, db):
    people(2)
    Person.register("batch-poor", display_name="Poor Person")
    made = planned()

    text, largest = sam.reads(page(made)), sam.reads(page(made, "?tab=largest"))

    assert "4 items (400 B) of 2 users would leave retrieval; nothing is archived yet" in text
    assert "in 24 h: later the plans are stale." in text
    assert "400 B of 2 users; 1 with nothing to archive" in text
    assert "Poor Person Nothing to archive" in text
    assert "50 % of what is active" in text
    assert "Of whom most bytes go" in largest
    assert f"{sam.staff.username} (support) cannot apply plans of many users: lead can." in text
    assert "Apply the plans" not in text


def test_a_lead_applies_them_and_sees_what_became_of_whom(lena, db):
    first, second, _ = people()
    made = planned()
    changed = listed(plan_of_member(made, second))[0]
    items.change_item(changed, Change(content="something else"), user_id=second.id, expected=None, now=NOON)

    form, answer = lena.reads(page(made, "apply/")), confirms(lena, made, "apply/")
    all_done()

    assert "Active 6 items, 600 B in the archive" in form
    text = lena.reads(answer.url)
    assert "Began to apply the plans of 3 users." in text
    assert "Applied just now: 5 items (500 B) of 3 users archived" in text
    assert "Partly: 1 user; 1 item had changed since, and stay." in text
    assert "Left as they are: 1 changed since." in lena.reads(page(made, "?became=partly"))
    assert len(archived(first)) == 2


def test_the_end_of_the_id_is_typed(lena, db):
    people(1)
    made = planned()

    answer = lena.sends(page(made, "apply/"), whom="nearly")

    assert answer.status_code == 422
    assert "This is not how the id of these plans ends" in text_of(answer)
    made.refresh_from_db()
    assert made.state == CohortState.FROZEN


def test_who_was_refused_is_listed_with_what_would_help(lena, db):
    first, *_ = people()
    made = begun()
    MemoryUser.objects.filter(pk=first.id).update(state=UserState.ERASING)
    goes_on(made)

    text = lena.reads(page(made, "?became=refused"))

    assert "Refused: 1 user, listed below with what would help." in text
    assert PlanCohortUser.objects.get(user_id=first.id).says in text


def test_it_is_stopped_and_gone_on_with(sam, lena, db):
    people()
    made = planned()
    confirms(lena, made, "apply/")

    answer = sam.sends(page(made, "stop/"))

    text = sam.reads(answer.url)
    assert "Stopped just now while applying: 0 of 3 users reached" in text
    confirms(lena, made, "apply/")
    all_done()
    assert "Applied just now: 6 items" in lena.reads(page(made))
    assert sam.sends(page(made, "stop/")).status_code == 409


def test_all_of_it_is_undone(lena, db):
    people()
    made = applies(planned(), now=NOON)

    form, answer = lena.reads(page(made, "undo/")), confirms(lena, made, "undo/")
    all_done()

    assert "Archived 6 items, 600 B active again" in form
    text = lena.reads(answer.url)
    assert "Undone just now: 6 items (600 B) of 3 users are back" in text
    assert "Undo the plans" not in text, "there is nothing left to undo"
    assert not MemoryItem.objects.filter(state=ItemState.ARCHIVED).exists()


def test_without_room_for_one_the_others_are_undone_and_it_is_tried_again(lena, db):
    people(2)
    made = applies(planned(), now=NOON)
    member = PlanCohortUser.objects.filter(cohort=made).order_by("user_id")[0]
    MemoryUser.objects.filter(pk=member.user_id).update(state=UserState.ERASING)
    confirms(lena, made, "undo/")
    all_done()
    assert "1 user" in lena.reads(page(made))
    MemoryUser.objects.filter(pk=member.user_id).update(state=UserState.ACTIVE)

    confirms(lena, made, "undo/")
    all_done()

    assert set(PlanCohortUser.objects.values_list("became", flat=True)) == {Became.UNDONE}


def test_stale_plans_say_so_and_are_not_applied(lena, db, clock_at_noon):
    people(1)
    made = planned()
    clock_at_noon.move_to(NOON + DAY)
    lena = Portal.of(lena.staff)

    text, answer = lena.reads(page(made)), confirms(lena, made, "apply/")

    assert "The plans grew stale just now: nothing was archived" in text
    assert "Begin anew: the plans go by the scores of now." in text
    anew = lena.opens(lena.opens(page(made)).context["anew"])
    assert anew.context["users"] == 1
    assert anew.context["offer"].form["free"].value() == "50"
    assert answer.status_code == 409


def test_one_on_which_nobody_works_is_told_and_taken_up_by_the_watch(sam, db, clock_at_noon):
    people(1)
    made = begun()
    PlanCohort.objects.filter(pk=made.pk).update(heartbeat_at=NOON)

    clock_at_noon.move_to(NOON + userbyuser.SILENT_AFTER + timedelta(seconds=1))

    assert "Nobody goes on with it: 0 of 1 user" in Portal.of(sam.staff).reads(page(made))
    all_done()
    made.refresh_from_db()
    assert made.state == CohortState.FROZEN


def test_how_fast_it_is_and_how_long_it_goes_on_is_seen(sam, db, clock_at_noon):
    people()
    made = begun()
    PlanCohortUser.objects.filter(cohort=made, pk=PlanCohortUser.objects.order_by("user_id")[0].pk).update(round=1)

    clock_at_noon.move_to(NOON + timedelta(minutes=1))

    text = Portal.of(sam.staff).reads(page(made))
    assert "Plans are being made: 1 of 3 users, about 2 min left" in text
    assert "1 user a minute, about 2 min left" in text


def test_its_history_tells_who_did_what(sam, lena, db):
    people(1)
    sends_new(sam)
    all_done()
    made = PlanCohort.objects.get()
    confirms(lena, made, "apply/")
    all_done()

    text = lena.reads(page(made, "?tab=history"))

    assert "Began to plan a prune for each of 1 user" in text
    assert "All plans are made: 2 items, 200 B, of 1 user" in text
    assert "The plans are applied: 2 items, 200 B, archived of 1 user" in text
    assert WHY in text


def test_the_list_has_all_of_them(sam, db):
    assert "No cohort was planned yet" in sam.reads(ALL)
    people(2)
    made = applies(planned(), now=NOON)

    text = sam.reads(ALL)

    assert "The customers, whose ids or names begin with batch: 50 % of what is active in" in text
    assert "Applied" in text
    assert [row.cohort for row in plancohorts.latest(names=Names(), now=LATER + HOUR)] == [made]


def test_its_plans_lead_to_it_and_so_do_the_search_and_the_list_of_all_plans(sam, db):
    person, *_ = people(2)
    made = planned()
    plan = plan_of_member(made, person)

    assert (
        f'href="{page(made)}">the plans for 2 users</a>' in sam.opens(f"/ops/plans/{plan.public_id}/").content.decode()
    )
    assert f'href="/ops/plans/{plan.public_id}/"' in sam.opens(page(made)).content.decode()
    assert sam.opens(f"/ops/find/?q={made.public_id}").url == page(made)
    assert page(made) in sam.opens("/ops/plans/").content.decode()
    # Those of a cohort would crowd out those that somebody waits for.
    assert sam.opens("/ops/plans/").context["page"].rows == []
    assert len(sam.opens("/ops/plans/?cohorts=on").context["page"].rows) == 2
    assert page(made) not in sam.opens("/ops/plans/?state=frozen").content.decode()


@pytest.mark.parametrize("wrong", ["nonsense", "coh_00000000000000000000000000000007"])
def test_what_never_was_is_not_found(sam, db, wrong):
    for rest in ("", "apply/", "undo/", "stop/"):
        assert sam.opens(f"{ALL}{wrong}/{rest}").status_code == 404


def test_a_section_that_is_none_is_not_found(sam, db):
    people(1)

    assert sam.opens(page(planned(), "?tab=nothing")).status_code == 404
