"""The plan in the database: every figure is the services' own."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db.models import Q

from kimberly.audit import sealing
from kimberly.audit.models import AuditEntry
from kimberly.lib.actors import Actor
from memory.models import (
    AccessEvent,
    Goal,
    ItemFeedback,
    MeditationDecision,
    MeditationRun,
    MemoryItem,
    MemoryUser,
    Refusal,
    TierPolicy,
    UsageCounter,
    UserScoring,
)
from memory.queries import samples, usage
from memory.queries.retrieval import Narrowing
from memory.rules.limits import RefusalKind
from memory.rules.meditation import Act, RunState, Trigger
from memory.rules.tiers import ItemState, Purpose, Tier, UserState
from memory.services import retrieval
from memory.services.retrieval import Question
from ops.demo import cases, loading
from ops.demo.plans import MEDITATED_WITHIN
from ops.models import UserNote
from ops.queries import burst, timeline, users
from ops.queries.names import Names
from ops.services import invariants

pytestmark = pytest.mark.slow

NEAR, BURSTING, THROTTLED, ENDS_SOON = "acct-71180", "acct-74012", "acct-73554", "acct-70921"
RAISED_ONCE, LIFTED, SUSPENDED = "acct-71733", "acct-72418", "acct-72066"


def told(furnished, external_id):
    """What the portal tells of the user's past: who did what (not until when: that depends on the hour), why."""
    profile = users.profile(furnished.user(external_id).pk, names=Names(), now=furnished.now)
    assert profile is not None
    rows = timeline.page(profile, names=Names(), now=furnished.now).rows
    return [(str(row.who), row.what.partition(" until ")[0], row.ticket) for row in rows]


def test_everybody_planned_is_there_as_a_customer_of_one_of_both_plans(furnished):
    found = furnished.users()

    assert found.count() == len(furnished.plan.people) == furnished.loaded.users
    assert found.filter(plan_id="paid").count() in range(15, 50)
    assert found.filter(plan_id="free").count() in range(70, 105)
    assert set(found.values_list("purpose", flat=True)) == {Purpose.CUSTOMER}


def test_no_invariant_is_violated_and_the_audit_chain_holds(furnished):
    later = furnished.now + timedelta(minutes=3)

    assert set(invariants.check(now=later)) <= set(furnished.violations_before)
    assert {finding.text for finding in sealing.verify(now=later)} <= {
        violation.text for violation in furnished.violations_before
    }


def test_what_was_done_has_been_sealed(furnished):
    assert sealing.oldest_pending_age(now=furnished.now) == timedelta()


def test_nobody_is_over_a_limit(furnished):
    used = usage.of_users(list(furnished.users().values_list("pk", flat=True)), now=furnished.now)

    assert [tier for tiers in used.values() for tier in tiers.values() if tier.is_over_limit] == []


def test_items_stand_in_all_tiers_with_their_vectors_some_protected_some_archived(furnished):
    found = MemoryItem.objects.filter(user__in=furnished.users())

    assert found.count() == furnished.loaded.items
    assert {tier: found.filter(tier=tier).count() > 200 for tier in Tier} == dict.fromkeys(Tier, True)
    assert found.filter(state=ItemState.ARCHIVED).count() > 20
    assert found.filter(protected=True).count() > 20
    assert not found.exclude(state=ItemState.PURGED).filter(embedding=None).exists()
    assert found.filter(tier=Tier.SHORT_TERM, state=ItemState.ACTIVE, expires_at__lt=furnished.now).count() == 0


def test_what_is_archived_was_archived_all_through_the_weeks(furnished):
    archived = MemoryItem.objects.filter(user__in=furnished.users(), state=ItemState.ARCHIVED)
    times = [at for at in archived.values_list("archived_at", flat=True) if at is not None]

    assert len({at.date() for at in times}) > 15
    just_now = furnished.now - MEDITATED_WITHIN / 2  # the last night may have ended that long ago, and no later
    assert sum(at > just_now for at in times) < len(times) / 10


def test_a_third_have_goals_and_there_are_questions_and_verdicts(furnished):
    of_ours = {"user__in": furnished.users()}

    assert Goal.objects.filter(**of_ours).values("user").distinct().count() in range(20, 60)
    assert AccessEvent.objects.filter(**of_ours).count() > 100
    assert ItemFeedback.objects.filter(item__user__in=furnished.users()).count() > 50


def test_last_night_meditated_on_everybody_who_was_there(furnished):
    run = MeditationRun.objects.get(trigger=Trigger.NIGHTLY, due_at=furnished.plan.night)
    decided = MeditationDecision.objects.filter(run=run)
    there = furnished.users().filter(created_at__lt=furnished.plan.night)

    assert run.state == RunState.SUCCEEDED
    assert UserScoring.objects.filter(user__in=there).count() == there.count()
    assert {act: decided.filter(act=act).count() > 3 for act in (Act.PROMOTED, Act.ARCHIVED)} == {
        Act.PROMOTED: True,
        Act.ARCHIVED: True,
    }


def test_one_is_near_the_limit_and_was_refused_three_times(furnished):
    assert furnished.says(NEAR) == ["Active", "Long-term 97 % full"]
    assert Refusal.objects.filter(user=furnished.user(NEAR), kind=RefusalKind.QUOTA).count() == 3


def test_one_is_bursting_and_was_refused_within_the_last_minutes(furnished):
    user = furnished.user(BURSTING)
    lately = MemoryItem.objects.filter(user=user, created_at__gt=furnished.now - timedelta(hours=2))
    refused = Refusal.objects.filter(user=user, refused_at__gt=furnished.now - timedelta(minutes=10))

    assert furnished.says(BURSTING) == ["Active", "Short-term 100 % full"]
    assert sum(lately.values_list("size_bytes", flat=True)) > 0.9 * cases.FREE_BYTES[Tier.SHORT_TERM]
    assert refused.count() >= 5


def test_what_the_burst_brought_ends_its_life_as_it_came_one_after_the_other(furnished):
    mails = MemoryItem.objects.filter(user=furnished.user(BURSTING), metadata__source="mail").order_by("created_at")
    ends = [at for at in mails.values_list("expires_at", flat=True) if at is not None]

    assert len(ends) > 40
    assert ends == sorted(set(ends))


def test_one_is_throttled_by_a_person_of_support_for_three_more_hours(furnished):
    assert furnished.says(THROTTLED) == ["Active", "Throttled, 3 h left"]
    assert ("Sam Okafor", "Throttled to 10 writes a minute", "HD-3318") in told(furnished, THROTTLED)
    assert Refusal.objects.filter(user=furnished.user(THROTTLED), kind=RefusalKind.THROTTLE).count() >= 6


def test_of_one_the_raise_ends_within_the_hour_above_what_the_plan_grants(furnished):
    short = next(tier for tier in furnished.row(ENDS_SOON).tiers if tier.tier is Tier.SHORT_TERM)

    assert "Short-term raised, 40 min left" in furnished.says(ENDS_SOON)
    assert short.plan_bytes < short.active_bytes < short.limit_bytes


def test_measures_that_are_over_are_told_and_hold_no_more(furnished):
    assert furnished.says(RAISED_ONCE) == ["Active"]
    assert furnished.says(LIFTED) == ["Active"]
    assert ("Sam Okafor", "Raised long-term from 2 MiB to 3 MiB", "HD-3254") in told(furnished, RAISED_ONCE)
    assert ("Lena Brandt", "Lifted the throttle: all writes blocked", "HD-3296") in told(furnished, LIFTED)


def test_one_is_suspended_and_its_client_was_turned_away(furnished):
    user = furnished.user(SUSPENDED)

    assert user.state == UserState.SUSPENDED
    assert ("Lena Brandt", "Suspended: no writes and no queries", "HD-3289") in told(furnished, SUSPENDED)
    assert Refusal.objects.filter(user=user, kind=RefusalKind.SUSPENDED).count() == 4


def test_staff_has_written_notes_protected_and_undone(furnished):
    kept = MemoryItem.objects.filter(user=furnished.user("rivermead-practice"), protected=True, version=2)
    acts = [what for _, what, _ in told(furnished, RAISED_ONCE)]

    assert ("Sam Okafor", "Wrote a note", "HD-3289") in told(furnished, SUSPENDED)
    assert UserNote.objects.filter(user=furnished.user(NEAR)).count() == 1
    assert kept.count() == 3
    assert any(what.startswith("Deleted 2 items of permanent") for what in acts)
    assert any(what.startswith("Undo: restored 2 items of permanent") for what in acts)


def test_weeks_of_use_were_sampled_hour_by_hour(furnished):
    user = furnished.user(NEAR)
    levels = samples.of_user(user.pk, since=user.created_at, now=furnished.now)[Tier.LONG_TERM]

    newest = samples.nearest(furnished.now, now=furnished.now)
    assert newest is not None
    assert furnished.now - newest.taken_at < timedelta(hours=1)
    assert len(levels) >= 31 * 24
    assert len({level.used_bytes for level in levels}) > 5
    assert [after for before, after in pairwise(levels) if after.at - before.at != timedelta(hours=1)] == []


def test_the_sample_of_now_would_say_what_was_said_before_or_what_came_in_this_hour(furnished):
    quiet = furnished.now.replace(minute=0, second=0, microsecond=0)
    touched = Q(items__changed_at__gte=quiet) | Q(items__archived_at__gte=quiet)
    untouched = furnished.users().exclude(pk__in=furnished.users().filter(touched).values("pk"))

    assert untouched.count() > 50
    for counter in UsageCounter.objects.filter(user__in=untouched).order_by("pk"):
        levels = samples.of_user(counter.user_id, since=quiet, now=furnished.now)[Tier(counter.tier)]
        assert [level.used_bytes for level in levels] == [counter.active_bytes]


def test_the_burst_leads_those_who_fill_short_term(furnished):
    refused = burst.refused_since(furnished.now - timedelta(hours=1), now=furnished.now)[Tier.SHORT_TERM]
    found = burst.fastest(now=furnished.now, size=20, refused=refused)

    assert found is not None
    names = {filler.external_id: filler for filler in found.fillers}
    told = names[BURSTING].refused
    assert told is not None
    assert told.writes >= 5
    assert names[BURSTING].share > 0.99


def test_memories_are_found_by_what_they_are_about(furnished):
    question = Question(furnished.user(NEAR).pk, "sister birthday call", 5, Narrowing())

    found = retrieval.look(question).items
    assert len(found) == 5
    noted = MemoryItem.objects.in_bulk([item.id for item in found])
    lengths = [len(noted[item.id].content or "") for item in found]
    assert lengths[0] < 200
    assert sum(length < 200 for length in lengths) >= 3


def test_the_figures_of_the_cases_are_those_of_the_plans(db):
    found = TierPolicy.objects.filter(plan="free", tier__in=cases.FREE_BYTES)

    assert {Tier(policy.tier): policy.hard_bytes for policy in found} == cases.FREE_BYTES
    assert TierPolicy.objects.get(plan="paid", tier=Tier.LONG_TERM).hard_bytes == cases.PAID_LONG_TERM_BYTES


@pytest.mark.usefixtures("alice")
def test_where_a_user_is_already_nothing_is_made(noon):
    before = (MemoryUser.objects.count(), AuditEntry.objects.count())

    assert loading.load(actor=Actor.command("tests"), now=noon) is None
    assert (MemoryUser.objects.count(), AuditEntry.objects.count()) == before
