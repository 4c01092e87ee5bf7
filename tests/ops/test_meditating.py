"""Staff begins a meditation: of one user, or of all, with a reason, once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import bytesize
from memory.models import MeditationRun
from memory.rules.meditation import RunState, Scope, Trigger
from memory.rules.tiers import Tier
from memory.services import meditationruns
from ops.queries import timeline, users
from ops.queries.names import Names
from ops.queries.timeline import Happened
from tests.ops.nights import above_soft
from tests.ops.portal import MEDITATE_ALL, MEDITATE_SOME, WHY, Portal, meditate_page, text_of, user_page
from tests.personas import NOON, TESTER, content_of

pytestmark = pytest.mark.usefixtures("clock_at_noon", "no_brake_holds")


@pytest.fixture
def dana(db):
    return above_soft()


def test_support_begins_one_of_one_user_and_is_led_to_it(sam, dana):
    answer = sam.sends(meditate_page(dana), ticket="HD-9")

    run = MeditationRun.objects.get()
    entry = AuditEntry.objects.get(action="meditation.begun")
    assert (run.user_id, run.trigger, run.state) == (dana.id, Trigger.MANUAL, RunState.RUNNING)
    assert (entry.actor_id, entry.text.reason, entry.text.ticket) == (str(sam.staff.pk), WHY, "HD-9")
    assert "A meditation of Dana Whitfield was begun. See the run" in sam.reads(answer.url)
    assert f"begun just now by {sam.staff.username}" in sam.reads(f"/ops/meditation/{run.public_id}/")


def test_the_form_says_before_what_would_be_looked_at(sam, dana):
    dana.writes("Over by then.", tier=Tier.SHORT_TERM, at=NOON - timedelta(days=2))

    text = sam.reads(meditate_page(dana))

    assert "Scored not yet 10 items anew" in text
    used, soft = bytesize.human(9_000), bytesize.human(8_000)
    assert f"Long-term, over soft {used} down to {soft}, within the daily cap" in text
    assert "Past their life 1 item promoted or archived" in text


def test_sent_twice_it_begins_once(sam, dana):
    once = uuid4()

    first, second = (sam.sends(meditate_page(dana), once=once) for _ in range(2))

    assert first.url == second.url
    assert MeditationRun.objects.count() == 1


def test_while_one_is_not_finished_the_next_is_refused_with_a_way_to_it(sam, dana):
    sam.sends(meditate_page(dana))

    answer = sam.sends(meditate_page(dana))

    assert answer.status_code == 409
    assert "A meditation of these users is not finished yet. Nothing was begun." in text_of(answer)
    assert f'href="/ops/meditation/{MeditationRun.objects.get().public_id}/"' in answer.content.decode()


def test_without_a_reason_nothing_is_begun(sam, dana, olivia):
    answers = [sam.sends(meditate_page(dana), reason="short"), olivia.meditates_all(reason="short")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert not MeditationRun.objects.exists()


def test_an_operator_begins_one_of_all_and_sees_it(olivia, dana):
    answer = olivia.meditates_all()

    run = MeditationRun.objects.get()
    assert run.user_id is None
    assert answer.url == f"/ops/meditation/{run.public_id}/?done={run.public_id}"
    assert "A meditation of all users was begun." in olivia.reads(answer.url)
    again = olivia.meditates_all()
    assert (again.status_code, MeditationRun.objects.count()) == (409, 1)


def test_support_is_told_that_an_operator_meditates_on_all(sam, dana):
    text, answer = sam.reads("/ops/meditation/"), sam.sends(MEDITATE_ALL)

    assert f"{sam.staff.username} (support) cannot start a meditation of all users: operator can." in text
    assert (answer.status_code, MeditationRun.objects.count()) == (403, 0)


def test_the_users_page_offers_it(sam, vera, dana):
    assert "Meditate now Score, promote and archive" in sam.reads(user_page(dana))
    assert "cannot start a meditation of one user: lead, operator and support can." in vera.reads(user_page(dana))


def test_an_operator_begins_one_of_those_on_a_list(olivia, dana, bob):
    address = f"{MEDITATE_SOME}?show=over-soft&tier=long-term"
    form = olivia.reads(address)

    answer = olivia.sends(MEDITATE_SOME, show="over-soft", tier="long-term", whom="1 user")

    run = MeditationRun.objects.get()
    assert "1 user: those on the list “Over soft” in long-term" in form
    assert (run.scope, run.cohort) == (Scope.SOME, {"show": "over-soft", "tier": "long-term"})
    assert [shard.user_ids for shard in run.shards.all()] == [[dana.id]]
    page = olivia.reads(answer.url)
    assert "A meditation of some users was begun." in page
    assert "Those on the list “Over soft” in long-term" in page


def test_a_backfill_is_of_those_who_were_missed(olivia, dana):
    fields = {"since": "2026-11-01T00:00", "until": "2026-11-18T00:00:00"}
    olivia.sends(MEDITATE_SOME, **fields, whom="1 user")

    run = MeditationRun.objects.get()
    assert run.trigger == Trigger.BACKFILL
    assert "Backfill of some users" in olivia.reads(f"/ops/meditation/{run.public_id}/")
    assert "missed from 2026-11-01 00:00 UTC until 2026-11-18 00:00 UTC" in olivia.reads(
        f"/ops/meditation/{run.public_id}/"
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"since": "2026-11-16T00:00", "until": "2026-11-15T00:00"}, "This must be after the beginning of the window."),
        ({"until": "2026-11-17T00:00"}, "Since when? A window has a beginning."),
        ({"since": "yesterday"}, "A day and a time, such as 2026-11-17 02:00."),
        ({"since": "2031-01-01T00:00"}, "This is still to come: nobody was missed yet."),
        ({"tier": "long-term"}, "Of which list? A tier narrows one."),
        ({"show": "suspended"}, "Nobody is among these customers now."),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_nothing_is_begun(olivia, dana, fields, says):
    answer = olivia.sends(MEDITATE_SOME, **fields, whom="1 user")

    assert (answer.status_code, MeditationRun.objects.count()) == (422, 0)
    assert says in text_of(answer)


def test_when_they_are_more_by_now_the_number_is_asked_for_again(olivia, dana, bob):
    answer = olivia.sends(MEDITATE_SOME, q="", whom="1 user")

    assert (answer.status_code, MeditationRun.objects.count()) == (422, 0)
    assert "This is not how many users these are by now." in text_of(answer)
    assert "Type 2 users" in text_of(answer)


def do(at):
    """Every shard that waits."""
    shard = meditationruns.take(now=at)
    assert shard is not None
    while shard is not None:
        meditationruns.do(shard, tell_time=lambda: at)
        shard = meditationruns.take(now=at)


def begin_and_do(person, *, at):
    meditationruns.begin(Trigger.MANUAL, user_id=person.id, actor=TESTER, why=Why(), now=at)
    do(at)


def test_the_timeline_tells_what_each_meditation_did_and_why(sam, dana, clock_at_noon):
    dana.writes("Prefers the window seat.", tier=Tier.SHORT_TERM, at=NOON - timedelta(days=2))
    sam.sends(meditate_page(dana))
    do(NOON)

    text = sam.reads(user_page(dana, "?tab=history&kind=meditation"))

    run = MeditationRun.objects.get()
    assert "Meditation archived" in text
    assert "archived because its tier was over the soft limit" in text
    assert f"{sam.staff.username}, run_…{run.public_id[-12:]}" in text
    assert "Meditation archived" in sam.reads(user_page(dana, "?tab=history"))
    assert "Meditation archived" not in sam.reads(user_page(dana, "?tab=history&kind=jobs"))


def test_of_each_user_only_what_was_decided_of_them_is_told(sam, dana, bob, olivia):
    bob.writes("Prefers the aisle.", tier=Tier.SHORT_TERM, at=NOON - timedelta(days=2))
    olivia.meditates_all()
    do(NOON)

    assert "Meditation archived 1 item, " in sam.reads(user_page(dana, "?tab=history&kind=meditation"))
    assert "over the soft limit" not in sam.reads(user_page(bob, "?tab=history&kind=meditation"))


def test_meditations_are_told_page_by_page_each_once(dana):
    for days in range(3):
        dana.writes(content_of(1_000), tier=Tier.LONG_TERM, at=NOON + timedelta(days=days))
        begin_and_do(dana, at=NOON + timedelta(days=days))
    profile = users.profile(dana.id, names=Names(), now=NOON + timedelta(days=3))
    assert profile is not None
    found: list[str] = []
    cursor = ""

    for _ in range(3):
        page = timeline.page(
            profile, kind=Happened.MEDITATION, names=Names(), now=NOON + timedelta(days=3), cursor=cursor, size=1
        )
        found += [row.run for row in page.rows]
        cursor = page.next_cursor or ""

    assert cursor == ""
    assert found == [run.public_id for run in MeditationRun.objects.order_by("-created_at")]


def test_an_archived_and_a_purged_item_say_why(sam, dana, clock_at_noon):
    begin_and_do(dana, at=NOON)
    archived = sam.reads(user_page(dana, "?tab=items&state=archived"))
    later = NOON + timedelta(days=31)
    clock_at_noon.move_to(later)
    begin_and_do(dana, at=later)

    purged = Portal.of(sam.staff).reads(user_page(dana, "?tab=items&state=purged"))

    assert "because its tier was over the soft limit, and it was among the least useful for its size" in archived
    assert "because it had been archived for as long as was promised" in purged


def test_an_item_says_what_it_is_worth_or_by_which_score_it_went(sam, dana, clock_at_noon):
    begin_and_do(dana, at=NOON)
    run = MeditationRun.objects.get()

    active, archived = (sam.reads(user_page(dana, f"?tab=items&state={state}")) for state in ("active", "archived"))

    assert "Worth keeping Score " in active
    assert "predictive value" in active
    assert f"By the meditation {run.public_id} Score " in archived
    assert "the lowest go first" in archived
