"""Several who undo one meditation at the same moment have one effect, and nobody else waits for an undo of all."""

from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor
from memory.models import MeditationDecision, MeditationRun, MemoryItem
from memory.queries import scoring
from memory.rules.meditation import RunState, Trigger, UndoOutcome
from memory.rules.selections import Skip
from memory.rules.tiers import ItemState, Purpose, Tier
from memory.services import items, meditation, meditationundo, meditationundos, reconcile, users
from memory.services.meditationundo import NothingToUndo, Undone
from memory.services.users import Profile
from tests.counts import rounds
from tests.meditation.undoing import those
from tests.memory.test_selections_at_once import at_once
from tests.personas import NOON, TESTER, Person, unique

pytestmark = [pytest.mark.slow, pytest.mark.promise("L3")]

NIGHT = NOON + timedelta(days=1)
MORNING = NIGHT + timedelta(hours=6)
WHY = Why("All of us at once.")
ITEMS = 6


@pytest.fixture
def people(committed_db):
    """No customers: what is committed here is none of the nightly's in other tests."""
    made = [users.put(unique("drill"), Profile(), actor=TESTER, now=NOON, purpose=Purpose.DRILL)[0] for _ in range(3)]
    persons = [Person(user.pk, user.external_id) for user in made]
    for person in persons:
        for number in range(ITEMS):
            person.writes(" ".join(["tea", *(f"w{n}" for n in range(number))]), tier=Tier.SHORT_TERM)
    return persons


@pytest.fixture
def run(people):
    """A meditation of them all that has ended."""
    return meditated(*people)


def meditated(*people):
    made = MeditationRun.objects.create(
        trigger=Trigger.MANUAL, state=RunState.SUCCEEDED, user_id=people[0].id, profile_version=1, created_at=NIGHT,
        created_by=str(TESTER), started_at=NIGHT, ended_at=NIGHT,
    )  # fmt: skip
    with transaction.atomic():
        profile = scoring.current_profile()
        meditation.meditate([person.id for person in people], run_id=made.pk, profile=profile, now=NIGHT)
    return made.pk


def undoes(run, number, person=None):
    """Somebody's undo of one user, or of all."""
    actor = Actor.command(f"person-{number}")
    if person is None:
        return lambda: meditationundos.undo_run(run, actor=actor, why=WHY, tell_time=lambda: MORNING)
    return lambda: meditationundo.undo_user(run, user_id=person.id, actor=actor, why=WHY, now=MORNING)


def undone_by(run):
    """Who undid how many of the decisions."""
    found = MeditationDecision.objects.filter(run=run).order_by("undone_by").values_list("undone_by", flat=True)
    return {who: list(found).count(who) for who in set(found)}


def states(*people):
    found = MemoryItem.objects.filter(user_id__in=[person.id for person in people])
    return set(found.values_list("tier", "state", "version"))


def entries(person):
    return AuditEntry.objects.filter(action="meditation.undone", subject_id=str(person.id)).count()


@pytest.mark.parametrize("nth", range(rounds(3, 30)))
def test_a_user_is_undone_once(people, run, nth):
    dana = people[0]

    outcomes = at_once(*(undoes(run, number, dana) for number in range(4)))

    [done] = [outcome for outcome in outcomes if isinstance(outcome, Undone)]
    refused = [outcome.skipped for outcome in outcomes if isinstance(outcome, NothingToUndo)]
    assert done.items == ITEMS
    assert refused == [{Skip.UNDONE: ITEMS}] * 3
    assert states(dana) == {(Tier.SHORT_TERM, ItemState.ACTIVE, 3)}
    assert entries(dana) == 1
    assert reconcile.drifts([dana.id]) == []


@pytest.mark.parametrize("nth", range(rounds(3, 30)))
def test_a_run_is_undone_once_however_many_share_it(people, run, nth):
    outcomes = at_once(*(undoes(run, number) for number in range(3)), undoes(run, 3, people[1]))

    told = {row.pk: row for outcome in outcomes if isinstance(outcome, list) for row in outcome}
    done = [row.user_id for row in told.values() if row.outcome == UndoOutcome.UNDONE]
    done += [outcome.user_id for outcome in outcomes if isinstance(outcome, Undone)]
    assert sorted(done) == sorted(person.id for person in people)
    assert sum(undone_by(run).values()) == 3 * ITEMS
    assert "" not in undone_by(run)
    assert states(*people) == {(Tier.SHORT_TERM, ItemState.ACTIVE, 3)}
    assert [entries(person) for person in people] == [1, 1, 1]
    assert reconcile.drifts([person.id for person in people]) == []


@pytest.mark.parametrize("nth", range(rounds(3, 30)))
def test_an_item_that_is_restored_meanwhile_comes_back_once(people, run, nth):
    dana = people[0]
    one = MemoryItem.objects.filter(user_id=dana.id, state=ItemState.ARCHIVED).order_by("pk")[0]

    def restore():
        return items.restore_item(one.pk, user_id=dana.id, actor=TESTER, now=MORNING)

    undone, _ = at_once(undoes(run, 1, dana), restore)

    assert undone.items + undone.skipped[Skip.CHANGED] == ITEMS
    assert states(dana) == {(Tier.SHORT_TERM, ItemState.ACTIVE, 3)}
    assert reconcile.drifts([dana.id]) == []


@pytest.mark.parametrize("nth", range(rounds(3, 30)))
def test_a_meditation_at_the_same_time_decides_before_or_after_it(people, run, nth):
    at_once(undoes(run, 1), lambda: meditated(*people), undoes(run, 2))

    assert "" not in undone_by(run)
    assert reconcile.drifts([person.id for person in people]) == []


def test_who_is_held_by_somebody_else_is_told_and_the_others_do_not_wait(people, run):
    held, *others = sorted(people, key=lambda person: person.id)
    with psycopg.connect(settings.KIMBERLY.database_url) as other, connection.cursor() as cursor:
        other.execute("SELECT FROM usage_counter WHERE user_id = %s FOR UPDATE", [held.id])
        cursor.execute("SET lock_timeout = '100ms'")
        told = undoes(run, 1)()
        cursor.execute("RESET lock_timeout")

    assert {row.user_id: row.refusal for row in told if row.refusal} == {held.id: "database-busy"}
    assert sorted(those(told, UndoOutcome.UNDONE)) == [person.id for person in others]
    assert those(undoes(run, 2)(), UndoOutcome.UNDONE) == {held.id}


def test_an_undo_that_broke_off_is_gone_on_with(people, run):
    times = iter([MORNING] * 2)  # when it begins, and for the first user

    with pytest.raises(StopIteration):
        meditationundos.undo_run(run, actor=Actor.command("first"), why=WHY, tell_time=lambda: next(times))
    told = meditationundos.undo_run(run, actor=Actor.command("second"), why=WHY, tell_time=lambda: MORNING)

    assert undone_by(run) == {"command:first": 3 * ITEMS}, "it is the first one's undo, whoever goes on with it"
    assert those(told, UndoOutcome.UNDONE) == {person.id for person in people}
    assert [entries(person) for person in people] == [1, 1, 1]
    assert reconcile.drifts([person.id for person in people]) == []
