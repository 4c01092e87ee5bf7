"""`manage.py prune_plan`: make, look, apply, undo; each says what it did."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from memory.models import PrunePlan
from memory.rules.plans import PlanState
from tests.pruning.planning import LONG, archived, tells

REASON = "--reason=They asked for room before the trip."


def says(*arguments):
    output = StringIO()
    call_command("prune_plan", *arguments, stdout=output)
    return output.getvalue()


def made(person, *more):
    """A plan of half of the person's bytes, by the command; and what it said."""
    said = says("make", person.external_id, "--share=0.5", REASON, *more)
    return PrunePlan.objects.get(user_id=person.id), said


def test_a_plan_is_made_shown_applied_and_undone(alice):
    told = tells(alice, 4)

    plan, said = made(alice, "--ticket=HD-1")
    assert said.startswith(f"{plan.public_id}: frozen until ")
    assert "2 items, 200 B" in said
    assert f"{LONG}: 400 B of 2 MiB used, 200 B after it; 0 protected stay." in said
    assert re.search(r"Number 1 of what may go, .* √100 = ", said)
    assert says("show", plan.public_id) == said
    assert said.splitlines()[0].endswith(" (HD-1)")
    assert archived(alice) == set()

    assert says("apply", plan.public_id, REASON) == "Archived: 2 items, 200 B.\n"
    assert archived(alice) == set(told[:2])
    assert re.match(r"It was applied at .* before. Archived: 2 items", says("apply", plan.public_id, REASON))

    assert says("undo", plan.public_id, REASON) == "Back: 2 items, 200 B.\n"
    assert archived(alice) == set()
    plan.refresh_from_db()
    assert (plan.state, plan.applied_by) == (PlanState.UNDONE, "command:prune_plan")


def test_it_may_be_applied_at_once(alice):
    tells(alice, 4)

    _, said = made(alice, "--apply", "--type=long-term")

    assert said.endswith("Archived: 2 items, 200 B.\n")
    assert len(archived(alice)) == 2


@pytest.mark.parametrize(
    ("arguments", "says_why"),
    [
        (("make", "nobody-there", "--share=0.5", REASON), "no such user"),
        (("make", "USER", "--share=1.5", REASON), "must be above 0 and at most 1"),
        (("make", "USER", "--bytes=0", REASON), "must be from 1 B"),
        (("make", "USER", "--share=0.5", "--reason=short"), "at least 10 characters"),
        (("make", "USER", REASON), "one of the arguments --bytes --share is required"),
        (("show", "plan_0"), "no such prune plan"),
        (("apply", "plan_" + "0" * 32, REASON), "no such prune plan"),
        (("undo", "PLAN", REASON), "never applied"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(alice, arguments, says_why):
    tells(alice, 2)
    plan, _ = made(alice)
    names = {"USER": alice.external_id, "PLAN": plan.public_id}

    with pytest.raises(CommandError, match=says_why):
        says(*(names.get(one, one) for one in arguments))

    assert archived(alice) == set()
