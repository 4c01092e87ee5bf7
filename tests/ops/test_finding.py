"""The search box of all pages: anybody by the beginning of any of their names, or by an id as a whole."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from kimberly.lib import ids
from kimberly.lib.sql import statement
from memory.rules.limits import RefusalKind
from memory.rules.tiers import Purpose, Tier
from memory.services import items, refusals, users
from memory.services.refusals import Call
from memory.services.users import Profile
from ops.queries import finding
from ops.services import seen
from tests.ops.many_people import make_many
from tests.ops.portal import Portal, text_of, user_page
from tests.ops.test_safe_pages import fingerprint
from tests.personas import NOON, TESTER, Person, unique

pytestmark = pytest.mark.usefixtures("clock_at_noon")

HOSTILE = [
    "%", "_", "\\", "a%", "'; --", "\x00", "\x00acct", "🜁" * 300, "usr_" + "f" * 32, "f" * 32, "d" * 10_000, "(", "[^",
    "{{ 7|add:7 }}", "\u202edana", "İ", "\ud7ff", "a" * 199 + "ß",
]  # fmt: skip


@pytest.fixture
def dana(db):
    return Person.register("acct-dana", display_name="Dana Maria Whitfield", email="Dana.W@example.org")


def found_by(text):
    return [(one.user.display_name, one.by) for one in finding.beginning(text)]


def refused_call_of(person):
    call = Call(person.id, None, "req_0c7e51")
    refusals.keep_counted(RefusalKind.RATE, call, source="x", source_id="write", per_minute=1, now=NOON)
    return "req_0c7e51"


def test_an_items_id_goes_to_the_item(vera, dana):
    first, second = (dana.writes("a memory", at=NOON + timedelta(hours=n)).id for n in range(2))
    items.delete_item(first, user_id=dana.id, actor=TESTER, now=NOON + timedelta(hours=2))

    for item_id in (first, second):
        answer = vera.opens(f"/ops/find/?q={ids.encode(ids.Prefix.ITEM, item_id)}")
        rows = vera.opens(answer.url).context["items"].rows

        assert answer.url.startswith(user_page(dana, "?tab=items&"))
        assert rows[0].public_id == ids.encode(ids.Prefix.ITEM, item_id)


@pytest.mark.parametrize(
    "spelling",
    [
        "usr",
        "uuid",
        "hex",
        "external",
        "thr",
        "ovr",
        "e-mail",
        "as mail writes it",
        "in capitals",
        "refused call",
    ],
)
def test_an_id_goes_straight_to_its_user(vera, dana, spelling):
    until = NOON + timedelta(hours=1)
    spellings = {
        "usr": ids.encode(ids.Prefix.USER, dana.id),
        "uuid": str(dana.id),
        "hex": dana.id.hex,
        "external": dana.external_id,
        "thr": dana.is_throttled().public_id,
        "ovr": dana.is_raised(Tier.LONG_TERM, 3 << 20, until=until).public_id,
        "e-mail": "dana.w@EXAMPLE.org",
        "as mail writes it": "<dana.w@example.org>",
        "in capitals": str(dana.id).upper(),
        "refused call": refused_call_of(dana),
    }

    answer = vera.client.get("/ops/find/", {"q": f" {spellings[spelling]} "})

    assert answer.url == user_page(dana)


def test_a_refused_call_is_found_by_its_index(db):
    make_many()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT user_id FROM refusal WHERE request_id = 'req_1' AND request_id <> ''")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "refusal_request_ix" in plan


@pytest.mark.parametrize(
    ("typed", "by"),
    [
        ("ACCT-da", "external id"),
        ("dana.w@", "e-mail"),
        ("dana m", "name"),
        ("whit", "last name"),
        ("WHITFIELD", "last name"),
    ],
)
def test_a_beginning_finds_and_says_by_what(dana, typed, by):
    assert found_by(typed) == [("Dana Maria Whitfield", by)]


@pytest.mark.parametrize("typed", ["maria", "field", "example.org", "cct-"])
def test_what_stands_inside_a_word_is_not_looked_for(dana, typed):
    assert found_by(typed) == []


def test_an_e_mail_of_two_is_no_id(vera, dana):
    Person.register("acct-other", email="dana.w@example.org")

    text = text_of(vera.client.get("/ops/find/", {"q": "dana.w@example.org"}))

    assert text.count("by e-mail") == 2


def test_gives_ten_rows_and_the_way_to_all_of_them(vera, db):
    for _ in range(11):
        Person.register("many")

    body = vera.client.get("/ops/find/", {"q": "many"}).content.decode()

    assert body.count("by external id") == finding.MOST_FOUND == 10
    assert 'href="/ops/users/?q=many"' in body


def test_leaves_out_those_who_are_no_customers(db):
    users.put(unique("canary"), Profile(display_name="Canary"), actor=TESTER, now=NOON, purpose=Purpose.CANARY)

    assert found_by("canary") == []


@pytest.mark.promise("R7")
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "live"])
def test_hostile_text_finds_nobody_and_says_so(vera, dana, text, headers):
    answer = vera.client.get("/ops/find/", {"q": text}, headers=headers)

    assert answer.status_code == 200
    assert "Nobody is called" in text_of(answer)


@pytest.mark.parametrize("wildcard", ["%", "_", "acct%", "acct_dana"])
def test_no_sign_stands_for_another(dana, wildcard):
    assert found_by(wildcard) == []


def test_while_one_types_the_answer_is_the_rows_alone(vera, dana):
    answer = vera.client.get("/ops/find/", {"q": "whit"}, headers={"HX-Request": "true"})

    assert "<html" not in answer.content.decode()
    assert text_of(answer) == f"Dana Maria Whitfield {dana.external_id} Dana.W@example.org Enter: search for “whit”"
    assert len(vera.client.get("/ops/find/", headers={"HX-Request": "true"}).content.strip()) == 0


def test_a_whole_id_is_found_while_one_types_as_well(vera, dana):
    answer = vera.client.get("/ops/find/", {"q": f"usr_{dana.id.hex}"}, headers={"HX-Request": "true"})

    assert text_of(answer).startswith("Dana Maria Whitfield")


def test_each_part_of_the_search_reads_its_index(db):
    make_many()

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {statement(finding.__file__, 'find_users')}", {"beginning": "dana", "most": 10})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    for name in ("external_id", "email", "name", "last_name"):
        scan = plan.partition(f"memory_user_{name}_ix")[2].partition("->")[0]
        assert re.search(r"Index Cond: .*~>=~ 'dana'.*~<~ 'dana", scan), name


def test_whom_one_looked_at_last_stands_on_the_page_for_oneself_alone(sam, vera, dana):
    other = Person.register("other", display_name="Olu Brandt")
    for person in (dana, other, dana):
        sam.opens(user_page(person))

    mine, hers = sam.reads("/ops/find/"), vera.reads("/ops/find/")

    assert mine.index("Dana Maria Whitfield") < mine.index("Olu Brandt")
    assert mine.count("Dana Maria Whitfield") == 1
    assert "You have looked at nobody yet" in hers


def test_ten_are_kept_and_a_look_changes_nothing_in_the_database(sam, db):
    people = [Person.register("seen") for _ in range(12)]
    before = fingerprint()

    for person in people:
        sam.opens(user_page(person))

    assert fingerprint() == before
    assert seen.of(sam.staff) == [person.id for person in reversed(people)][: seen.MOST_KEPT]


@pytest.mark.promise("P9")
def test_without_redis_one_finds_and_is_told_what_is_missing(sam, dana, lose_redis):
    lose_redis()

    sam.reads(user_page(dana))
    text = text_of(sam.client.get("/ops/find/", {"q": "whit"}))

    assert "Dana Maria Whitfield by last name" in text
    assert "Redis keeps this list, and does not answer." in text


def test_a_stranger_finds_nobody(dana):
    answer = Portal().client.get("/ops/find/", {"q": "whit"}, headers={"HX-Request": "true"})

    assert answer.status_code == 302
