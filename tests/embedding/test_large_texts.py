"""However long or odd the texts of one call are, a process with little memory answers it."""

import resource
from pathlib import Path

import pytest

from kimberly.lib import clock
from memory.models import MemoryItem
from memory.rules.tiers import Tier
from tests.api.callers import MEMORY, Caller
from tests.counts import rounds
from tests.web import WebServer

pytestmark = pytest.mark.slow
GIGABYTE = 1 << 30
LONGEST = 200_000
ODD = {
    "one letter": "a",
    "spaces": " " * 1_000,
    "emoji only": "🎉🌍👩‍👩‍👧‍👦" * 200,
    "many languages": "Guten Morgen. 早上好。صباح الخير. Доброе утро. Καλημέρα. สวัสดีตอนเช้า. " * 20,
    "no spaces at all": "x" * LONGEST,
    "one mark": "." * 50_000,
    "words tied by underscores": "a_" * (LONGEST // 2),
    "unseen characters": "\u200b\u2060\ufeff" * 500,
}


@pytest.fixture(scope="module")
def small_web(django_db_setup):
    with WebServer(workers=1) as web:
        for pid in processes_of(web):
            resource.prlimit(pid, resource.RLIMIT_DATA, (GIGABYTE, GIGABYTE))
        yield web


@pytest.fixture
def alice(small_web, committed_db):
    caller = Caller.of(small_web, "alice", plan="paid")
    with caller.http:
        yield caller


def processes_of(web):
    """The web server's process and its children."""
    assert web._process is not None
    parent = web._process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [parent, *map(int, children.split())]


def distinct_words(characters):
    words = (f"{number:x}日本語" for number in range(characters))
    text = " ".join(word for _, word in zip(range(characters // 9), words, strict=False))
    return text[:characters]


LONG = {
    "different words": distinct_words,
    "letters of four bytes": lambda characters: ("𐍈𐌰𐌹𐌻𐍃 𐌷𐌻𐌰𐌹𐍆𐍃 " * characters)[:characters],
    "one word": lambda characters: ("window " * characters)[:characters],
    "one letter": lambda characters: "x" * characters,
    "emoji": lambda characters: ("🎉🌍👩‍👩‍👧‍👦" * characters)[:characters],
    "no spaces between words": lambda characters: ("早上好世界" * characters)[:characters],
    "marks": lambda characters: ("... !? -- " * characters)[:characters],
    "numbers": lambda characters: " ".join(map(str, range(characters)))[:characters],
    "lines": lambda characters: ("a line\n" * characters)[:characters],
    "combining marks": lambda characters: ("e\u0301\u0323o\u0308 " * characters)[:characters],
}
SHORT = [{"type": "long-term", "content": f"Note {number} about the garden."} for number in range(99)]
shapes = pytest.mark.parametrize("long", list(LONG.values())[: rounds(1, len(LONG))], ids=list(LONG)[: rounds(1, 10)])


@pytest.mark.promise("F4")
@shapes
def test_a_bulk_with_one_text_of_a_megabyte_is_answered_and_the_rest_is_kept(small_web, alice, long):
    before = processes_of(small_web)

    answer = alice.posts_many({"type": "permanent", "content": long(1_000_000)}, *SHORT, atomic=False)

    assert answer.status_code == 201, answer.text[:300]
    assert [item is None for item in answer.json()["items"]] == [True, *[False] * 99]
    [refused] = answer.json()["errors"]
    assert (refused["index"], refused["status"]) == (0, 422)
    assert processes_of(small_web) == before


@pytest.mark.promise("F4")
@shapes
def test_a_bulk_with_one_text_as_long_as_may_be_is_kept(small_web, alice, long):
    before = processes_of(small_web)

    answer = alice.posts_many({"type": "permanent", "content": long(LONGEST)}, *SHORT)

    assert answer.status_code == 201, answer.text[:300]
    assert len(answer.json()["items"]) == 100
    embedded = MemoryItem.objects.filter(user_id=alice.person.id, embedding_model__isnull=False)
    assert embedded.count() == 100
    assert processes_of(small_web) == before


@pytest.mark.promise("F5")
@pytest.mark.parametrize("long", list(LONG.values())[: rounds(3, 10)], ids=list(LONG)[: rounds(3, 10)])
def test_the_longest_texts_are_kept_whole_and_found(alice, long):
    content = long(LONGEST)
    kept = alice.keeps(content, type="permanent")

    found = alice.http.post(f"{MEMORY}/query", json={"query": content[:300]})

    assert alice.reads(kept["id"]).json()["content"] == content
    assert kept["size_bytes"] == len(content.encode()) + len("{}")
    assert found.status_code == 200, found.text[:300]
    assert [item["id"] for item in found.json()["items"]] == [kept["id"]]


@pytest.mark.promise("F5")
@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("long", list(LONG.values())[: rounds(1, 10)], ids=list(LONG)[: rounds(1, 10)])
def test_a_text_fits_to_the_byte_or_not_at_all(alice, long, more):
    content = long(20_000)
    size_bytes = len(content.encode()) + len("{}")
    now = clock.utc_now()
    alice.person.fill(Tier.SHORT_TERM, leaving_bytes=size_bytes - more, at=now)

    answer = alice.posts(content, type="short-term")

    assert answer.status_code == (413 if more > 0 else 201), answer.text[:300]
    assert alice.person.free_bytes(Tier.SHORT_TERM, at=now) == (size_bytes - more if more > 0 else -more)


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_texts_are_kept_and_asked_about(alice, content):
    kept = alice.keeps(content)

    found = alice.http.post(f"{MEMORY}/query", json={"query": content[:8_000]})

    assert kept["content"] == content
    assert found.status_code == 200, found.text[:300]
    assert all(0 <= item["score"] <= 1 for item in found.json()["items"])
