from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.celery import app
from kimberly.lib import clock
from memory.models import MeditationRun, MemoryUser, UserScoring
from memory.rules.meditation import MOST_TRIES, RunState, Trigger
from memory.rules.tiers import ItemState, Tier
from memory.services import meditation
from tests.personas import Person


@pytest.fixture(autouse=True)
def _with_a_broker(db):
    """As manage.py does it."""
    app.set_default()


@pytest.fixture
def dana():
    """Someone with a memory whose life is over."""
    person, yesterday = Person.register("dana"), clock.utc_now() - timedelta(days=2)
    person.writes("And so on?", tier=Tier.SHORT_TERM, at=yesterday)
    person.writes("Ines bakes bread in Utrecht.", at=yesterday)
    return person


def told(*arguments):
    """What the command says on standard output, a line each."""
    output = StringIO()
    call_command("meditate", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue().splitlines()


def test_begins_a_run_of_all_and_prints_its_id(dana):
    [said] = told()

    run = MeditationRun.objects.get(ended_at=None, user=None)
    assert (said, run.trigger, run.created_by) == (run.public_id, Trigger.MANUAL, "command:meditate")


def test_waits_until_it_has_ended_and_needs_no_worker_for_it(dana):
    run_id, result = told("--user", dana.external_id, "--wait")

    run = MeditationRun.objects.get(user_id=dana.id)
    assert (run_id, run.state) == (run.public_id, RunState.SUCCEEDED)
    assert result == "succeeded: users done 1, items scored 2, promoted 0, archived 1, purged 0, freed 12 B."
    assert MemoryUser.objects.get(pk=dana.id).items.filter(state=ItemState.ARCHIVED).count() == 1


def test_one_user_means_that_user_alone(dana):
    Person.register("eve").writes("Likes figs.")

    told("--user", dana.external_id, "--wait")

    assert UserScoring.objects.get().user_id == dana.id


def test_a_run_that_is_not_finished_is_named(dana):
    [run_id] = told()

    with pytest.raises(CommandError, match=f"It is {run_id}, running"):
        told()


def test_a_user_whom_nobody_knows_is_refused(dana):
    with pytest.raises(CommandError, match="There is no user nobody"):
        told("--user", "nobody")


def test_a_run_that_failed_says_so_by_its_exit(dana, monkeypatch):
    monkeypatch.setattr(meditation, "STEPS", ("no_such_step",))

    with pytest.raises(CommandError, match=r"It is failed\. 1 of 1 shards failed"):
        told("--user", dana.external_id, "--wait")
    assert MeditationRun.objects.get(user_id=dana.id).shards.get().tries == MOST_TRIES


def test_some_are_those_of_a_list_or_who_were_missed(dana):
    Person.register("eve").writes("Likes figs.")

    [run_id, _] = told("--beginning", "dana", "--missed-since", "2020-01-01T02:00", "--wait")

    run = MeditationRun.objects.get(cohort__beginning="dana")
    assert (run.public_id, run.trigger, run.cohort["since"]) == (run_id, Trigger.BACKFILL, "2020-01-01T02:00:00+00:00")
    assert UserScoring.objects.get().user_id == dana.id


def test_one_user_and_some_are_not_asked_for_at_once(dana):
    with pytest.raises(CommandError, match="leave the other filters out"):
        told("--user", dana.external_id, "--show", "over-soft")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--missed-until", "2020-01-01T02:00"], "a window has a beginning"),
        (["--tier", "long-term"], "name one with --show"),
        (["--missed-since", "2126-01-01T02:00"], "must be in the past"),
    ],
)
def test_what_narrows_nothing_never_means_all(dana, options, says):
    with pytest.raises(CommandError, match=says):
        told(*options)
    assert not MeditationRun.objects.filter(ended_at=None).exists()
