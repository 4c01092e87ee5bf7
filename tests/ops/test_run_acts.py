"""What an operator decides of a run: go on, abort, retry, undo it, stop the undo; and the undo of one user."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import clock
from memory import tasks
from memory.models import MeditationDecision, MeditationRun, MeditationUndo, MemoryItem
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked
from memory.rules.brakes import Held
from memory.rules.meditation import MOST_TRIES, Act, RunState, Trigger, UndoState
from memory.rules.tiers import ItemState, Tier
from memory.services import meditationbrakes, meditationundos, userbyuser
from memory.services import meditationruns as runs
from ops.roles import Role
from tests.ops.nights import above_soft
from tests.ops.portal import WHY, Portal, run_page, text_of, user_page
from tests.personas import NOON, TESTER, hire

pytestmark = pytest.mark.usefixtures("clock_at_noon", "no_brake_holds")
DAY = timedelta(days=1)


@pytest.fixture
def dana(db):
    """Above the soft limit of long-term."""
    return above_soft()


def begin(*, at=NOON):
    return runs.begin(Trigger.NIGHTLY, actor=TESTER, why=Why(), now=at)


def night(*, at=NOON):
    """A run of all users from its beginning to its end."""
    run = begin(at=at)
    while (shard := runs.take(now=at)) is not None:
        runs.do(shard, tell_time=lambda: at)
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    return run


def held():
    run = begin()
    meditationbrakes.hold(run.pk, Held.SPIKE, now=NOON)
    return run


def failed():
    run = begin()
    for _ in range(MOST_TRIES):
        shard = runs.take(now=NOON)
        assert shard is not None
        runs.fail(shard, "MemoryError", now=NOON)
    return run


def confirms(portal, run, what, **fields):
    return portal.sends(run_page(run, what), whom=run.public_id[-6:], **fields)


def state_of(run):
    run.refresh_from_db()
    return run.state


def entry_of(action):
    return AuditEntry.objects.select_related("text").get(action=action, actor_kind="staff")


def test_a_held_run_says_why_and_what_can_be_decided(olivia, dana):
    run = held()

    text = olivia.reads(run_page(run))

    assert "The night’s meditation is held and waits for an operator" in text
    assert "It archived far more of what it scored than the last nights did." in text
    assert "Let it go on" in text
    assert "Abort" in text
    assert "Look at a sample" in text


def test_a_held_run_of_some_is_what_the_page_begins_with(sam, dana):
    night(at=NOON - timedelta(hours=10))
    some = runs.begin(Trigger.MANUAL, cohort=Cohort(asked=Asked(beginning="dana")), actor=TESTER, why=Why(), now=NOON)
    meditationbrakes.hold(some.pk, Held.RUN_CAP, now=NOON)

    text = sam.reads("/ops/meditation/")

    assert "The meditation of some users is held and waits for an operator" in text
    assert "It has brought tiers down by as much as one run may." in text


def test_what_is_undone_as_a_whole_is_not_offered_again(olivia, dana):
    run = night()
    confirms(olivia, run, "undo/")
    tasks.undo_meditation()

    assert run_page(run, "undo/") not in olivia.opens(run_page(run)).content.decode()


def test_an_operator_lets_a_held_run_go_on(olivia, dana):
    run = held()

    answer = confirms(olivia, run, "approve/", ticket="INC-7")

    assert state_of(run) == RunState.RUNNING
    assert run.approved_at == NOON
    entry = entry_of("meditation.approved")
    assert (entry.text.reason, entry.text.ticket) == (WHY, "INC-7")
    page = olivia.reads(answer.url)
    assert "Let the meditation go on, without brakes but the daily cap." in page
    assert WHY in page


def test_the_wrong_end_of_the_id_lets_nothing_go_on(olivia, dana):
    run = held()

    answer = olivia.sends(run_page(run, "approve/"), whom="000000")

    assert (answer.status_code, state_of(run)) == (422, RunState.HELD)
    assert "This is not how the id of this run ends" in text_of(answer)


def test_an_operator_aborts_a_run_and_the_next_can_begin(olivia, dana):
    run = held()

    olivia.sends(run_page(run, "abort/"))

    assert state_of(run) == RunState.ABORTED
    assert begin().pk != run.pk


def test_of_two_who_decide_at_once_the_second_is_told(olivia, dana):
    run = held()
    other = Portal.of(hire("oscar", Role.OPERATOR))
    olivia.opens(run_page(run, "approve/"))
    other.sends(run_page(run, "abort/"))

    answer = confirms(olivia, run, "approve/")

    assert (answer.status_code, state_of(run)) == (409, RunState.ABORTED)
    assert "The run is aborted" in text_of(answer)


def test_failed_shards_are_done_again(olivia, dana):
    run = failed()

    olivia.sends(run_page(run, "retry/"))
    shard = runs.take(now=NOON)
    assert shard is not None
    runs.do(shard, tell_time=lambda: NOON)

    assert state_of(run) == RunState.SUCCEEDED


def test_while_the_next_night_goes_on_a_failed_one_is_not_taken_up(olivia, dana):
    run = failed()
    begin(at=NOON + DAY)

    answer = olivia.sends(run_page(run, "retry/"))

    assert (answer.status_code, state_of(run)) == (409, RunState.FAILED)
    assert "A meditation of these users is not finished yet." in text_of(answer)


def test_sent_twice_an_act_has_one_effect(olivia, dana):
    run, once = held(), uuid4()

    first, second = (confirms(olivia, run, "approve/", once=once) for _ in range(2))

    assert first.url == second.url
    assert AuditEntry.objects.filter(action="meditation.approved").count() == 1


def test_who_may_not_is_told_who_may(sam, dana):
    text = sam.reads(run_page(held()))

    assert f"{sam.staff.username} (support) cannot let held meditations go on: operator can." in text
    assert f"{sam.staff.username} (support) cannot abort meditations: operator can." in text


def test_a_run_is_undone_in_the_background_and_each_user_is_told(olivia, dana, bob):
    bob.writes("Over by then.", tier=Tier.SHORT_TERM, at=NOON - 2 * DAY)
    run = night()

    answer = confirms(olivia, run, "undo/")
    begun = olivia.reads(answer.url)
    tasks.undo_meditation()
    ended = olivia.reads(run_page(run, "?tab=undo"))

    assert "The undo was begun." in begun
    assert "It is being undone: 0 of 2 users" in begun
    assert "It was undone just now" in ended
    assert "2 undone, 0 partly, 0 left as they are, 0 refused" in ended
    assert "Dana Whitfield" in ended
    assert not MemoryItem.objects.filter(state=ItemState.ARCHIVED).exists()
    assert MeditationUndo.objects.get().state == UndoState.ENDED
    told = AuditEntry.objects.filter(action="meditation.undone", actor_id=str(olivia.staff.pk))
    assert sorted(told.values_list("subject_kind", flat=True)) == ["meditation", "user", "user"]


def test_a_user_without_room_is_listed_and_can_be_tried_again(olivia, dana):
    run = night()
    dana.fill(Tier.LONG_TERM, leaving_bytes=10)
    confirms(olivia, run, "undo/")
    tasks.undo_meditation()

    text = olivia.reads(run_page(run, "?tab=undo"))

    assert "1 user could not be undone" in text
    assert "No room in long-term" in text
    assert "Raise long-term to" in text
    assert f"undo/{dana.public_id}/" in olivia.opens(run_page(run, "?tab=undo")).content.decode()


def test_an_undo_is_stopped_and_reaches_nobody_more(olivia, dana):
    run = night()
    confirms(olivia, run, "undo/")
    undo = MeditationUndo.objects.get()

    olivia.sends(f"/ops/meditation/undos/{undo.pk}/stop/")
    tasks.undo_meditation()

    undo.refresh_from_db()
    assert undo.state == UndoState.STOPPED
    assert MemoryItem.objects.filter(user_id=dana.id, state=ItemState.ARCHIVED).exists()
    assert "Its undo was stopped just now" in olivia.reads(run_page(run))
    again = olivia.sends(f"/ops/meditation/undos/{undo.pk}/stop/")
    assert again.status_code == 409


def test_while_an_undo_is_under_way_no_other_begins_and_no_retry(olivia, dana):
    run = night()
    confirms(olivia, run, "undo/")
    MeditationRun.objects.filter(pk=run.pk).update(state=RunState.FAILED)

    undo, retry = confirms(olivia, run, "undo/"), olivia.sends(run_page(run, "retry/"))

    assert (undo.status_code, retry.status_code) == (409, 409)
    assert "An undo of this meditation is under way." in text_of(retry)
    assert MeditationUndo.objects.count() == 1


def test_an_undo_that_a_worker_left_is_taken_up_by_the_watch(olivia, dana, clock_at_noon):
    run = night()
    confirms(olivia, run, "undo/")
    assert meditationundos.take(now=clock.utc_now()) is not None
    assert not meditationundos.waiting(now=clock.utc_now())

    clock_at_noon.move_to(NOON + userbyuser.SILENT_AFTER + timedelta(seconds=1))

    assert "Its undo stands still" in Portal.of(olivia.staff).reads(run_page(run))
    assert meditationundos.waiting(now=clock.utc_now())
    assert tasks.undo_meditation() is not None
    assert MeditationUndo.objects.get().state == UndoState.ENDED


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.HELD])
def test_a_run_that_goes_on_is_not_undone(olivia, dana, state):
    run = begin() if state is RunState.RUNNING else held()

    text, answer = olivia.reads(run_page(run, "undo/")), confirms(olivia, run, "undo/")

    assert f"The run is {state}, so this cannot be decided of it." in text
    assert answer.status_code == 409
    assert not MeditationUndo.objects.exists()


def test_a_lead_undoes_what_was_decided_of_one_user(lena, dana):
    run = night()
    address = run_page(run, f"undo/{dana.public_id}/")

    form, answer = lena.reads(address), lena.sends(address)

    archived = MeditationDecision.objects.filter(run=run, act=Act.ARCHIVED).count()
    assert f"Items {archived}, " in form
    assert "Long-term used" in form
    assert not MemoryItem.objects.filter(user_id=dana.id, state=ItemState.ARCHIVED).exists()
    page = lena.reads(answer.url)
    assert f"Undid what the meditation {run.public_id} decided" in page
    assert WHY in page


def test_one_decision_is_undone_from_the_list_of_decisions(lena, dana):
    run = night()
    items = list(MeditationDecision.objects.filter(run=run, act=Act.ARCHIVED).values_list("item_id", flat=True))
    decisions = lena.opens(run_page(run, "?tab=decisions")).content.decode()
    address = run_page(run, f"undo/{dana.public_id}/")

    lena.sends(address, item=f"mem_{items[0].hex}")

    assert f"{address}?item=mem_{items[0].hex}" in decisions
    archived = MemoryItem.objects.filter(user_id=dana.id, state=ItemState.ARCHIVED).values_list("pk", flat=True)
    assert set(archived) == set(items[1:])


@pytest.mark.parametrize("damaged", ["mem_zz", "", "%00", "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e"])
def test_an_item_that_cannot_be_read_never_means_all_of_them(lena, dana, damaged):
    run = night()
    address = run_page(run, f"undo/{dana.public_id}/")

    assert lena.opens(f"{address}?item={damaged}").status_code == 404
    assert lena.sends(address, item=damaged).status_code == 404
    assert not MeditationDecision.objects.exclude(undone_at=None).exists()


def test_a_run_that_was_undone_is_told_so_in_the_list(olivia, dana):
    run = night()
    confirms(olivia, run, "undo/")
    tasks.undo_meditation()

    text = olivia.reads("/ops/meditation/")

    assert "The night’s meditation ended just now and was undone just now" in text
    assert "Succeeded undone just now" in text


def test_what_can_be_undone_of_a_meditation_is_among_what_can_be_undone(lena, dana):
    run = night()
    history = user_page(dana, "?tab=history&kind=undo")
    before = lena.reads(history)

    lena.sends(run_page(run, f"undo/{dana.public_id}/"))

    assert "Meditation archived" in before
    assert "Meditation archived" not in lena.reads(history)


def test_a_runs_history_tells_of_single_users_that_were_undone_but_not_of_those_with_the_run(lena, olivia, dana):
    run, other = night(), above_soft()
    lena.sends(run_page(run, f"undo/{dana.public_id}/"))
    apart = olivia.reads(run_page(run, "?tab=history"))
    assert "Undone of single users" in apart
    assert dana.external_id in apart

    later = night(at=NOON + DAY)
    confirms(olivia, later, "undo/")
    tasks.undo_meditation()

    assert MeditationDecision.objects.filter(run=later, user_id=other.id, undone_at__isnull=False).exists()
    assert "Undone of single users" not in olivia.reads(run_page(later, "?tab=history"))


def test_without_room_the_form_says_what_would_make_room(lena, dana):
    run = night()
    dana.fill(Tier.LONG_TERM, leaving_bytes=10)

    text = lena.reads(run_page(run, f"undo/{dana.public_id}/"))

    assert "No room in long-term" in text
    assert "Raise long-term to" in text


def test_what_is_undone_already_is_told(lena, dana):
    run = night()
    address = run_page(run, f"undo/{dana.public_id}/")
    lena.sends(address)

    assert "There is nothing to undo" in lena.reads(address)
    assert lena.sends(address).status_code == 409


def test_the_timeline_offers_the_undo_while_something_stands(lena, dana):
    run = night()
    history = user_page(dana, "?tab=history&kind=meditation")
    address = f'href="{run_page(run, f"undo/{dana.public_id}/")}"'
    before = lena.opens(history).content.decode()

    lena.sends(run_page(run, f"undo/{dana.public_id}/"))

    assert address in before
    assert address not in lena.opens(history).content.decode()


def test_a_sample_is_the_same_whenever_it_is_asked_for(olivia, dana):
    run = night()

    first, second = (
        [row.item_id for row in olivia.opens(run_page(run, "?tab=decisions&sample=on")).context["page"].rows]
        for _ in range(2)
    )

    assert first == second
    assert set(first) == set(MeditationDecision.objects.filter(run=run).values_list("item_id", flat=True))
