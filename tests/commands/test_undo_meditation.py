from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kimberly.audit.models import AuditEntry
from kimberly.lib import clock
from memory.models import MeditationRun
from memory.queries import scoring
from memory.rules.meditation import RunState, Trigger
from memory.rules.tiers import Tier
from memory.services import meditation
from tests.personas import TESTER, Person

REASON = "The threshold was wrong that night."


@pytest.fixture
def people(db):
    """Two whose short-term memories are two days old."""
    persons = [Person.register(name) for name in ("dana", "emil")]
    for person in persons:
        for number in range(4):
            text = " ".join(["tea", *(f"w{n}" for n in range(number))])
            person.writes(text, tier=Tier.SHORT_TERM, at=clock.utc_now() - timedelta(days=2))
    return persons


@pytest.fixture
def run(people):
    now = clock.utc_now()
    made = MeditationRun.objects.create(
        trigger=Trigger.MANUAL, state=RunState.SUCCEEDED, user_id=people[0].id, profile_version=1, created_at=now,
        created_by=str(TESTER), started_at=now, ended_at=now,
    )  # fmt: skip
    users = [person.id for person in people]
    meditation.meditate(users, run_id=made.pk, profile=scoring.current_profile(), now=now)
    return made


def undone(run, *options, reason=REASON):
    output = StringIO()
    call_command("undo_meditation", run, *options, "--reason", reason, stdout=output)
    return output.getvalue()


def test_undoes_a_run_of_all_its_users(run, people):
    says = undone(run.public_id)

    assert "Users undone: 2, partly 0; items: 8. Users left as they are: 0; refused: 0." in says
    assert people[1].usage(Tier.SHORT_TERM).active_items == 4


def test_undoes_one_user_and_no_other(run, people):
    dana, emil = people

    assert f"{dana.external_id}: items that are back: 4" in undone(run.public_id, "--user", dana.external_id)
    assert dana.usage(Tier.SHORT_TERM).active_items == 4
    assert emil.usage(Tier.SHORT_TERM).active_items == 0


def test_keeps_why_in_the_audit_trail(run, people):
    undone(run.public_id)

    entry = AuditEntry.objects.select_related("text").get(action="meditation.undone", subject_kind="meditation")
    assert (entry.subject_id, entry.text.reason) == (str(run.pk), REASON)


def test_tells_who_is_refused_and_fails_so_that_it_is_begun_again(run, people):
    people[0].fill(Tier.SHORT_TERM, leaving_bytes=3, at=clock.utc_now())
    output = StringIO()

    with pytest.raises(CommandError, match="Not all users are undone"):
        call_command("undo_meditation", run.public_id, "--reason", REASON, stdout=output)

    assert f"{people[0].external_id}: refused. No room in short-term" in output.getvalue()
    assert "Users undone: 1" in output.getvalue()


def test_says_so_when_nothing_is_left_to_undo(run):
    undone(run.public_id)

    with pytest.raises(CommandError, match="Nothing that this meditation decided there can be undone"):
        undone(run.public_id)


@pytest.mark.parametrize("wrong", ["", "nonsense", "run_00000000000000000000000000000007"])
def test_a_meditation_that_never_was_is_refused(db, wrong):
    with pytest.raises(CommandError, match="There is no such run"):
        undone(wrong)


def test_a_user_that_nobody_is_is_refused(run):
    with pytest.raises(CommandError, match="There is no such user"):
        undone(run.public_id, "--user", "nobody")


def test_a_reason_that_says_nothing_is_refused(run):
    with pytest.raises(CommandError, match="at least 10 characters"):
        undone(run.public_id, reason="oops")
