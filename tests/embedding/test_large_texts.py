"""However long or odd the texts of one call are, a process with little memory answers it."""

import resource
from pathlib import Path

import pytest

from memory.models import MemoryItem
from tests.api.callers import MEMORY, Caller
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


def test_a_bulk_with_one_very_long_text_is_answered(small_web, alice):
    long = distinct_words(LONGEST)
    notes = [{"type": "long-term", "content": f"Note {number} about the garden."} for number in range(99)]

    before = processes_of(small_web)

    answer = alice.posts_many({"type": "permanent", "content": long}, *notes)

    assert len(long.encode()) > 300_000
    assert answer.status_code == 201, answer.text[:300]
    assert len(answer.json()["items"]) == 100
    embedded = MemoryItem.objects.filter(user_id=alice.person.id, embedding__isnull=False)
    assert embedded.count() == 100
    assert processes_of(small_web) == before


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_texts_are_kept_and_asked_about(alice, content):
    kept = alice.keeps(content)

    found = alice.http.post(f"{MEMORY}/query", json={"query": content[:8_000]})

    assert kept["content"] == content
    assert found.status_code == 200, found.text[:300]
    assert all(0 <= item["score"] <= 1 for item in found.json()["items"])
