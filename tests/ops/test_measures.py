"""Throttling and raising: what the forms do, refuse and say."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import clock
from memory.models import QuotaOverride, Throttle
from memory.queries import throttles
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from ops.roles import Role
from ops.services import measures
from ops.services.measures import BeyondSupport, Brake, Limit, Sender
from tests.ops.portal import (
    WHY,
    Portal,
    end_page,
    lift_page,
    local,
    raise_page,
    text_of,
    throttle_page,
    undo_page,
    user_page,
)
from tests.personas import NOON, Person, hire

pytestmark = pytest.mark.usefixtures("clock_at_noon")

KIB, MIB = 1 << 10, 1 << 20
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield")


@pytest.mark.parametrize(
    ("fields", "scope", "per_minute", "length"),
    [
        ({}, "write", 10, HOUR),
        ({"scope": "query", "rate": "1", "end": "4h"}, "query", 1, 4 * HOUR),
        ({"scope": "all", "rate": "block", "end": "72h"}, "all", None, 72 * HOUR),
        ({"rate": "other", "other": "25", "end": "24h"}, "write", 25, DAY),
        ({"end": "at", "ends_at": local(NOON + 90 * DAY)}, "write", 10, 90 * DAY),
    ],
)
def test_throttles_as_the_form_says(sam, dana, fields, scope, per_minute, length):
    sam.throttles(dana, **fields)

    made = Throttle.objects.get(user_id=dana.id)
    assert (made.scope, made.per_minute, made.reason) == (scope, per_minute, WHY)
    assert (made.period.lower, made.period.upper) == (NOON, NOON + length)
    assert made.created_by == f"staff:{sam.staff.pk}"


@pytest.mark.parametrize(
    ("fields", "hard_bytes", "length"),
    [
        ({}, 768 * KIB, DAY),
        ({"to": "200", "end": "1h"}, MIB, HOUR),
        ({"to": "other", "size": "640", "unit": "KiB"}, 640 * KIB, DAY),
        ({"to": "other", "size": "0.75", "unit": "MiB"}, 768 * KIB, DAY),
    ],
)
def test_raises_as_the_form_says(sam, dana, fields, hard_bytes, length):
    sam.raises(dana, **fields)

    made = QuotaOverride.objects.get(user_id=dana.id, tier=Tier.SHORT_TERM)
    assert (made.hard_bytes, made.period.upper) == (hard_bytes, NOON + length)
    assert dana.usage(Tier.SHORT_TERM).limit_bytes == hard_bytes


def test_says_what_was_done_until_when_and_how_to_undo_it(sam, dana):
    answer = sam.throttles(dana)

    page = sam.client.get(answer.url)
    made = Throttle.objects.get(user_id=dana.id)
    act = AuditEntry.objects.get(action="throttle.set")
    assert "Dana Whitfield is throttled to 10 writes a minute until 13:00, in 60 min. Undo" in text_of(page)
    assert f'action="{undo_page(act)}"' in page.content.decode()
    assert lift_page(made) in page.content.decode()


def test_lifting_ends_the_throttle_and_says_so(sam, dana):
    throttle = dana.is_throttled(at=NOON - HOUR, until=NOON + HOUR)

    answer = sam.lifts(throttle, reason="The client was mended")

    assert "The throttle of Dana Whitfield has ended" in sam.reads(answer.url)
    assert Throttle.objects.filter(period__contains=NOON).count() == 0
    assert throttles.in_force(now=NOON).of_user == {}


def test_ending_a_raise_says_when_the_user_is_above_the_limit_again(sam, dana):
    override = dana.is_raised(Tier.SHORT_TERM, MIB, until=NOON + DAY, at=NOON - HOUR)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=0)

    answer = sam.ends(override)

    text = sam.reads(answer.url)
    assert "Dana Whitfield has 512 KiB there, 1 MiB are used: writes wait for room." in text
    assert "Short-term over hard" in text


def test_what_was_typed_is_shown_to_whoever_ends_what_another_has_ended(sam, lena, dana):
    throttle = dana.is_throttled(at=NOON - HOUR, until=NOON + HOUR)
    lena.lifts(throttle)

    answer = sam.lifts(throttle, reason="The client was mended overnight", ticket="HD-9")

    text = text_of(answer)
    assert answer.status_code == 409
    assert f"There is nothing to end: {lena.staff.username} ended it just now." in text
    assert "What you typed was not kept, HD-9: The client was mended overnight" in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reason": "loop"}, "4 characters; at least 10, so that the next reader understands."),
        ({"reason": "   \t  "}, "At least 10 characters, so that the next reader understands."),
        ({"rate": "other", "other": ""}, "How many calls a minute?"),
        ({"rate": "other", "other": "0"}, "A whole number from 1"),
        ({"end": "at", "ends_at": ""}, "Which time? It must end some day."),
        ({"end": "at", "ends_at": local(NOON - HOUR)}, "This is in the past."),
        ({"end": "at", "ends_at": local(NOON + 91 * DAY)}, "This is more than 90 days away"),
        ({"end": "never"}, "is not one of the available choices"),
        ({"once": "again"}, "Open this page again."),
        ({"end": "at", "ends_at": "tomorrow"}, "A day and a time, such as 2026-11-17 13:00."),
        ({"ticket": "x" * 65}, "This has 65 characters; at most 64 characters are kept."),
        ({"reason": "a reason with a \x00 in it"}, "Null characters are not allowed"),
        ({"reason": "\u200b" * 20, "end": "never"}, "This holds characters that cannot be seen"),
        ({"reason": "The client \u202eis in a loop"}, "This holds characters that cannot be seen, or that turn"),
        ({"ticket": "HD\u2066-1"}, "This holds characters that cannot be seen, or that turn"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(sam, dana, fields, says):
    answer = sam.throttles(dana, **{"ticket": "HD-2214", **fields})

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "HD-2214" in answer.content.decode() or "ticket" in fields
    assert Throttle.objects.count() == 0


def test_a_second_throttle_of_the_same_calls_is_refused_with_the_first(sam, dana):
    first = dana.is_throttled()

    answer = sam.throttles(dana, rate="60", reason="And now to sixty a minute")

    assert answer.status_code == 409
    assert "A throttle of writes, set by The tests, holds until 13:00. End it first." in text_of(answer)
    assert "And now to sixty a minute" in answer.content.decode()
    assert lift_page(first) in answer.content.decode()


def test_what_has_ended_cannot_be_ended_again(sam, dana):
    throttle = dana.is_throttled(at=NOON - 2 * HOUR, until=NOON - HOUR)

    page, answer = sam.opens(lift_page(throttle)), sam.lifts(throttle)

    assert "There is nothing to end: it ended by itself 60 min ago." in text_of(page)
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"to": "other", "size": "1025", "unit": "KiB"}, "more than 1 MiB, twice the plan's limit: a lead can raise"),
        ({"end": "at", "ends_at": local(NOON + 7 * DAY + HOUR)}, "more than 7 days away: a lead can raise for longer"),
    ],
)
def test_support_raises_within_its_bounds_and_a_lead_beyond(sam, lena, dana, fields, says):
    refused = sam.raises(dana, **fields)
    assert (refused.status_code, says in text_of(refused)) == (403, True)
    assert QuotaOverride.objects.count() == 0

    lena.raises(dana, **fields)

    assert QuotaOverride.objects.count() == 1


def test_support_may_go_to_the_very_bound(sam, dana):
    answer = sam.raises(dana, to="200", end="at", ends_at=local(NOON + 7 * DAY))

    assert answer.status_code == 302


def test_somebody_who_is_support_and_lead_has_no_bound(dana):
    both = Portal.of(hire("both", Role.SUPPORT, Role.LEAD))

    answer = both.raises(dana, to="other", size="4", unit="MiB")

    assert answer.status_code == 302


@pytest.mark.parametrize("size", ["512", "100", "0.001", "999999999", "-1", "NaN", "1e400"])
def test_a_raise_that_raises_nothing_or_is_no_size_is_refused(lena, dana, size):
    answer = lena.raises(dana, to="other", size=size, unit="KiB" if size != "999999999" else "MiB")

    assert answer.status_code == 422
    assert QuotaOverride.objects.count() == 0


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ("9" * 13, "A number above 0 such as 1.5, of at most nine digits and three decimals."),
        ("0.0001", "A number above 0 such as 1.5, of at most nine digits and three decimals."),
        ("9" * 9, "This must be from 1 B to 1 TiB."),
        ("0.5", "This is not more than the plan's 512 KiB."),
    ],
)
def test_a_size_that_cannot_be_is_refused_in_the_forms_own_words_at_its_field(lena, dana, size, says):
    answer = lena.raises(dana, to="other", size=size, unit="MiB")

    assert answer.status_code == 422
    assert answer.context["offer"].form.errors["size"] == [says]


def test_the_service_holds_the_bounds_by_itself(dana):
    sender = Sender(hire("sam", Role.SUPPORT), uuid4(), Why(WHY), "req_1")

    with pytest.raises(BeyondSupport) as refusal:
        measures.raise_quota(sender, Limit(Tier.SHORT_TERM, 2 * MIB), user_id=dana.id, ends_at=NOON + 8 * DAY, now=NOON)

    assert [pointer for pointer, _ in refusal.value.errors] == ["/hard_bytes", "/ends_at"]


def test_each_act_is_in_the_trail_with_who_what_and_the_request(sam, dana):
    sam.client.post(
        throttle_page(dana),
        {"once": uuid4(), "reason": WHY, "ticket": "HD-1", "scope": "write", "rate": "10", "end": "1h"},
        headers={"X-Request-ID": "req_of_sam"},
    )

    entry = AuditEntry.objects.get(action="throttle.set")
    assert (entry.actor_kind, entry.actor_id, entry.request_id) == ("staff", str(sam.staff.pk), "req_of_sam")
    assert (entry.subject_kind, entry.subject_id) == ("user", str(dana.id))
    assert (entry.text.reason, entry.text.ticket) == (WHY, "HD-1")


def test_measures_that_hold_and_that_ended_are_listed_with_their_reasons(sam, dana):
    dana.is_throttled(at=NOON - 3 * HOUR, until=NOON - 2 * HOUR)
    override = dana.is_raised(Tier.PERMANENT, 11 * MIB, at=NOON - HOUR, until=NOON + DAY)
    sam.ends(override, reason="The move is done already")

    text = sam.reads(user_page(dana, "?tab=measures"))

    assert "No throttle and no raise holds" in text
    assert "ended 2 h ago by itself" in text
    assert f"early, by {sam.staff.username}" in text


def test_the_form_shows_before_and_after(sam, dana):
    dana.fill(Tier.SHORT_TERM, leaving_bytes=256 * KIB)

    text = sam.reads(raise_page(dana))

    assert "Limit 512 KiB" in text
    assert "768 KiB" in text
    assert "Used 50 %" in text
    assert "33 %" in text


def test_the_page_to_end_a_raise_shows_what_will_be(sam, dana):
    override = dana.is_raised(Tier.SHORT_TERM, MIB, until=NOON + DAY)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=512 * KIB)

    text = sam.reads(end_page(override))

    assert "Limit 1 MiB 512 KiB Used 50 % 100 %" in text
    assert "Set by The tests" in text


def change_of(portal, person, scope):
    """What the throttle form says while these calls are chosen: each row of the table, and what is above it."""
    body = portal.opens(throttle_page(person)).content.decode()
    shown = re.sub(rf'(?s)<(span|p|dt|dd|b)[^>]* data-if="scope-(?!{scope}")[^"]*".*?</\1>', "", body)
    text = " ".join(html.unescape(re.sub(r"(?s)<svg.*?</svg>|<[^>]+>", " ", shown)).split())
    return re.sub(r" (?=[.,;:])", "", text)


def test_the_form_shows_what_holds_now_and_what_must_end_first(sam, dana):
    dana.is_throttled(until=NOON + 3 * HOUR)

    writes, reads, both = (change_of(sam, dana, scope) for scope in ThrottleScope)

    first = "A throttle holds: 10 writes a minute, 3 h left. End it first."
    assert first in writes
    assert "Calls 10 writes a minute" in writes
    assert "Holds 10 writes a minute 3 h left: end it first" in writes
    assert "Calls 1,200 reads a minute" in reads
    assert "Holds" not in reads
    assert "Calls 10 writes a minute, 1,200 reads a minute" in both
    assert "Holds 10 writes a minute stays, 3 h left; the strictest counts" in both
    assert first not in reads + both


def test_the_strictest_of_what_holds_is_what_holds_now(sam, dana):
    dana.is_throttled(ThrottleScope.WRITE, per_minute=60)
    dana.is_throttled(ThrottleScope.QUERY, per_minute=None)
    dana.is_throttled(ThrottleScope.ALL, per_minute=25)

    writes, reads, both = (change_of(sam, dana, scope) for scope in ThrottleScope)

    assert "Calls 25 calls a minute" in writes
    assert "Holds 25 calls a minute stays" in writes
    assert "Calls all reads blocked" in reads
    assert "Calls 25 calls a minute, all reads blocked" in both
    assert "Holds 25 calls a minute 60 min left: end it first" in both


@pytest.mark.parametrize(("scope", "most", "calls"), [("write", 1200, "1,200 writes"), ("all", 2400, "2,400 calls")])
def test_a_throttle_that_would_hold_nothing_back_is_refused_at_its_field(sam, dana, scope, most, calls):
    answer = sam.throttles(dana, scope=scope, rate="other", other=str(most))

    assert answer.status_code == 422
    says = f"This is not below the plan's {calls} a minute: it would hold nothing back."
    assert answer.context["offer"].form.errors["other"] == [says]
    assert sam.throttles(dana, scope=scope, rate="other", other=str(most - 1)).status_code == 302


def test_a_throttle_of_nobody_is_a_page_that_is_not_there(sam):
    assert sam.opens("/ops/throttles/thr_0199a3c27d1e7b6c8f21d3a4b5c6d7e8/lift/").status_code == 404
    assert sam.opens("/ops/throttles/thr_nonsense/lift/").status_code == 404
    assert sam.opens("/ops/users/usr_0199a3c27d1e7b6c8f21d3a4b5c6d7e8/throttle/").status_code == 404


def test_a_brake_is_what_the_caller_meets(sam, dana):
    measures.throttle(
        Sender(sam.staff, uuid4(), Why(WHY), ""),
        Brake(ThrottleScope.WRITE, None),
        user_id=dana.id,
        ends_at=NOON + HOUR,
        now=NOON,
    )

    assert [brake.per_minute for brake in throttles.in_force(now=clock.utc_now()).of_user[dana.id]] == [None]
