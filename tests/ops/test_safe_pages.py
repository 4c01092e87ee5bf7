"""Pages show what people and clients wrote, and never run it; looking at pages changes nothing."""

import hashlib
import html
import re
from datetime import timedelta

import pytest
from django.db import connection

from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.lib import clock
from memory.models import MemoryItem, Refusal
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import limits, samples, users
from memory.services.limits import Order, Target
from memory.services.users import Profile
from ops.models import UserNote
from ops.roles import Role
from tests.ops.portal import (
    Portal,
    change_note_page,
    items_page,
    search_page,
    suspend_page,
    text_of,
    undo_page,
    user_page,
)
from tests.personas import TESTER, Person, hire

pytestmark = pytest.mark.slow

PAYLOADS = [
    "<script>window.hurt=1</script>",
    '"><img src=x onerror=window.hurt=1>',
    "'><svg onload=window.hurt=1>",
    "</title><script>window.hurt=1</script>",
    "{{ 7|add:7 }}{% debug %}",
    "javascript:window.hurt=1",
]
TABS = ("usage", "items", "refusals", "measures", "history", "notes")


def haunted(payload):
    """A user in whose every field that people or clients fill the payload stands."""
    now = clock.utc_now()
    samples.take(now=now - timedelta(hours=1))
    profile = Profile(display_name=payload, email=f"{payload[:60]}@x.example", time_zone="UTC")
    user, _ = users.put(f"{payload}-of-eve", profile, actor=TESTER, now=now)
    dana = Person(user.pk, user.external_id)
    told = {"title": payload, "speaker": payload, "session": payload, "tags": [payload, {"deep": payload}]}
    dana.writes(payload, at=now, metadata=told)
    dana.writes(f"{payload}\n" * 20, at=now, metadata={"tags": payload, "speaker": [payload]})
    order = Order(TESTER, payload, Why(f"because of {payload}", payload[:64]), now + timedelta(hours=1))
    limits.throttle(target=Target(user_id=dana.id), scope=ThrottleScope.WRITE, per_minute=10, order=order, now=now)
    limits.raise_quota(user_id=dana.id, tier=Tier.SHORT_TERM, hard_bytes=1 << 20, order=order, now=now)
    key, _ = keys.issue(client_name=payload[:80], scopes=["memory:write"], actor=TESTER, now=now)
    facts = {"needed_bytes": 1, "used_bytes": 1, "room_bytes": 0, "limit_bytes": 1, "tier": Tier.SHORT_TERM}
    Refusal.objects.create(
        user_id=dana.id, kind="quota", source="plan", source_id=payload[:40], client=key.client, **facts,
        request_id=payload[:64], refused_at=now, last_refused_at=now,
    )  # fmt: skip
    return dana


def acted_on(portal, person, payload):
    """Notes and acts whose words are the payload; gives the addresses that show them."""
    portal.notes(person, f"because of {payload}", ticket=payload[:64])
    item = MemoryItem.objects.filter(user_id=person.id).order_by("pk")[0]
    portal.changes("protect", person, item.pk, reason=f"because of {payload}", ticket=payload[:64])
    acts = [undo_page(act) for act in AuditEntry.objects.filter(action__in=["note.added", "items.protected"])]
    note = UserNote.objects.get(user_id=person.id)
    forms = [items_page("unprotect", person, item.pk), suspend_page(person), change_note_page(note)]
    return [*acts, *forms, user_page(person, "?tab=notes"), user_page(person, f"?done={acts[0].split('/')[3]}")]


@pytest.mark.promise("P6")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_others_wrote_is_shown_as_text(sam, payload):
    dana = haunted(payload)
    acts = acted_on(sam, dana, payload)
    paths = [
        "/ops/users/",
        "/ops/burst/?tier=long-term",
        "/ops/expiring/",
        "/ops/refusals/",
        *(user_page(dana, f"?tab={tab}") for tab in TABS),
    ]
    paths += [user_page(dana) + "throttle/", user_page(dana) + "raise-quota/", f"/ops/users/?q={payload}-of", *acts]

    bodies = [sam.client.get(path).content.decode() for path in paths]

    for body in bodies:
        assert payload not in body or not set(payload) & set("<>")
        assert not re.search(r'href="javascript:', body)
    assert all(payload in html.unescape(body) for body in bodies[:3])


@pytest.mark.promise("P6")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_others_wrote_is_shown_as_text_to_who_may_read_it(lena, payload):
    dana = haunted(payload)
    lena.reveals(dana, reason=f"because of {payload}", ticket=payload[:64])
    paths = [user_page(dana), user_page(dana, "?tab=items"), user_page(dana, "?tab=history"), search_page(dana)]

    bodies = [lena.client.get(path).content.decode() for path in paths]
    bodies.append(lena.searches(dana, payload, tags=f"{payload[:9]},x", expected=payload).content.decode())
    bodies.append(lena.searches(dana, payload).content.decode())

    for body in bodies:
        assert payload not in body or not set(payload) & set("<>")
        assert not re.search(r'href="javascript:', body)
    assert all(payload in html.unescape(body) for body in bodies)


@pytest.mark.promise("P6")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_was_typed_comes_back_as_text(sam, alice, payload):
    answer = sam.throttles(alice, reason=payload[:9], ticket=payload * 3, other=payload, rate=payload)

    body = answer.content.decode()
    assert answer.status_code == 422
    assert payload not in body or not set(payload) & set("<>")


@pytest.mark.promise("P5")
@pytest.mark.parametrize("role", Role)
def test_no_link_of_any_page_changes_anything(alice, role):
    now = clock.utc_now()
    alice.writes("a memory", at=now)
    alice.is_throttled(at=now, until=now + timedelta(hours=1))
    lena = Portal.of(hire("lena", Role.LEAD))
    lena.notes(alice, "Calls back on weekdays only.")
    lena.changes("delete", alice, alice.writes("another memory", at=now).id)
    portal = Portal.of(hire(str(role), role))
    before = fingerprint()

    visited = follow_every_link(portal, "/ops/users/")

    assert len(visited) > 15
    assert fingerprint() == before


def follow_every_link(portal, start):
    """Open every address of our own that any page links to; gives them."""
    waiting, seen = [start], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = portal.client.get(path)
        assert answer.status_code in (200, 302), (path, answer.status_code)
        links = re.findall(r'href="([^"#]+)', answer.content.decode()) if answer.status_code == 200 else [answer.url]
        for link in map(html.unescape, links):
            target = path.partition("?")[0] + link if link.startswith("?") else link
            if target.startswith(("/ops/", "/admin/", "/problems/", "/api/v1/docs")):
                waiting.append(target)
    return seen


def fingerprint():
    """A hash of every row of every table but the sessions, which note when their person was last seen."""
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name != "staff_session"]
        digest = hashlib.sha256()
        for name in sorted(names):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM \"{name}\" AS t")
            digest.update(f"{name}\n{cursor.fetchone()[0]}\n".encode())
    return digest.hexdigest()


@pytest.mark.promise("P9")
def test_with_a_read_only_database_pages_open_and_forms_say_so(sam, alice):
    sam.client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL transaction_read_only = on")

    page, answer = sam.opens(user_page(alice)), sam.throttles(alice)

    assert page.status_code == 200
    assert answer.status_code == 503
    assert "The database is read-only right now. Nothing was changed; reads go on." in text_of(answer)
    assert answer["Retry-After"] == "30"
