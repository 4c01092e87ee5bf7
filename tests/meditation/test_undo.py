"""What a meditation decided is taken back: equal rows, of a user all or none, of a run user by user."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.lib import bytesize
from kimberly.lib.errors import Invalid
from kimberly.lib.metrics import SharedCounter
from memory.models import MeditationDecision, MeditationRun, MemoryItem, MemoryUser
from memory.rules.meditation import Act, RunState, UndoOutcome
from memory.rules.selections import Skip
from memory.rules.tiers import ItemState
from memory.services import items
from memory.services.items import Change
from memory.services.meditationbrakes import NoSuchRun
from memory.services.meditationundo import NothingToUndo
from memory.services.meditationundos import RunUnfinished
from memory.services.quotas import UserGone
from memory.services.selections import NoRoomToRestore
from ops import telling
from tests.api.plans import make_plan
from tests.meditation.undoing import (
    DAY,
    HOUR,
    LONG,
    MORNING,
    NIGHT,
    SHORT,
    WHY,
    decided,
    hashes,
    rows,
    small,
    tells,
    undo_items,
    undo_run,
    undo_user,
    unwell,
)
from tests.personas import NOON, TESTER, content_of


@pytest.mark.promise("L3")
def test_what_a_night_archived_and_promoted_is_as_it_was(night):
    dana = small(soft=5_000)
    tells(dana, 5)
    for _ in range(6):
        dana.writes(content_of(1_000), tier=LONG)
    before = hashes(dana)
    run = night(dana)
    assert decided(run, Act.PROMOTED)
    assert decided(run, Act.ARCHIVED)

    undone = undo_user(run, dana)

    assert (undone.items, undone.is_partly) == (len({*decided(run, Act.PROMOTED), *decided(run, Act.ARCHIVED)}), False)
    assert hashes(dana) == before
    assert unwell() == []


def test_versions_go_on_and_a_short_term_item_lives_another_day(night, alice):
    tells(alice, 5)
    run = night(alice)

    undo_user(run, alice)

    states = MemoryItem.objects.filter(user_id=alice.id).values_list("tier", "state", "version", "expires_at")
    assert set(states) == {(SHORT, ItemState.ACTIVE, 3, MORNING + DAY)}


@pytest.fixture
def dana_and_both(night):
    """Somebody of whom one night promoted and then archived some: the run, them, and the hashes before."""
    dana = small(soft=1_000)
    dana.writes(content_of(990), tier=LONG, protected=True)
    dana.writes(content_of(500), tier=LONG)
    tells(dana, 9)
    before = hashes(dana)
    run = night(dana)
    both = set(decided(run, Act.PROMOTED)) & set(decided(run, Act.ARCHIVED))
    assert both
    return dana, run, both, before


def test_one_that_was_promoted_and_then_archived_goes_all_the_way_back(dana_and_both):
    dana, run, both, before = dana_and_both

    undo_user(run, dana)

    assert {(dana.item(item).tier, dana.item(item).version) for item in both} == {(SHORT, 4)}
    assert hashes(dana) == before
    assert unwell() == []


def test_one_that_is_archived_leaves_no_room_in_long_term(dana_and_both):
    dana, run, _, _ = dana_and_both
    leaving = MemoryItem.objects.filter(pk__in=decided(run, Act.PROMOTED), state=ItemState.ACTIVE)
    room = 500 - sum(leaving.values_list("size_bytes", flat=True))
    dana.fill(LONG, leaving_bytes=room - 1, at=MORNING)

    with pytest.raises(NoRoomToRestore):
        undo_user(run, dana)


def test_each_that_was_archived_counts_as_restored(dana_and_both, django_capture_on_commit_callbacks):
    dana, run, both, _ = dana_and_both
    SharedCounter.take()

    with django_capture_on_commit_callbacks(execute=True):
        undo_user(run, dana)

    counted = {labels: count for (name, labels), count in SharedCounter.take().items() if "restored" in name}
    assert counted[("short-term",)] >= len(both)
    assert sum(counted.values()) == len(decided(run, Act.ARCHIVED))


def test_one_item_is_undone_and_the_rest_stands(night, alice):
    tells(alice, 5)
    run = night(alice)
    one, other, *_ = decided(run, Act.ARCHIVED)

    assert undo_items(run, alice, one).items == 1

    assert alice.item(one).state == ItemState.ACTIVE
    assert alice.item(other).state == ItemState.ARCHIVED
    decision = MeditationDecision.objects.get(run=run, item=one)
    assert (decision.undone_at, decision.undone_by) == (MORNING, str(TESTER))
    assert unwell() == []


def test_what_changed_since_is_left_out_and_told(night, alice):
    told = tells(alice, 6)
    run = night(alice)
    (restored, purged, *archived), (edited, *promoted) = decided(run, Act.ARCHIVED), decided(run, Act.PROMOTED)
    items.restore_item(restored, user_id=alice.id, actor=TESTER, now=NIGHT + HOUR)
    items.purge_item(purged, user_id=alice.id, actor=TESTER, now=NIGHT + HOUR)
    items.change_item(edited, Change(content="Coffee."), user_id=alice.id, expected=None, now=NIGHT + HOUR)

    undone = undo_user(run, alice)

    assert undone.skipped == {Skip.CHANGED: 2, Skip.GONE: 1}
    assert undone.is_partly
    assert undone.items == len(told) - 3 == len([*archived, *promoted])
    assert alice.item(edited).content == "Coffee."
    assert unwell() == []


def test_of_named_items_each_that_cannot_be_undone_is_told(night, alice):
    tells(alice, 5)
    run = night(alice)
    one, changed, *_ = decided(run, Act.ARCHIVED)
    undo_items(run, alice, one)
    items.restore_item(changed, user_id=alice.id, actor=TESTER, now=MORNING)
    later = alice.writes("Later.", at=MORNING).id
    before = rows(alice)

    with pytest.raises(NothingToUndo) as refusal:
        undo_items(run, alice, one, changed, later, uuid4())

    assert refusal.value.skipped == {Skip.UNDONE: 1, Skip.CHANGED: 1, Skip.UNDECIDED: 2}
    assert refusal.value.detail == "Nothing was undone: 1 changed since, 2 not decided by this run, 1 undone before."
    assert rows(alice) == before


def test_the_grace_is_the_end_of_it(night, alice):
    tells(alice, 5)
    run = night(alice)

    with pytest.raises(NothingToUndo) as refusal:
        undo_user(run, alice, at=NIGHT + 30 * DAY)
    assert refusal.value.skipped == {Skip.LATE: 5}

    assert undo_user(run, alice, at=NIGHT + 30 * DAY - timedelta(seconds=1)).items == 5


def test_what_a_meditation_purged_is_gone(night, alice):
    gone = alice.writes("A memory").id
    items.delete_item(gone, user_id=alice.id, actor=TESTER, now=NOON)
    run = night(alice, at=NOON + 30 * DAY)

    with pytest.raises(NothingToUndo) as refusal:
        undo_items(run, alice, gone, at=NOON + 30 * DAY)
    assert refusal.value.skipped == {Skip.GONE: 1}


@pytest.mark.promise("L3")
def test_without_room_nothing_of_a_user_comes_back_and_it_says_what_would_make_room(night):
    dana = small(soft=8_000)
    for _ in range(9):
        dana.writes(content_of(1_000), tier=LONG)
    tells(dana, 3)
    run = night(dana)
    dana.fill(LONG, leaving_bytes=400, at=MORNING)
    before = rows(dana)

    with pytest.raises(NoRoomToRestore) as refusal:
        undo_user(run, dana)

    assert rows(dana) == before
    [(tier, needed)] = refusal.value.shortages
    enough = tier.active_bytes + needed
    assert refusal.value.remedies()[0] == f"Raise long-term to {bytesize.at_least(enough)} or more for a time."
    dana.is_raised(LONG, enough, until=MORNING + HOUR, at=MORNING)
    undo_user(run, dana)
    assert unwell() == []


def test_what_leaves_long_term_makes_room_for_what_comes_back(night):
    dana = small(soft=9_000)
    for _ in range(9):
        dana.writes(content_of(1_050), tier=LONG)
    tells(dana, 12)
    before = hashes(dana)
    run = night(dana)
    back = MemoryItem.objects.filter(pk__in=decided(run, Act.ARCHIVED), tier=LONG, size_bytes=1_050)
    assert back
    dana.fill(LONG, leaving_bytes=1_050 * len(back) - 1, at=MORNING)

    undo_user(run, dana)

    assert before.items() <= hashes(dana).items()
    assert unwell() == []


def test_nobody_gets_more_by_an_undo_than_the_limit_of_today(night):
    dana = small(soft=2_000)
    for _ in range(4):
        dana.writes(content_of(1_000), tier=LONG)
    run = night(dana)
    MemoryUser.objects.filter(pk=dana.id).update(plan=make_plan(hard_bytes=1_500), changed_at=MORNING)

    with pytest.raises(NoRoomToRestore) as refusal:
        undo_user(run, dana)

    assert dana.usage(LONG, at=MORNING).active_bytes == 2_000
    assert refusal.value.remedies()[1].startswith(f"Delete {bytesize.at_least(4_000 - 1_500)} of long-term")


def test_an_undo_is_one_entry_of_the_user_with_its_reason(night, alice):
    tells(alice, 5)
    run = night(alice)

    undone = undo_user(run, alice)

    entry = AuditEntry.objects.select_related("text").get(action="meditation.undone")
    assert (entry.subject_kind, entry.subject_id) == ("user", str(alice.id))
    assert (entry.after["run"], entry.after["number"]) == (str(run), undone.items)
    assert entry.text.reason == WHY.reason
    assert telling.tell(entry, MORNING).what.startswith(f"Undid what the meditation run_{run.hex} decided: 5 items of")


def test_twice_has_the_effect_of_once(night, alice):
    tells(alice, 5)
    run = night(alice)
    undo_user(run, alice)
    before = rows(alice)

    with pytest.raises(NothingToUndo) as refusal:
        undo_user(run, alice)

    assert refusal.value.skipped == {Skip.UNDONE: 5}
    assert rows(alice) == before


def test_of_another_users_items_nothing_is_undone(night, alice, bob):
    tells(alice, 5)
    run = night(alice, bob)

    with pytest.raises(NothingToUndo) as refusal:
        undo_items(run, bob, *decided(run, Act.ARCHIVED))

    assert set(refusal.value.skipped) == {Skip.UNDECIDED}


@pytest.mark.parametrize("state", ["erasing", "erased"])
def test_whose_memories_are_being_erased_gets_nothing_back(night, alice, state):
    tells(alice, 5)
    run = night(alice)
    MemoryUser.objects.filter(pk=alice.id).update(state=state)
    before = rows(alice)

    with pytest.raises(UserGone):
        undo_user(run, alice)

    assert rows(alice) == before


@pytest.mark.parametrize("number", [0, 101])
def test_of_no_items_and_of_too_many_nothing_is_done(night, alice, number):
    with pytest.raises(Invalid):
        undo_items(night(alice), alice, *(uuid4() for _ in range(number)))


@pytest.mark.promise("L3")
def test_a_run_is_undone_user_by_user_and_each_is_told(night, alice, bob):
    dana = small()
    for person in (alice, bob, dana):
        tells(person, 5)
    before = hashes(alice)
    run = night(alice, bob, dana)
    changed = MeditationDecision.objects.filter(run=run, user=bob.id, act=Act.ARCHIVED).order_by("pk")[0].item_id
    items.restore_item(changed, user_id=bob.id, actor=TESTER, now=MORNING)
    dana.fill(SHORT, leaving_bytes=10, at=MORNING)

    told = {row.user_id: row for row in undo_run(run)}

    assert {user: row.outcome for user, row in told.items()} == {
        alice.id: UndoOutcome.UNDONE,
        bob.id: UndoOutcome.PARTLY,
        dana.id: UndoOutcome.REFUSED,
    }
    assert told[bob.id].skipped == {Skip.CHANGED: 1}
    assert told[dana.id].refusal == "no-room-to-restore"
    assert "Raise short-term to" in told[dana.id].says
    assert hashes(alice) == before
    assert unwell() == []


def test_a_run_that_is_undone_again_goes_on_with_those_who_are_left(night, alice, bob):
    for person in (alice, bob):
        tells(person, 5)
    run = night(alice, bob)
    undo_user(run, alice)
    before = rows(alice)

    told = undo_run(run)

    assert [row.user_id for row in told] == [bob.id]
    assert rows(alice) == before
    with pytest.raises(NothingToUndo):
        undo_run(run)


def test_a_run_is_an_entry_a_user_and_one_of_its_own(night, alice, bob):
    for person in (alice, bob):
        tells(person, 5)
    run = night(alice, bob)

    undo_run(run)

    entries = AuditEntry.objects.filter(action="meditation.undone")
    assert sorted(entries.values_list("subject_kind", flat=True)) == ["meditation", "user", "user"]
    of_all = entries.get(subject_kind="meditation")
    assert (of_all.after["users"], of_all.after["number"]) == (2, 10)


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.HELD])
def test_a_run_that_goes_on_is_not_undone(night, alice, state):
    run = night(alice)
    MeditationRun.objects.filter(pk=run).update(state=state, ended_at=None, held_at=NOON, held_reason="spike")

    with pytest.raises(RunUnfinished):
        undo_run(run)


def test_a_run_that_never_was_is_not_undone(db):
    with pytest.raises(NoSuchRun):
        undo_run(uuid4())
