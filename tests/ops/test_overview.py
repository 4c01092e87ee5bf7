"""The overview: whether anything is wrong, in one sentence, and where to look."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from kimberly.audit import sealing, trail
from kimberly.audit import tasks as audit_tasks
from kimberly.audit.trail import Subject
from kimberly.celery import app
from kimberly.lib import clock
from kimberly.lib.actors import Actor, ActorKind
from kimberly.lib.remember import forget_everything
from kimberly.lib.sql import statement
from kimberly.web import redisclient
from memory.queries.totals import Kept, TierKept
from memory.rules.limits import RefusalKind
from memory.rules.tiers import Tier
from memory.services import refusals, samples
from memory.services.refusals import Call
from ops import overview
from ops.models import InvariantCheck
from ops.overview import Standing
from ops.queries import overview as facts
from ops.queries.overview import Facts
from ops.services import invariants, pulse
from ops.services.condition import Condition
from ops.services.pulse import Pulse
from tests.ops.portal import text_of, user_page
from tests.personas import NOON, TESTER, Person

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FINE = Standing(
    condition=Condition(is_redis_away=False, is_read_only=False, is_full=False),
    facts=Facts(
        0, None, NOON - MINUTE, NOON - HOUR, "", NOON - MINUTE, 0, 5, 0, 0, 0, 0, "succeeded", NOON - 10 * HOUR, 9
    ),
    kept=Kept([], NOON),
    pulse=Pulse(NOON - timedelta(seconds=14), {"default": 0}),
    now=NOON,
)
LOST = replace(FINE, condition=replace(FINE.condition, is_redis_away=True), pulse=None)


def with_facts(**changes):
    return replace(FINE, facts=replace(FINE.facts, **changes))


@pytest.fixture
def no_pulse():
    """No note of any job, before and after: the tests share one Redis."""
    redisclient.client().delete(pulse.NAME)
    yield
    redisclient.client().delete(pulse.NAME)


@pytest.mark.usefixtures("no_pulse")
def test_says_that_nothing_is_wrong_when_nothing_is(sam):
    assert "Nothing is wrong." in sam.reads("/ops/")


def test_when_all_is_well_it_says_what_it_looked_at():
    said = overview.verdict(FINE)

    assert (said.tone, said.says) == ("ok", "Nothing is wrong.")
    assert said.because[0].startswith("The database is written and read, jobs ran 14 s ago, nobody is above a limit,")


@pytest.mark.promise("P9")
@pytest.mark.parametrize(
    ("standing", "tone", "says", "because"),
    [
        (
            replace(FINE, condition=replace(FINE.condition, is_read_only=True)),
            "bad",
            "The database is read-only.",
            "Reads go on; writes are answered 503.",
        ),
        (
            replace(FINE, condition=replace(FINE.condition, is_full=True)),
            "bad",
            "The database has no room left.",
            "Reads go on; writes are answered 503.",
        ),
        (LOST, "warn", "Redis does not answer.", "no job is sent"),
        (with_facts(violated="I1, I3"), "bad", "What must always hold does not: I1, I3.", "The check of 60 min ago"),
        (
            with_facts(unsealed_entries=12, oldest_unsealed_at=NOON - 5 * MINUTE),
            "bad",
            "12 entries of the audit trail wait to be sealed.",
            "The oldest for 5 min; 2 min are the limit.",
        ),
        (
            replace(FINE, pulse=Pulse(NOON - 9 * MINUTE, {"default": 3, "maintenance": 1})),
            "bad",
            "Jobs stand still.",
            "was last done 9 min ago. 4 jobs wait: no worker takes them.",
        ),
        (
            replace(FINE, pulse=Pulse(NOON - 9 * MINUTE, {"default": 0})),
            "bad",
            "Jobs stand still.",
            "None waits: beat sends none.",
        ),
        (
            with_facts(held_runs=1),
            "warn",
            "A meditation is held and waits for an operator.",
            "It would archive far more than usual",
        ),
        (with_facts(night_state="failed"), "bad", "The last meditation failed.", "It was begun 10 h ago"),
        (
            with_facts(night_at=NOON - 27 * HOUR),
            "bad",
            "No meditation was begun last night.",
            "The last one 27 h ago.",
        ),
        (
            replace(FINE, kept=Kept([TierKept(Tier.SHORT_TERM, 9, 9, 9, 5, 2)], NOON)),
            "warn",
            "Users are over hard: 2 in short-term.",
            "Nothing is lost; their writes wait for room.",
        ),
        (
            with_facts(refused_calls=41, refused_users=1),
            "warn",
            "41 calls of 1 user were refused in the last hour.",
            "In the hour before: 5.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_it_means(standing, tone, says, because):
    said = overview.verdict(standing)

    assert (said.tone, said.says) == (tone, says)
    assert because in said.because[0]
    assert said.because[1:] == ["Nothing else is wrong."]


@pytest.mark.parametrize(
    ("standing", "tone", "says"),
    [
        (FINE, "ok", "succeeded, begun 10 h ago"),
        (with_facts(held_runs=1), "ask", "held, waits for an operator"),
        (with_facts(night_state="running"), "info", "under way, begun 10 h ago"),
        (with_facts(night_state="aborted"), "warn", "aborted, begun 10 h ago"),
        (with_facts(night_state="failed"), "bad", "failed, begun 10 h ago"),
        (with_facts(night_at=NOON - 27 * HOUR), "bad", "succeeded, begun 27 h ago"),
        (with_facts(night_state=None, night_at=None), "mute", "none begun yet"),
    ],
)
def test_the_strip_tells_how_the_last_meditation_stands(standing, tone, says):
    [part] = [part for part in overview.parts(standing) if part.name == "Meditation"]

    assert (part.tone, part.says) == (tone, says)


@pytest.mark.parametrize(
    "standing",
    [
        with_facts(unsealed_entries=1, oldest_unsealed_at=NOON - 2 * MINUTE),
        replace(FINE, pulse=Pulse(NOON - 3 * MINUTE, {"default": 3})),
        replace(FINE, pulse=Pulse(None, {"default": 0})),
    ],
)
def test_what_is_within_its_limit_or_not_known_yet_is_no_trouble(standing):
    assert overview.verdict(standing).troubles == []


def test_the_worst_comes_first_and_nothing_is_left_out():
    standing = with_facts(refused_calls=1, refused_users=1, violated="I1")

    said = overview.verdict(standing)

    assert said.says == "What must always hold does not: I1."
    assert said.because[1] == "1 call of 1 user was refused in the last hour. In the hour before: 5."
    assert [trouble.label for trouble in said.troubles] == ["", "Refused calls"]


@pytest.mark.promise("P9")
def test_without_redis_the_page_opens_and_what_it_knew_is_unknown(sam, lose_redis):
    lose_redis()

    text = sam.reads("/ops/")

    assert "Redis does not answer. Reading and acting go on through the database." in text
    assert "Redis away Workers unknown" in text


@pytest.mark.promise("P9")
def test_every_page_says_that_the_database_is_read_only(sam, alice):
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        texts = [sam.reads(path) for path in ("/ops/", "/ops/users/", user_page(alice))]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET default_transaction_read_only")

    assert all("The database is read-only. Everything can be read; nothing can be changed" in text for text in texts)
    assert "The database is read-only." not in sam.reads("/ops/users/")


def test_the_figures_are_those_of_the_lists_behind_them(sam, alice, bob):
    now = clock.utc_now()
    alice.fill(Tier.SHORT_TERM, leaving_bytes=10, at=now)
    alice.is_throttled(at=now, until=now + HOUR)
    bob.is_raised(Tier.LONG_TERM, 3 << 20, at=now, until=now + HOUR)
    call = Call(bob.id, None, "req_1")
    for ago in (10 * MINUTE, 70 * MINUTE):
        for _ in range(3):
            refusals.keep_counted(RefusalKind.RATE, call, source="x", source_id="write", per_minute=10, now=now - ago)

    text = sam.reads("/ops/")

    assert "Refused in the last hour 3 calls of 1 user; 3 in the hour before" in text
    assert "Customers 2 Who needs attention" in text
    assert "1 throttled 1 with a raise ; each ends by itself" in text
    assert re.search(r"Short-term \d+ items 51\S+ KiB 1 over soft in short-term 0 over hard in short-term", text)


def test_every_figure_leads_to_its_list(sam, alice):
    body = sam.opens("/ops/").content.decode().partition("<main")[2].partition("</main>")[0]
    links = {html.unescape(link) for link in re.findall(r'href="(/ops/[^"]+)"', body)}

    lists = {"/ops/users/", "/ops/refusals/", *(f"/ops/users/?show={show}" for show in ("attention", "throttled"))}
    assert lists | {"/ops/users/?show=over-soft&tier=permanent", "/ops/users/?show=raised"} <= links
    assert {sam.opens(link).status_code for link in links} == {200}


def test_tells_what_staff_did_last_on_whom_and_why(sam, lena, dana):
    get_user_model().objects.filter(pk=sam.staff.pk).update(first_name="Sam", last_name="Okafor")
    sam.throttles(dana, ticket="HD-2214")
    trail.record("user.changed", subject=Subject("user", str(dana.id)), actor=TESTER, now=NOON)

    acts = facts.staff_acts(now=clock.utc_now(), size=6)

    assert [(act.who, act.ticket, act.user) for act in acts] == [("Sam Okafor", "HD-2214", "Dana Whitfield")]
    assert acts[0].what.startswith("Throttled to 10 writes a minute until ")


def test_an_act_on_nobody_is_told_as_well(lena, db):
    trail.record("staff.changed", subject=Subject("staff", "7"), actor=_actor(lena), now=NOON)

    (act,) = facts.staff_acts(now=NOON, size=6)

    assert (act.what, act.user_id) == ("Changed an account of staff", "")


def test_who_only_signed_in_did_nothing(lena, db):
    trail.record("staff.signed_in", subject=Subject("staff", "7"), actor=_actor(lena), now=NOON)

    assert facts.staff_acts(now=NOON, size=6) == []


def _actor(portal):
    return Actor(ActorKind.STAFF, str(portal.staff.pk))


def test_the_acts_of_staff_are_found_by_their_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement(facts.__file__, 'staff_acts')}", {"most": 6})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "audit_entry_staff_ix" in plan


def test_unsealed_entries_are_counted_from_when_they_were_written(sam, alice):
    assert facts.facts(now=clock.utc_now()).unsealed_entries > 0

    late = sam.reads("/ops/")
    sealing.seal(now=clock.utc_now())

    assert "unsealed" in late
    assert facts.facts(now=clock.utc_now()).oldest_unsealed_at is None


def test_a_check_that_found_something_is_the_verdict(sam, alice):
    InvariantCheck.objects.create(invariant="I1", violations=2, checked_at=clock.utc_now())

    answer = sam.opens("/ops/")

    assert "<title>What must always hold does not: I1. Overview" in answer.content.decode()
    assert "I1 violated, just now" in text_of(answer)
    assert set(invariants.CHECKS) >= {"I1"}


@pytest.mark.usefixtures("no_pulse")
def test_a_job_that_was_done_is_noted_for_all_to_see():
    pulse.note(pulse.EACH_MINUTE, now=NOON)

    read = pulse.read(("default", "maintenance"))

    assert read is not None
    assert read.last_done_at == NOON
    assert set(read.waiting) == {"default", "maintenance"}


@pytest.mark.usefixtures("no_pulse")
def test_each_job_that_a_worker_ends_is_noted(db):
    started = clock.utc_now()

    app.tasks[audit_tasks.seal.name].apply(throw=True)

    read = pulse.read(("default",))
    assert read is not None
    assert read.last_done_at is not None
    assert read.last_done_at >= started - timedelta(seconds=1)


def test_what_customers_keep_is_counted_at_most_each_fifteen_seconds(sam, alice):
    sam.reads("/ops/")
    Person.register("late").writes("a memory")

    with_others = sam.reads("/ops/")

    assert "Short-term 0 items" in with_others


def test_says_what_ends_next_and_who_fills_short_term_fastest(sam, alice):
    now = clock.utc_now()
    samples.take(now=now - HOUR)
    alice.writes("x" * 4_000, tier=Tier.SHORT_TERM, at=now)
    alice.is_throttled(at=now, until=now + timedelta(minutes=30, seconds=20))
    forget_everything()

    text = sam.reads("/ops/")

    grows, _, ends = text[text.index("Who fills short-term fastest") :].partition("What ends next All throttles")
    assert alice.external_id in grows
    assert "+3.91 KiB/h" in grows
    assert f"{alice.external_id} : throttle" in ends
    assert "30 min left" in ends


def test_says_so_when_nothing_ends_and_nothing_was_sampled(sam):
    forget_everything()

    text = sam.reads("/ops/")

    assert "No throttle and no raise holds" in text
    assert "Nobody knows yet how fast the tiers fill" in text
