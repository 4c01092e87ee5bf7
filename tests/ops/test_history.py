"""A user's timeline: everything that happened, by whom and why, page by page and kind by kind."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject
from kimberly.lib.actors import Actor, ActorKind
from memory.models import Throttle, UsageCounter
from memory.rules.limits import RefusalKind
from memory.rules.tiers import Tier
from memory.services import items, reconcile, refusals, users
from memory.services.refusals import Call
from memory.services.users import Profile
from ops.queries import timeline
from ops.queries import users as user_queries
from ops.queries.names import Names
from ops.queries.timeline import Happened
from ops.services import schedules
from tests.counts import rounds
from tests.ops.portal import WHY, undo_page, user_page
from tests.ops.refusing import refuse
from tests.personas import NOON, TESTER, Person

pytestmark = pytest.mark.usefixtures("clock_at_noon")

MIB = 1 << 20
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


def happened(person, *, now=NOON, **options):
    profile = user_queries.profile(person.id, names=Names(), now=now)
    assert profile is not None
    return timeline.page(profile, names=Names(), now=now, **options)


def test_the_timeline_tells_it_in_words(sam, dana):
    sam.throttles(dana, ticket="HD-2214")
    sam.raises(dana, to="200")

    text = sam.reads(user_page(dana, "?tab=history"))

    assert f"Throttled to 10 writes a minute until 13:00 {WHY} {sam.staff.username}, HD-2214" in text
    assert "Raised short-term from 512 KiB to 1 MiB until tomorrow 12:00" in text


@pytest.mark.parametrize("tab", ["?tab=history", ""])
def test_it_tells_the_time_of_older_acts_and_which_measures_ended_by_themselves(sam, dana, tab):
    dana.is_throttled(at=NOON - 2 * DAY, until=NOON - 2 * DAY + HOUR)
    dana.is_raised(Tier.SHORT_TERM, MIB, at=NOON - 2 * DAY + HOUR / 2, until=NOON - HOUR)
    lifted = dana.is_throttled(at=NOON - HOUR / 2, until=NOON + HOUR)
    sam.lifts(lifted)

    text = sam.reads(user_page(dana, tab))

    told = [
        "12:00 Lifted the throttle",
        "11:30 Throttled to 10 writes a minute until 13:00",
        "11:00 The raise ended by itself: short-term at 1 MiB",
        "15\N{NO-BREAK SPACE}Nov 13:00 The throttle ended by itself: 10 writes a minute",
        "15\N{NO-BREAK SPACE}Nov 12:30 Raised short-term from 512 KiB to 1 MiB until 11:00",
        "15\N{NO-BREAK SPACE}Nov 12:00 Throttled to 10 writes a minute until 15 Nov 13:00",
    ]
    places = [text.find(one.replace("\N{NO-BREAK SPACE}", " ")) for one in told]
    assert -1 not in places
    assert places == sorted(places)
    assert text.count(" ended by itself: ") == 2


def test_acts_of_staff_clients_jobs_and_refusals_stand_in_one_list(sam, lena, dana):
    client = Actor(ActorKind.CLIENT, "none", "req_of_client")
    item = dana.writes("Likes the sea").id
    items.delete_item(item, user_id=dana.id, actor=client, now=NOON - HOUR)
    users.put(dana.external_id, Profile(plan="paid"), actor=client, now=NOON - HOUR)
    refuse(dana, at=NOON - HOUR / 2)
    UsageCounter.objects.filter(user_id=dana.id, tier=Tier.PERMANENT).update(active_items=5)
    reconcile.run(actor=Actor.job("ops.reconcile_usage"), now=NOON)
    lena.reveals(dana)
    sam.notes(dana, "Calls back on weekdays only.")

    text = sam.reads(user_page(dana, "?tab=history"))

    for told in (
        "Deleted an item, 15 B of long-term, to the archive",
        "Moved from the free plan to the paid plan",
        "Refused in short-term. No room: needs 604 B",
        "Mended the counters of permanent: they were not the sum of the items ops.reconcile_usage (job)",
        f"Revealed content to themselves for 15 min {WHY} {lena.staff.username}",
        "Wrote a note Calls back on weekdays only.",
        "req_of_client",
        "req_0c9f2a",
    ):
        assert told in text, told


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        (Happened.STAFF, ["content.revealed", "throttle.set"]),
        (Happened.UNDO, ["throttle.set"]),
        (Happened.CONTENT, ["content.revealed"]),
        (Happened.CLIENTS, ["deleted"]),
        (Happened.REFUSED, ["refused"]),
        (Happened.JOBS, ["mended", "registered"]),
        (Happened.ENDED, ["ended"]),
        (Happened.NOTES, []),
    ],
)
def test_each_kind_can_be_seen_alone(sam, lena, dana, kind, shows):
    item = dana.writes("Likes the sea").id
    items.delete_item(item, user_id=dana.id, actor=Actor(ActorKind.CLIENT, "none"), now=NOON)
    refuse(dana)
    subject = Subject("user", str(dana.id))
    trail.record(
        "usage.reconciled", subject=subject, actor=Actor.job("ops.reconcile"), now=NOON, after={"permanent": []}
    )
    limits_of_old(dana)
    lena.reveals(dana)
    sam.throttles(dana)

    rows = happened(dana, kind=kind).rows

    words = {
        "content.revealed": "Revealed", "throttle.set": "Throttled to 10 writes a minute until 13:00",
        "deleted": "Deleted", "refused": "Refused", "mended": "Mended", "registered": "Registered", "ended": "ended by",
    }  # fmt: skip
    told = [row.what for row in rows if "until 17 Nov 10" not in row.what and "11:00" not in row.what]
    assert len(told) == len(shows)
    assert all(any(words[name] in what for what in told) for name in shows)


def limits_of_old(person):
    """A throttle that ended by itself an hour ago."""
    person.is_throttled(at=NOON - 2 * HOUR, until=NOON - HOUR)


def test_each_row_is_told_once_page_by_page_while_others_come(dana):
    """Of several sources, many of them at the very same moment."""
    for day in range(rounds(10, 40)):
        at = NOON - (day + 2) * DAY
        dana.is_throttled(at=at, until=at + HOUR)
        for _ in range(3):
            refuse(dana, at=at)
            item = dana.writes("Likes the sea", at=at).id
            items.delete_item(item, user_id=dana.id, actor=TESTER, now=at)
    whole = happened(dana, size=10_000).rows

    pages = [happened(dana, size=7)]
    while cursor := pages[-1].next_cursor:
        refuse(dana, at=NOON)  # newer than what is read: no page is moved by it
        pages.append(happened(dana, size=7, cursor=cursor))
    told = [row for page in pages for row in page.rows]

    assert [(row.at, row.what) for row in told] == [(row.at, row.what) for row in whole]
    assert [row.at for row in told] == sorted((row.at for row in told), reverse=True)
    assert sum("ended by itself" in row.what for row in told) == rounds(10, 40)


def test_a_refusal_says_why_in_the_figures_of_that_moment(sam, dana):
    dana.is_raised(Tier.SHORT_TERM, MIB, at=NOON - HOUR, until=NOON - HOUR / 2)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=MIB // 2 + 100, at=NOON - HOUR)
    raised = refuse(dana, needed_bytes=MIB, at=NOON - HOUR)
    refuse(dana, at=NOON)

    text = sam.reads(user_page(dana, "?tab=history&kind=refused"))

    assert "Why? Refused in short-term. No room: needs 604 B, 100 B are free" in text
    assert "Needed 604 B Free 100 B Used 511.9 KiB, 100 % Limit 512 KiB from the free plan" in text
    assert "Would have helped To delete 504 B of short-term: the room is free at once." in text
    assert f"Limit 1 MiB from the raise ovr_{raised.source_id.replace('-', '')}" in text
    assert "A raise of short-term to 1.50 MiB or more." in text


def test_a_refusal_says_when_a_meditation_may_make_room_while_that_is_to_come(dana):
    schedules.sync()
    refuse(dana)

    [evening] = happened(dana, kind=Happened.REFUSED).rows
    [next_day] = happened(dana, kind=Happened.REFUSED, now=NOON + 24 * HOUR).rows

    assert evening.helps[1] == (
        "To wait for the meditation, tomorrow 02:00: it archives what is worth least above the soft limit."
    )
    assert not [said for said in next_day.helps if "meditation" in said]


def test_the_figure_that_would_have_helped_is_enough(dana):
    dana.fill(Tier.SHORT_TERM, leaving_bytes=100)
    refuse(dana, needed_bytes=60_000)
    [row] = happened(dana, kind=Happened.REFUSED).rows
    said = row.helps[-1].removeprefix("A raise of short-term to ").removesuffix(" or more.")
    number, unit = said.split()
    assert unit == "KiB"

    dana.is_raised(Tier.SHORT_TERM, int(float(number) * 1024), until=NOON + HOUR)

    assert dana.free_bytes(Tier.SHORT_TERM) >= 60_000


@pytest.mark.parametrize(
    ("kind", "source_id", "says"),
    [
        (RefusalKind.RATE, "write", "Limit 10 writes a minute, the plan's rate for each user"),
        (RefusalKind.SUSPENDED, "suspended", "State suspended Would have helped To resume the user."),
    ],
)
def test_other_refusals_say_why_too(sam, dana, kind, source_id, says):
    per_minute = 10 if kind is RefusalKind.RATE else None
    facts = {"source": "plan", "source_id": source_id, "per_minute": per_minute}
    refusals.keep_counted(kind, Call(dana.id, None, ""), now=NOON, **facts)

    assert says in sam.reads(user_page(dana, "?tab=history"))


def test_a_throttled_call_says_by_whose_throttle(sam, dana):
    sam.throttles(dana)
    throttle = Throttle.objects.get()
    facts: dict[str, Any] = {"source": "throttle", "source_id": str(throttle.pk), "per_minute": 10}
    for _ in range(3):
        refusals.keep_counted(RefusalKind.THROTTLE, Call(dana.id, None, ""), now=NOON, **facts)

    text = sam.reads(user_page(dana, "?tab=history&kind=refused"))

    assert "more than 10 writes a minute · 3 calls" in text
    assert f"from {throttle.public_id}, set by {sam.staff.username} Its reason {WHY}" in text
    assert "Would have helped To lift the throttle, or to wait until 13:00." in text


def test_what_stands_offers_its_undo_and_what_has_ended_does_not(sam, dana, clock_at_noon):
    sam.throttles(dana)
    [row] = happened(dana, kind=Happened.UNDO).rows
    assert f'href="{undo_page_of(row)}"' in sam.opens(user_page(dana, "?tab=history")).content.decode()

    clock_at_noon.shift(2 * HOUR)

    assert undo_page_of(row) not in sam.opens(user_page(dana, "?tab=history")).content.decode()


def undo_page_of(row):
    return undo_page(AuditEntry.objects.get(pk=row.undo))


def test_a_reason_that_was_erased_is_told_as_such(sam, dana):
    sam.throttles(dana)
    entry = AuditEntry.objects.get(action="throttle.set")
    entry.text.reason, entry.text.ticket, entry.text.erased_at = "", "", NOON
    entry.text.save()

    assert "The reason was erased." in sam.reads(user_page(dana, "?tab=history"))


def test_a_cursor_or_kind_of_something_else_is_refused(sam, dana):
    assert sam.opens(user_page(dana, "?tab=history&cursor=x")).status_code == 422
    assert sam.opens(user_page(dana, "?tab=history&kind=x")).status_code == 422


def test_the_timeline_of_one_user_holds_nothing_of_another(dana, bob):
    refuse(bob)
    bob.is_throttled(at=NOON - 2 * HOUR, until=NOON - HOUR)

    assert [row.what for row in happened(dana).rows] == ["Registered on the free plan"]


@pytest.mark.parametrize("behind", [False, True])
def test_a_page_is_read_from_indexes_in_their_order_whatever_has_happened(dana, behind):
    """The statements that a page sends are planned anew, without the ways that only small tables make sense of."""
    refuse(dana)
    cursor = happened(dana, size=1).next_cursor if behind else ""
    with CaptureQueriesContext(connection) as queries:
        happened(dana, cursor=cursor)

    plans = {name: plan_of(queries, table) for name, table in (("acts", "audit_entry"), ("refused", "refusal"))}

    assert "audit_entry_subject_ix" in plans["acts"]
    assert "refusal_user_ix" in plans["refused"]
    assert not any("Sort" in plan for plan in plans.values())


def plan_of(queries, table):
    [statement] = [one["sql"] for one in queries if f'FROM "{table}"' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(row[0] for row in cursor.fetchall())
