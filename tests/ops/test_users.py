"""The list of users, the search, and one user's page."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kimberly.lib import ids
from memory.models import MemoryUser
from memory.rules.limits import RefusalKind
from memory.rules.tiers import Purpose, Tier
from memory.services import items, refusals, users
from memory.services.quotas import QuotaExceeded
from memory.services.refusals import Call
from memory.services.users import Profile
from ops.queries import keyset
from ops.queries import users as user_queries
from tests.ops.portal import text_of, user_page
from tests.personas import NOON, TESTER, Person, content_of, unique

pytestmark = pytest.mark.usefixtures("clock_at_noon")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KIB = 1 << 10


@pytest.fixture
def dana(db):
    return Person.register("dana", display_name="Dana Whitfield", email="dana@example.org", at=NOON - 8 * 30 * DAY)


def is_refused(person, size_bytes, *, at=NOON):
    """A write that finds no room, kept as the API keeps it."""
    with pytest.raises(QuotaExceeded) as refusal:
        person.writes(content_of(size_bytes), tier=Tier.SHORT_TERM, at=at)
    return refusals.keep_quota(refusal.value, Call(person.id, None, "req_5f0c"), now=at)


def rows_of(portal, path):
    """The text of each row of the page's first table."""
    body = portal.opens(path).content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"(?s)<tr>.*?</tr>", body)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def every_page(portal, path):
    """All rows, page by page, by following the link to the next."""
    found = []
    while path:
        found += rows_of(portal, path)
        link = re.search(r'rel="next" href="([^"]+)"', portal.opens(path).content.decode())
        path = html.unescape(path.partition("?")[0] + link[1]) if link else ""
    return found


def test_lists_customers_newest_first_with_the_usage_of_each_tier(vera, dana):
    dana.writes(content_of(100 * KIB), tier=Tier.LONG_TERM)
    Person.register("newest", at=NOON - HOUR)

    newest, oldest = rows_of(vera, "/ops/users/")

    assert newest.startswith("newest")
    assert oldest.startswith(f"Dana Whitfield {dana.external_id} , free plan, known for 8 months")
    assert "100 KiB of 2 MiB 5 %" in oldest


def test_shows_what_is_unusual_in_words(vera, dana):
    dana.is_throttled(until=NOON + HOUR)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=10)
    dana.fill(Tier.LONG_TERM, leaving_bytes=300 * KIB)
    dana.is_raised(Tier.PERMANENT, 11 << 20, until=NOON + 16 * HOUR)

    (row,) = rows_of(vera, "/ops/users/")

    for said in (
        "Throttled, 60 min left",
        "Short-term 100 % full",
        "Long-term over soft",
        "Permanent raised, 16 h left",
    ):
        assert said in row


def test_says_that_a_user_is_suspended(vera, dana):
    MemoryUser.objects.filter(pk=dana.id).update(state="suspended")

    assert "Suspended" in rows_of(vera, "/ops/users/")[0]


def test_leaves_out_those_who_are_no_customers(vera, dana):
    users.put(unique("canary"), Profile(), actor=TESTER, now=NOON, purpose=Purpose.CANARY)

    assert len(rows_of(vera, "/ops/users/")) == 1


def test_gives_each_user_once_page_by_page(vera):
    registered = {Person.register("many", at=NOON).external_id for _ in range(2 * keyset.PAGE_ROWS + 1)}

    shown = [row.split()[0] for row in every_page(vera, "/ops/users/")]

    assert len(shown) == len(registered)
    assert set(shown) == registered


@pytest.mark.parametrize("spelling", ["usr", "uuid", "hex", "external", "mem"])
def test_an_id_goes_straight_to_its_user(vera, dana, spelling):
    stored = dana.writes("a memory")
    spellings = {
        "usr": ids.encode(ids.Prefix.USER, dana.id),
        "uuid": str(dana.id),
        "hex": dana.id.hex,
        "external": dana.external_id,
        "mem": ids.encode(ids.Prefix.ITEM, stored.id),
    }

    answer = vera.client.get("/ops/users/", {"q": f" {spellings[spelling]} "})

    assert answer.url == user_page(dana)


def test_otherwise_lists_whose_external_id_begins_so(vera, dana):
    for name in ("acct-2", "acct-1", "bcct-1"):
        users.put(name, Profile(), actor=TESTER, now=NOON)

    answer = vera.client.get("/ops/users/", {"q": "acct-"})

    assert re.findall(r'break">(acct-\d)</span>', answer.content.decode()) == ["acct-1", "acct-2"]


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    "text", ["%", "_", "\\", "a%", "'; --", "\x00", "\x00acct", "🜁" * 300, "usr_" + "f" * 32, "f" * 32]
)
def test_hostile_search_text_finds_nobody_and_says_so(vera, dana, text):
    answer = vera.client.get("/ops/users/", {"q": text})

    assert answer.status_code == 200
    assert "s external id, e-mail, name or last name begins with" in text_of(answer)


def test_before_the_first_user_says_how_one_begins(vera):
    assert "No user is registered yet" in vera.reads("/ops/users/")


@pytest.mark.parametrize("path", ["/ops/users/?cursor=x", "/ops/refusals/?cursor=WyJhIl0"])
def test_a_cursor_of_nowhere_is_refused_as_a_page(vera, path):
    answer = vera.opens(path)

    assert answer.status_code == 422
    assert "is not a cursor of this list" in text_of(answer)


def test_the_list_reads_an_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    with CaptureQueriesContext(connection) as queries:
        user_queries.page(now=NOON)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "memory_user_newest_ix" in plan
    assert "Sort" not in plan.replace("Incremental Sort", "")


def test_the_page_of_a_user_says_what_is_used_of_which_limit(vera, dana):
    dana.writes(content_of(64 * KIB), tier=Tier.SHORT_TERM)
    dana.is_raised(Tier.SHORT_TERM, 768 * KIB, until=NOON + 16 * HOUR)

    text = vera.reads(user_page(dana))

    assert "Short-term, kept 24 h" in text
    assert "64 KiB of 768 KiB 8 %" in text
    assert "1 item, soft limit 409.6 KiB" in text
    assert "Limit from a raise until tomorrow 04:00; then 512 KiB of the free plan" in text
    assert "Limit from the free plan" in text


def test_content_is_masked_everywhere(vera, dana):
    secret = "The safe's combination is “seven-eleven”, and nobody may know."
    stored = dana.writes(secret, metadata={"title": "combination"})
    items.delete_item(dana.writes(secret).id, user_id=dana.id, actor=TESTER, now=NOON)

    pages = [vera.reads(user_page(dana, f"?tab={tab}")) for tab in ("usage", "items", "refusals", "history")]
    pages.append(vera.reads(user_page(dana, "?tab=items&state=archived")))

    assert [page for page in pages if "seven-eleven" in page or "combination" in page] == []
    assert f"masked, {len(secret)} characters" in pages[1]
    assert f"mem_…{stored.id.hex[-12:]}" in pages[1]
    assert "purged in 30 days" in pages[-1]


def test_items_can_be_narrowed_by_state_and_tier(vera, dana):
    dana.writes("one", tier=Tier.LONG_TERM)
    dana.writes("two", tier=Tier.PERMANENT)

    assert len(rows_of(vera, user_page(dana, "?tab=items"))) == 2
    assert len(rows_of(vera, user_page(dana, "?tab=items&tier=permanent"))) == 1
    assert "No purged item" in vera.reads(user_page(dana, "?tab=items&state=purged"))
    assert vera.opens(user_page(dana, "?tab=items&state=lost")).status_code == 422


def test_a_refused_write_says_why_in_figures(vera, dana):
    dana.fill(Tier.SHORT_TERM, leaving_bytes=176)
    is_refused(dana, 604)

    (row,) = rows_of(vera, "/ops/refusals/")

    assert "No room: needs 604 B, 176 B are free limit 512 KiB from the free plan" in row
    assert "1 for lack of room today" in vera.reads(user_page(dana))


def test_a_refusal_under_a_raise_names_the_raise(vera, dana):
    override = dana.is_raised(Tier.SHORT_TERM, 600 * KIB, until=NOON + HOUR)
    dana.fill(Tier.SHORT_TERM, leaving_bytes=5)
    is_refused(dana, 604)

    assert f"limit 600 KiB from the raise {override.public_id}" in vera.reads("/ops/refusals/")


@pytest.mark.parametrize(
    ("kind", "per_minute", "why"),
    [
        (RefusalKind.THROTTLE, 10, "Throttled: more than 10 writes a minute until 13:00, set by The tests"),
        (RefusalKind.RATE, 1200, "Too fast: more than 1,200 writes a minute the plan's rate for each user"),
        (RefusalKind.SUSPENDED, None, "Suspended: no writes and no queries"),
    ],
)
def test_calls_that_were_held_back_say_by_what(vera, dana, kind, per_minute, why):
    source = {RefusalKind.THROTTLE: str(dana.is_throttled().pk), RefusalKind.RATE: "write"}.get(kind, "suspended")
    for _ in range(3):
        refusals.keep_counted(
            kind, Call(dana.id, None, "req_1"), source="x", source_id=source, per_minute=per_minute, now=NOON
        )

    (row,) = rows_of(vera, f"/ops/refusals/?kind={kind}")

    assert why in row
    assert row.endswith("3")


def test_refusals_can_be_narrowed_by_kind_and_tier(vera, dana):
    dana.fill(Tier.SHORT_TERM, leaving_bytes=0)
    is_refused(dana, 100)

    assert len(rows_of(vera, "/ops/refusals/?kind=quota&tier=short-term")) == 1
    assert "No refusal is of this kind and tier" in vera.reads("/ops/refusals/?tier=permanent")
    assert vera.opens("/ops/refusals/?kind=whim").status_code == 422


def test_a_tab_or_user_that_is_not_there_is_a_page_that_says_so(vera, dana):
    for path in (user_page(dana, "?tab=secrets"), "/ops/users/usr_1/", f"/ops/users/usr_{'a' * 32}/"):
        assert vera.opens(path).status_code == 404


def test_an_erased_user_cannot_be_limited_and_the_page_says_why(sam, dana):
    MemoryUser.objects.filter(pk=dana.id).update(state="erased")

    assert "This user is erased: there is nothing left to limit." in sam.reads(user_page(dana))
    assert sam.throttles(dana).status_code == 404


def test_times_are_relative_with_the_exact_one_in_the_title(vera, dana):
    body = vera.opens(user_page(dana)).content.decode()

    assert '<time datetime="2026-03-22T12:00:00Z" title="2026-03-22 12:00:00 UTC">8 months ago</time>' in body


def test_the_environment_is_on_every_page_and_form(sam, dana):
    body = sam.opens(user_page(dana)).content.decode()

    assert "Kimberly development</title>" in body
    assert '<span class="k-env" data-env="development">Development</span>' in body
    assert "This changes" in text_of(sam.opens(f"{user_page(dana)}throttle/"))
