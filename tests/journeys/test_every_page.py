"""Every page, light and dark, wide and narrow: within the policy, readable by everybody, nothing from elsewhere."""

import gzip
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.lib import clock
from memory.models import (
    MeditationRun,
    MeditationShard,
    MeditationUndo,
    MemoryItem,
    MemoryUser,
)
from memory.rules.brakes import Held
from memory.rules.limits import RefusalKind
from memory.rules.meditation import RunState, ShardState, Trigger, UndoOutcome
from memory.rules.selections import Deed
from memory.rules.tiers import Tier
from memory.services import items, meditationruns, refusals
from memory.services.refusals import Call
from memory.services.selections import Chosen
from ops.roles import Role
from ops.services import itemacts, notes, reveals, undo
from ops.services.measures import Sender
from tests.counts import rounds
from tests.journeys import prunedmany
from tests.journeys.addresses import OF_PLANS, OF_RUNS, OPEN_TO_ALL, SIGNED_IN
from tests.journeys.planned import planned
from tests.journeys.window import DESKTOP, PHONE
from tests.ops.portal import items_page, mask_page, run_page, search_page, suspend_page, undo_page, user_page
from tests.personas import TESTER, Person, hire

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVERY_LOOK = [(DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light")]
LOOKS = EVERY_LOOK[: rounds(2, 4)]


@pytest.fixture
def places(dana, sam, lena):
    """The addresses behind the names, of a user with everything and of one with nothing."""
    now = clock.utc_now()
    until = now + timedelta(hours=1)
    throttle = dana.is_throttled(at=now, until=until)
    ended = dana.is_throttled(at=now - timedelta(hours=3), until=now - timedelta(hours=2))
    override = dana.is_raised(Tier.PERMANENT, 11 << 20, at=now, until=until)
    refusals.keep_counted(
        RefusalKind.RATE, Call(dana.id, None, "req_1"), source="plan", source_id="write", per_minute=10, now=now
    )
    lena = get_user_model().objects.get(username=lena)
    sam = get_user_model().objects.get(username=sam)
    return {
        **acted_on(dana, sam, lena, now),
        **meditated(dana, now),
        **prunedmany.places(now),
        **planned(now),
        "user": user_page(dana),
        "reveal": mask_page(revealed_to(hire("luis", Role.LEAD), dana)),
        "throttle": f"/ops/throttles/{throttle.public_id}/lift/",
        "ended": f"/ops/throttles/{ended.public_id}/lift/",
        "override": f"/ops/overrides/{override.public_id}/end/",
        "empty": user_page(Person.register("nobody")),
        "long": user_page(Person.register("x" * 110, display_name="W" * 120, email="w" * 200 + "@example.org")),
    }


def acted_on(dana, sam, lena, now):
    """The addresses of notes and acts: two words that are as long as words can be, and an act that was undone."""
    chosen = [Chosen(item, 1) for item in MemoryItem.objects.filter(user_id=dana.id).values_list("pk", flat=True)[:3]]
    about = {"user_id": dana.id, "now": now}
    note = notes.add(Sender(sam, uuid4(), Why("W" * 1_000 + " never calls back", "T" * 64), ""), **about)
    protected = itemacts.change(Sender(sam, uuid4(), Why("W" * 300, "T" * 64), ""), Deed.PROTECT, chosen[:1], **about)
    deleted = itemacts.change(
        Sender(lena, uuid4(), Why("Not needed any more"), "req_1"), Deed.DELETE, chosen[1:2], **about
    )
    undo.undo(Sender(lena, uuid4(), Why(), "req_2"), deleted.pk, now=now)
    itemacts.change(Sender(lena, uuid4(), Why("Not needed any more"), "req_3"), Deed.DELETE, chosen[2:], **about)
    item = chosen[0].id
    return {
        "note": f"/ops/notes/{note.after['note']}/change/",
        "undo": undo_page(protected),
        "undone": undo_page(deleted),
        "protect": items_page("unprotect", dana, item),
        "delete": items_page("delete", dana, item),
    }


def meditated(person, now):
    """The addresses of a meditation that decided something, and of one that is under way."""
    person.writes("Soon over.", tier=Tier.SHORT_TERM, at=now - timedelta(days=2))
    other = Person.register("y" * 110, display_name="Y" * 120)
    about = {"actor": TESTER, "why": Why(), "now": now}
    done, running = (meditationruns.begin(Trigger.MANUAL, user_id=one.id, **about) for one in (person, other))
    shard = meditationruns.take(now=now)
    assert shard is not None
    meditationruns.do(shard, tell_time=lambda: now)
    part = run_page(done, f"undo/{person.public_id}/")
    return {"run": run_page(done), "part": part, "running": run_page(running), **decided(other, now)}


def decided(person, now):
    """The addresses of runs that wait for somebody to decide, or of which somebody has."""
    about = {"trigger": Trigger.MANUAL, "user_id": person.id, "profile_version": 1, "created_at": now}
    over = {**about, "created_by": str(TESTER)}
    held = MeditationRun.objects.create(state=RunState.HELD, held_at=now, held_reason=Held.SPIKE, **over)
    failed = MeditationRun.objects.create(state=RunState.FAILED, ended_at=now, error="1 of 3 shards failed", **over)
    MeditationShard.objects.create(
        run=failed, number=1, user_ids=[person.id], state=ShardState.FAILED, tries=3, error="DataError"
    )
    undone = MeditationRun.objects.create(state=RunState.SUCCEEDED, ended_at=now, **over)
    entry = AuditEntry.objects.filter(subject_kind="user").order_by("pk")[0]
    undo = MeditationUndo.objects.create(
        run=undone, act_id=entry.pk, users=9, created_at=now, created_by=str(TESTER), heartbeat_at=now
    )
    for outcome, user in zip(UndoOutcome, MemoryUser.objects.order_by("-pk")[:4], strict=False):
        says = f"No room in long-term: needs 3.2 KiB, 12 B are free. {'W' * 80}"
        undo.told.create(user=user, outcome=outcome, items=1_234, size_bytes=12_345_678, says=says)
    pages = {"held": run_page(held), "failed": run_page(failed), "undoing": run_page(undone)}
    return {**pages, "stop": f"/ops/meditation/undos/{undo.pk}/stop/"}


def revealed_to(staff, person):
    """The person's content shows to this person of staff from now on."""
    why = Why("Says that it forgot, HD-2231", "HD-2231")
    return reveals.reveal(Sender(staff, uuid4(), why, ""), user_id=person.id, now=clock.utc_now())


def unfold(window):
    """Open every fold, so that what is inside is looked at too."""
    window.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def look(window, path):
    """What is wrong with the page at this address; nothing, one hopes."""
    window.said.clear()
    window.opens(path)
    return faults_of(window)


def faults_of(window):
    """What is wrong with the page that is open."""
    unfold(window)
    wrong = [report for report in window.reports() if "status of 4" not in report]
    wrong += window.accessibility()
    return wrong + window.overflow() + window.strays


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{size['width']}-{scheme}" for size, scheme in LOOKS])
def test_no_page_breaks_the_policy_or_shuts_anybody_out(open_window, sam, places, size, scheme):
    stranger = open_window(size=size, scheme=scheme)
    wrong = {path: look(stranger, path) for path in OPEN_TO_ALL}
    window = open_window(size=size, scheme=scheme).signs_in(sam)

    wrong |= {path: look(window, path.format(**places)) for path in SIGNED_IN}

    assert {path: found for path, found in wrong.items() if found} == {}


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize(("size", "scheme"), LOOKS, ids=[f"{size['width']}-{scheme}" for size, scheme in LOOKS])
def test_no_page_with_content_does_either(open_window, lena, dana, size, scheme):
    long = Person.register("x" * 110, display_name="W" * 120)
    for text in ("W" * 3_000, "Prefers the window seat, " * 200, "\u05e9\u05dc\u05d5\u05dd window"):
        long_item = long.writes(
            text, metadata={"tags": ["w" * 90, "window"] * 9, "speaker": "S" * 150, "session": "s1"}
        ).id
    archived = long.writes("The window was archived.")
    items.delete_item(archived.id, user_id=long.id, actor=TESTER, now=clock.utc_now())
    window = open_window(size=size, scheme=scheme).signs_in(lena)
    for person in (dana, long):
        revealed_to(get_user_model().objects.get(username=lena), person)

    paths = [user_page(person, query) for person in (dana, long) for query in ("", "?tab=items", "?tab=history")]
    paths += [items_page("delete", long, long_item), items_page("restore", long, archived.id), suspend_page(long)]
    wrong = {path: look(window, path) for path in paths}
    for asked in (("window", ""), ("W" * 300, "mem_1"), ("kitten " * 60, ""), ("window", f"mem_{archived.id.hex}")):
        wrong[str(asked)] = look(window, search_page(long)) + search(window, *asked)

    assert {path: found for path, found in wrong.items() if found} == {}


def search(window, question, expected):
    """What is wrong with the page that answers."""
    window.said.clear()  # axe, which has looked at the page before, adds a style that the policy stops
    window.page.get_by_label("The question").fill(question)
    window.page.get_by_label("The memory you expected").fill(expected)
    window.page.get_by_role("button", name="Search memories").click()
    window.page.wait_for_selector("#answer")
    return faults_of(window)


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize(("size", "scheme"), EVERY_LOOK[1 : 1 + rounds(1, 3)])
def test_no_form_about_meditations_does_either(open_window, olivia, places, size, scheme):
    window = open_window(size=size, scheme=scheme).signs_in(olivia)
    paths = [path for path in SIGNED_IN if path.startswith(OF_RUNS)]
    wrong = {path: look(window, path.format(**places)) for path in paths}

    assert {path: found for path, found in wrong.items() if found} == {}


@pytest.mark.promise("P4")
@pytest.mark.promise("P9")
@pytest.mark.parametrize(("size", "scheme"), EVERY_LOOK[1 : 1 + rounds(1, 3)])
def test_no_form_about_plans_of_cohorts_does_either(open_window, lena, places, size, scheme):
    window = open_window(size=size, scheme=scheme).signs_in(lena)
    paths = [path for path in SIGNED_IN if path.startswith(OF_PLANS)]
    wrong = {path: look(window, path.format(**places)) for path in paths}

    assert {path: found for path, found in wrong.items() if found} == {}


@pytest.mark.promise("P4")
def test_a_viewer_sees_why_and_within_the_policy(open_window, vera, places):
    window = open_window().signs_in(vera)

    wrong = {path: look(window, path.format(**places)) for path in SIGNED_IN if path.startswith("{")}

    assert {path: found for path, found in wrong.items() if found} == {}


def test_a_policy_that_is_broken_would_be_noticed(open_window):
    window = open_window().opens("/admin/login/")

    window.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")

    assert any("style-src" in report for report in window.reports())


def test_a_page_that_shuts_somebody_out_would_be_noticed(open_window):
    window = open_window().opens("/admin/login/")

    window.page.evaluate("document.querySelector('label').remove()")

    assert [found[0] for found in window.accessibility()] == ["label"]


@pytest.mark.promise("P6")
def test_no_payload_of_others_runs(open_window, lena, web):
    payload = "\"'><img src=x onerror=window.hurt=1><script>window.hurt=1</script>"
    eve = Person.register("eve", display_name=payload)
    eve.writes(payload, metadata={"tags": [payload], "speaker": payload, "session": payload, "title": payload})
    revealed_to(get_user_model().objects.get(username=lena), eve)
    window = open_window().signs_in(lena)

    for path in (
        f"/ops/users/?q={eve.external_id}",
        user_page(eve),
        user_page(eve, "?tab=items"),
        f"{user_page(eve)}throttle/",
        search_page(eve),
    ):
        window.opens(path)
        assert window.page.evaluate("window.hurt") is None
        assert window.reports() == []
        assert payload in window.page.content().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    assert search(window, payload, "") == []
    assert window.page.evaluate("window.hurt") is None
    assert payload in window.text()


def page_of_a_search(window, lena, dana):
    """The page with ten results."""
    for number in range(10):
        dana.writes(f"A memory of a window, one of {number}, " * 20)
    revealed_to(get_user_model().objects.get(username=lena), dana)
    window.opens(search_page(dana))
    assert search(window, "window", "") == []
    return window.page.content().encode()


def test_a_first_visit_weighs_little(open_window, lena, dana, places):
    window = open_window().signs_in(lena).opens(places["user"])
    parts = window.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    page = window.page.request.get(window.page.url).body()

    sizes = [len(page), len(page_of_a_search(window, lena, dana))]
    styles_and_scripts = {part: window.page.request.get(part).body() for part in parts}

    assert any(part.endswith(".css") for part in parts)
    assert all(part.startswith(window.url) for part in parts)
    # The image serves the static files compressed; pages go out as they are.
    assert max(sizes) + sum(len(gzip.compress(body)) for body in styles_and_scripts.values()) < 150_000
