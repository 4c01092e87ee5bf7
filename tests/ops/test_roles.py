"""Who may open and do what, by direct address: every page and action, every role, and people without one."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.adminsite import portal
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import clock
from memory.models import (
    MeditationDecision,
    MeditationRun,
    MeditationShard,
    MeditationUndo,
    MemoryItem,
    MemoryUser,
    PlanCohort,
    PrunePlan,
    QuotaOverride,
    Throttle,
)
from memory.rules.meditation import RunState, Trigger
from memory.rules.tiers import Tier
from memory.services import items, meditationruns, plans
from memory.services.plans import Target
from ops import roles, urls
from ops.models import ContentReveal, StaffSession, UserNote
from ops.roles import ACTIONS, PAGES, Role
from tests.ops import manyplans
from tests.ops.portal import (
    MEDITATE_ALL,
    MEDITATE_SOME,
    Portal,
    change_note_page,
    end_page,
    items_page,
    lift_page,
    mask_page,
    meditate_page,
    note_page,
    raise_page,
    resume_page,
    reveal_page,
    run_page,
    search_page,
    suspend_page,
    throttle_page,
    undo_page,
    user_page,
)
from tests.personas import TESTER, Person, hire

pytestmark = [pytest.mark.slow, pytest.mark.promise("P1")]

MIB = 1 << 20
PEOPLE = {**{str(role): [role] for role in Role}, "eve": [], "stranger": None}
OFFERED = {
    "ops:throttle": roles.THROTTLE,
    "ops:lift-throttle": roles.LIFT_THROTTLE,
    "ops:raise-quota": roles.RAISE_QUOTA,
    "ops:end-override": roles.END_OVERRIDE,
    "ops:protect": roles.PROTECT,
    "ops:unprotect": roles.UNPROTECT,
    "ops:delete-items": roles.DELETE_ITEMS,
    "ops:restore-items": roles.RESTORE_ITEMS,
    "ops:suspend": roles.SUSPEND,
    "ops:resume": roles.RESUME,
    "ops:note": roles.NOTE,
    "ops:change-note": roles.CHANGE_NOTE,
    "ops:undo": roles.THROTTLE,  # of the act in question: test_undo has the others
    "ops:meditate": roles.MEDITATE,
    "ops:meditate-all": roles.MEDITATE_ALL,
    "ops:meditate-some": roles.MEDITATE_SOME,
    "ops:approve-meditation": roles.APPROVE,
    "ops:abort-meditation": roles.ABORT,
    "ops:retry-meditation": roles.RETRY,
    "ops:undo-meditation": roles.UNDO_RUN,
    "ops:stop-undo": roles.STOP_UNDO,
    "ops:undo-decisions": roles.UNDO_DECISIONS,
    "ops:plan-cohort": roles.PLAN_COHORT,
    "ops:apply-cohort": roles.APPLY_COHORT,
    "ops:undo-cohort": roles.UNDO_COHORT,
    "ops:stop-cohort": roles.STOP_COHORT,
    "ops:plan-prune": roles.PLAN_PRUNE,
    "ops:apply-plan": roles.APPLY_PLAN,
    "ops:undo-plan": roles.UNDO_PLAN,
    "ops:reveal": roles.REVEAL,
    "ops:mask": roles.MASK,
    "ops:end-sessions": roles.END_SESSIONS,
}
# What a form that is sent empty gets, beside those of actions.
ANSWERS = {
    "ops:search": 403,  # nobody has the content revealed to them but the one who did
    "ops:second-factor": 422,  # it lacks the code
    "ops:recovery-codes": 409,  # there is no second factor to make codes for
    "ops:end-own-session": 302,
    "ops:end-own-others": 302,
    "ops:zone": 422,  # which zone was not said
}
# Pages that are about nobody alone.
OF_EVERYBODY = {
    "ops:overview": "/ops/",
    "ops:find": "/ops/find/",
    "ops:zone": "/ops/zone/",
    "ops:shortcuts": "/ops/shortcuts/",
    "ops:users": "/ops/users/",
    "ops:refusals": "/ops/refusals/",
    "ops:burst": "/ops/burst/",
    "ops:expiring": "/ops/expiring/",
    "ops:schedules": "/ops/schedules/",
    "ops:meditation": "/ops/meditation/",
    "ops:cohorts": "/ops/plans/cohorts/",
    "ops:plans": "/ops/plans/",
    "ops:account": "/ops/account/",
    "ops:second-factor": "/ops/account/second-factor/",
    "ops:recovery-codes": "/ops/account/recovery-codes/",
    "ops:end-own-others": "/ops/account/sessions/end-others/",
    "ops:staff-sessions": "/ops/staff/sessions/",
}
SENT_ONLY = {"ops:end-own-session", "ops:end-own-others"}


@pytest.fixture(params=PEOPLE)
def someone(request, db):
    """(the roles held, the portal as they see it); roles are None for a stranger."""
    held = PEOPLE[request.param]
    return held, Portal() if held is None else Portal.of(hire(request.param, *held))


@pytest.fixture
def braked():
    """(user, throttle, override, reveal): a user whose limits are changed, and who is read, at this moment."""
    now = clock.utc_now()
    dana = Person.register("dana", at=now)
    until = now + timedelta(hours=1)
    throttle, override = (
        dana.is_throttled(at=now, until=until),
        dana.is_raised(Tier.PERMANENT, 11 * MIB, at=now, until=until),
    )
    lena = Portal.of(hire("lena", Role.LEAD))
    lena.reveals(dana)
    lena.throttles(dana, scope="query")
    lena.notes(dana, "Calls back on weekdays only.")
    other = Person.register("other", at=now)
    meditationruns.begin(Trigger.MANUAL, user_id=other.id, actor=TESTER, why=Why(), now=now)
    return dana, throttle, override, ContentReveal.objects.get()


@pytest.fixture
def runs(braked):
    """(held, failed, ended, past, undo): runs of which there is something to decide, and an undo under way."""
    now, at = clock.utc_now(), {"profile_version": 1, "created_by": str(TESTER)}
    past = Person.register("past", at=now - timedelta(days=3))
    for _ in range(2):
        past.writes("Over by now.", tier=Tier.SHORT_TERM, at=now - timedelta(days=2))
    ended = meditationruns.begin(Trigger.MANUAL, user_id=past.id, actor=TESTER, why=Why(), now=now)
    shard = MeditationShard.objects.get(run=ended)
    MeditationShard.objects.filter(pk=shard.pk).update(state="running", tries=1)
    meditationruns.do(MeditationShard.objects.select_related("run").get(pk=shard.pk), tell_time=lambda: now)
    over = {"trigger": Trigger.MANUAL, "created_at": now, "user_id": past.id, **at}
    held = MeditationRun.objects.create(state=RunState.HELD, held_at=now, held_reason="spike", **over)
    failed, undone = (
        MeditationRun.objects.create(state=state, ended_at=now, **over)
        for state in (RunState.FAILED, RunState.SUCCEEDED)
    )
    undo = MeditationUndo.objects.create(run=undone, act_id=uuid4(), users=1, created_at=now, created_by=str(TESTER))
    return held, failed, ended, past, undo


@pytest.fixture
def many(braked):
    """Plans of cohorts: being made, frozen, applied."""
    return manyplans.made()


@pytest.fixture
def kept(braked):
    """Ids of items of that user: one to protect, one that is protected, one to delete, one that was deleted."""
    now = clock.utc_now()
    dana, *_ = braked
    written = [dana.writes("Likes the sea", at=now, protected=place == 1).id for place in range(4)]
    items.delete_item(written[3], user_id=dana.id, actor=TESTER, now=now)
    return written


@pytest.fixture
def plan(braked):
    """Of the user's two memories in long-term: frozen, so that it can be applied, and then undone."""
    now = clock.utc_now()
    dana, *_ = braked
    for word in ("one", "two"):
        dana.writes(f"Kept as number {word}.", at=now)
    target, why = Target(share=1.0), Why("They asked for room before the trip.")
    return plans.make(dana.id, target=target, tier=Tier.LONG_TERM, actor=TESTER, why=why, now=now)


def act():
    """A throttle that can be lifted by an undo."""
    return AuditEntry.objects.filter(action="throttle.set", actor_kind="staff").get()


def address_of(page, braked, runs, many):
    dana, throttle, override, reveal = braked
    held, failed, ended, past, undo = runs
    addresses = {
        **OF_EVERYBODY,
        "ops:user": user_page(dana),
        "ops:throttle": throttle_page(dana),
        "ops:raise-quota": raise_page(dana),
        "ops:lift-throttle": lift_page(throttle),
        "ops:end-override": end_page(override),
        "ops:protect": items_page("protect", dana),
        "ops:unprotect": items_page("unprotect", dana),
        "ops:delete-items": items_page("delete", dana),
        "ops:restore-items": items_page("restore", dana),
        "ops:suspend": suspend_page(dana),
        "ops:resume": resume_page(dana),
        "ops:note": note_page(dana),
        "ops:change-note": change_note_page(UserNote.objects.get()),
        "ops:undo": undo_page(act()),
        "ops:reveal": reveal_page(dana),
        "ops:mask": mask_page(reveal),
        "ops:search": search_page(dana),
        "ops:meditation-run": f"/ops/meditation/{MeditationRun.objects.earliest('created_at').public_id}/",
        **manyplans.addresses_of_one(PrunePlan.objects.get(in_cohort=None), dana),
        "ops:meditate": meditate_page(dana),
        "ops:meditate-all": MEDITATE_ALL,
        "ops:meditate-some": MEDITATE_SOME,
        "ops:approve-meditation": run_page(held, "approve/"),
        "ops:abort-meditation": run_page(held, "abort/"),
        "ops:retry-meditation": run_page(failed, "retry/"),
        "ops:undo-meditation": run_page(ended, "undo/"),
        "ops:undo-decisions": run_page(ended, f"undo/{past.public_id}/"),
        "ops:stop-undo": f"/ops/meditation/undos/{undo.pk}/stop/",
        **manyplans.addresses(*many),
        "ops:end-own-session": f"/ops/account/sessions/{reveal.pk}/end/",
        "ops:end-sessions": f"/ops/staff/{reveal.staff_id}/end-sessions/",
    }
    return addresses[page]


def one_of(run):
    """An item of which the run decided something that stands."""
    found = MeditationDecision.objects.filter(run=run, undone_at=None).order_by("item_id")
    return f"mem_{found.values_list('item_id', flat=True)[0].hex}"


def status_of(page, method, held):
    """What the table says that this person gets there."""
    if held is None:
        return 302
    if not set(held) & PAGES[page]:
        return 403
    if method == "GET":
        return 405 if page in SENT_ONLY else 200
    if page not in OFFERED:
        return ANSWERS.get(page, 405)
    return 422 if set(held) & OFFERED[page].roles else 403


CHANGED = (
    Throttle, QuotaOverride, ContentReveal, MemoryItem, MemoryUser, UserNote, MeditationRun, MeditationUndo,
    PlanCohort, PrunePlan,
)  # fmt: skip


def measures():
    changed = [str(list(model.objects.order_by("pk").values())) for model in CHANGED]
    return [*changed, list(StaffSession.objects.order_by("pk").values("pk", "ended_at"))]


def test_every_page_is_in_the_table_of_roles():
    assert {f"ops:{pattern.name}" for pattern in urls.urlpatterns} == set(PAGES)


def test_every_action_is_in_the_table_and_on_a_page():
    assert {action.name: action for action in OFFERED.values()} == ACTIONS


def test_the_site_has_no_page_beside_those_of_signing_in():
    names = {getattr(pattern, "name", None) for pattern in portal.get_urls()} - {None}

    stock = {"autocomplete", "jsi18n", "view_on_site"}  # answer only for registered models, of which there are none
    assert names - stock == {"index", "login", "logout", "password_change", "password_change_done", "code", "set_up"}


def test_each_page_answers_each_person_as_the_table_says(someone, braked, runs, plan, many):
    held, seen = someone
    before = measures()

    answered = {
        (page, method): seen.client.generic(method, address_of(page, braked, runs, many)).status_code
        for page in PAGES
        for method in ("GET", "POST")
    }

    assert answered == {(page, method): status_of(page, method, held) for page, method in answered}
    assert measures() == before


def sent_by(seen, braked, runs, kept, plan, many):
    """Each action as this person would send it."""
    dana, throttle, override, reveal = braked
    note, ending = UserNote.objects.get(), address_of("ops:end-sessions", braked, runs, many)
    return {
        "throttle": lambda: seen.throttles(dana, scope="all"),
        "raise-quota": lambda: seen.raises(dana),
        "lift-throttle": lambda: seen.lifts(throttle),
        "end-override": lambda: seen.ends(override),
        "reveal": lambda: seen.reveals(dana),
        "mask": lambda: seen.masks(reveal),
        "protect": lambda: seen.sends(items_page("protect", dana), item=f"mem_{kept[0].hex}:1"),
        "unprotect": lambda: seen.sends(items_page("unprotect", dana), item=f"mem_{kept[1].hex}:1"),
        "delete-items": lambda: seen.sends(
            items_page("delete", dana), item=f"mem_{kept[2].hex}:1", whom=dana.external_id
        ),
        "restore-items": lambda: seen.sends(items_page("restore", dana), item=f"mem_{kept[3].hex}:2"),
        "note": lambda: seen.notes(dana, "Prefers to be written to."),
        "change-note": lambda: seen.sends(change_note_page(note), reason="Calls back on Mondays.", version=1),
        "suspend": lambda: seen.suspends(dana),
        "resume": lambda: seen.resumes(dana),
        "end-sessions": lambda: seen.sends(ending),
        "meditate": lambda: seen.sends(meditate_page(dana)),
        "plan-prune": lambda: seen.plans(dana),
        "apply-plan": lambda: seen.applies(plan),
        "undo-plan": lambda: seen.takes_back(plan),
        "meditate-all": seen.meditates_all,
        "meditate-some": lambda: seen.sends(MEDITATE_SOME, q="dana", whom="1 user"),
        **decided_by(seen, *runs),
        **manyplans.sent_by(seen, *many),
    }


def decided_by(seen, held, failed, ended, past, undo):
    """What can be decided of these runs."""
    return {
        "approve-meditation": lambda: seen.sends(run_page(held, "approve/"), whom=held.public_id[-6:]),
        "abort-meditation": lambda: seen.sends(run_page(held, "abort/")),
        "retry-meditation": lambda: seen.sends(run_page(failed, "retry/")),
        "undo-decisions": lambda: seen.sends(run_page(ended, f"undo/{past.public_id}/"), item=one_of(ended)),
        "undo-meditation": lambda: seen.sends(run_page(ended, "undo/"), whom=ended.public_id[-6:]),
        "stop-undo": lambda: seen.sends(f"/ops/meditation/undos/{undo.pk}/stop/"),
    }


def test_each_action_takes_effect_only_for_its_roles(someone, braked, runs, kept, plan, many):
    held, seen = someone
    if seen.staff:  # a note is changed by its author
        UserNote.objects.update(author=seen.staff)
    sent = sent_by(seen, braked, runs, kept, plan, many)
    assert set(sent) == set(ACTIONS)

    for name, send in sent.items():
        before = measures()
        answer = send()
        may = bool(set(held or ()) & ACTIONS[name].roles)
        assert (measures() != before) is may, name
        assert answer.status_code == (302 if may or held is None else 403), name


def test_what_stops_or_destroys_asks_for_a_fresh_sign_in():
    asking = {action.name for action in ACTIONS.values() if action.needs_fresh_sign_in}

    of_runs, of_plans = {"approve-meditation", "undo-meditation"}, {"apply-plan", "apply-cohort", "undo-cohort"}
    assert asking == {"delete-items", "suspend", *of_runs, *of_plans}


def test_says_who_may_instead_of_hiding_the_action(vera, braked):
    dana, *_ = braked

    text = vera.reads(user_page(dana))

    assert f"{vera.staff.username} (viewer) cannot throttle users: lead and support can." in text
    assert f"{vera.staff.username} (viewer) cannot end raises: lead and support can." in text
    assert f"{vera.staff.username} (viewer) cannot reveal content: lead can." in text
    assert f"{vera.staff.username} (viewer) cannot mask content again: lead can." in text
    assert f"{vera.staff.username} (viewer) cannot write notes: lead and support can." in text
    assert f"{vera.staff.username} (viewer) cannot suspend users: lead can." in text


def test_without_a_role_one_is_told_what_to_do(eve):
    answer = eve.opens("/ops/users/")

    assert answer.status_code == 403
    assert "You have no role yet" in answer.content.decode()


def test_an_account_that_was_switched_off_opens_nothing(sam):
    sam.staff.is_active = False
    sam.staff.save()

    assert sam.opens("/ops/users/").status_code == 302
