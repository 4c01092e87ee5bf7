"""The people whom an operator should find at a glance: near the limit, bursting, throttled, raised, suspended."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter

from memory.rules.tiers import Tier
from ops.demo import documents
from ops.demo.histories import BUSY, RESTLESS, History, Pace, Share
from ops.demo.plans import (
    DeletedAndUndone,
    HeldBack,
    Memory,
    Noted,
    Ordered,
    Protected,
    Pruned,
    QuotaRaised,
    Suspended,
    Throttled,
    ThrottleLifted,
)

KIB, MIB = 1 << 10, 1 << 20
# What the plans grant at first (memory/migrations/0003): a test compares. Under other plans the figures differ, and
# nothing breaks.
FREE_BYTES = {Tier.SHORT_TERM: 512 * KIB, Tier.LONG_TERM: 2 * MIB}
PAID_LONG_TERM_BYTES = 20 * MIB
FULL_SECONDS = 8 * 60  # The burst's tier has been full for at least so long when its client is refused.


@dataclass(frozen=True, slots=True)
class Case:
    """Who it is, and what is told of them beside a short ordinary history."""

    external_id: str
    display_name: str
    language: str
    plan: str
    days: int
    tell: Callable[[History], None]
    client: str = "assistant-app"
    pace: Pace = BUSY


def near_limit(history: History) -> None:
    """97 % of long-term is used, and three more exports did not fit."""
    room = FREE_BYTES[Tier.LONG_TERM] * 974 // 1000 - _bytes_of(history, Tier.LONG_TERM)
    tables = history.tables(Share(Tier.LONG_TERM, room, document_bytes=110_000), least_age=timedelta(hours=5))
    history.write_in_batches(sorted(tables, key=attrgetter("created_at", "content")))
    at = max(history.now - timedelta(hours=4), history.night + timedelta(seconds=1))
    full = Share(Tier.LONG_TERM, FREE_BYTES[Tier.LONG_TERM] * 974 // 1000)
    again = [history.documents.table("pulse", at, most_bytes=110_000) for _ in range(6)]
    metadata = {"source": "chat", "tags": ["pulse", "export"]}
    memories = [history.memory_of(table, Tier.LONG_TERM, at, metadata) for table in again]
    history.top_up(at, memories, full, limit_bytes=FREE_BYTES[Tier.LONG_TERM])
    for minutes in (194, 51, 9):
        at = history.now - timedelta(minutes=minutes)
        table = history.documents.table("pulse", at, most_bytes=FREE_BYTES[Tier.LONG_TERM] // 25)
        history.write(at, [history.memory_of(table, Tier.LONG_TERM, at, {"source": "chat", "tags": ["pulse"]})])
    note = "Her watch exports the pulse in one piece. Asked whether it can send a day at a time; calls back on Monday."
    history.deeds.append(Noted(history.now - timedelta(minutes=47), Ordered("demo-sam", note, "HD-3322")))
    order = Ordered("demo-sam", "Room for the next exports until she sends a day at a time", "HD-3322")
    history.deeds.append(Pruned(history.now - timedelta(minutes=44), Tier.LONG_TERM, 0.1, order))


def bursting(history: History) -> None:
    """An import that began an hour and three quarters ago, has filled short-term, and does not stop trying."""
    chance, room = history.voice.chance, FREE_BYTES[Tier.SHORT_TERM] - _bytes_of(history, Tier.SHORT_TERM)
    left = room
    while left > 1_500:
        # One after the other, at an even pace but for a few seconds.
        age = FULL_SECONDS + (105 * 60 - FULL_SECONDS) * left / room + chance.uniform(-4, 4)
        left -= size_of(_mail(history, age, size_bytes=min(left, chance.randint(4_200, 9_600))))
    at = history.now - timedelta(seconds=FULL_SECONDS - 20)
    mails = [documents.trade_mail(chance, at, most_bytes=9_000) for _ in range(20)]
    metadata = {"session": f"import-{at:%Y-%m-%d}", "source": "mail", "tags": ["mail", "import"]}
    memories = [history.memory_of(mail, Tier.SHORT_TERM, at, metadata) for mail in mails]
    full = Share(Tier.SHORT_TERM, FREE_BYTES[Tier.SHORT_TERM])
    history.top_up(at, memories, full, limit_bytes=FREE_BYTES[Tier.SHORT_TERM])
    for age in range(430, 10, -70):
        _mail(history, age, size_bytes=2_600)


def throttled(history: History) -> None:
    """Ten writes a minute for three more hours; the client has not slowed down."""
    now = history.now
    order = Ordered("demo-sam", "Phone app repeats each write after an update, until 4.2 is out", "HD-3318")
    history.deeds.append(Throttled(now - timedelta(minutes=65), now + timedelta(minutes=178), 10, order))
    for minutes in (58, 57, 41, 40, 26, 12, 11, 4):
        times = history.voice.chance.randint(2, 7)
        history.deeds.append(HeldBack(now - timedelta(minutes=minutes), history.client, times))


def override_ends_soon(history: History) -> None:
    """Short-term holds more than the plan grants, and in forty minutes the plan counts again."""
    now, raised_bytes = history.now, 768 * KIB
    order = Ordered("demo-lena", "Survey day: answers come in faster than they are summed up", "HD-3301")
    began_at = now - timedelta(hours=5, minutes=20)
    history.deeds.append(QuotaRaised(began_at, now + timedelta(minutes=40), Tier.SHORT_TERM, raised_bytes, order))
    room = raised_bytes * 79 // 100 - _bytes_of(history, Tier.SHORT_TERM)
    sheets = round(room / 24_000)
    found = []
    for sheet in range(sheets):
        at = now - timedelta(seconds=240 + sheet * 17_400 // sheets)
        metadata = {"session": f"survey-{at:%Y-%m-%d}", "source": "chat", "tags": ["survey", "answers"]}
        table = history.documents.table("survey", at, most_bytes=room // sheets - 260)
        found.append(history.memory_of(table, Tier.SHORT_TERM, at, metadata))
    for memory in reversed(found):
        history.write(memory.created_at, [memory])
    at = now - timedelta(seconds=200)
    again = [history.documents.table("survey", at, most_bytes=24_000) for _ in range(6)]
    metadata = {"session": f"survey-{at:%Y-%m-%d}", "source": "chat", "tags": ["survey", "answers"]}
    memories = [history.memory_of(table, Tier.SHORT_TERM, at, metadata) for table in again]
    history.top_up(at, memories, Share(Tier.SHORT_TERM, raised_bytes * 79 // 100), limit_bytes=raised_bytes)


def override_ended(history: History) -> None:
    """Nine days ago long-term was raised for three days."""
    at = history.now - timedelta(days=9)
    order = Ordered("demo-sam", "Moves her notes over from another service", "HD-3254")
    history.deeds.append(
        QuotaRaised(at, at + timedelta(days=3), Tier.LONG_TERM, FREE_BYTES[Tier.LONG_TERM] * 3 // 2, order)
    )
    at = history.now - timedelta(days=6)
    order = Ordered("demo-sam", "The raise has ended, and she writes again on Monday", "HD-3271")
    history.deeds.append(Pruned(at, Tier.LONG_TERM, 0.05, order, applied_at=at + timedelta(minutes=24)))
    places, at = history.lasting(2)
    order = Ordered("demo-lena", "Asked for the duplicates of last week to go", "HD-3287")
    history.deeds.append(DeletedAndUndone(at, at + (history.now - at) / 9, places, order))


def throttle_lifted(history: History) -> None:
    """Yesterday's block ended early: the client was mended."""
    at = history.now - timedelta(hours=26)
    order = Ordered("demo-sam", "Speaker sends the same sentence over and over", "HD-3296")
    history.deeds.append(Throttled(at, at + timedelta(hours=4), None, order))
    history.deeds.append(HeldBack(at + timedelta(minutes=3), history.client, 9))
    asked = Ordered("demo-sam", "Take out what the loop has left behind", "HD-3296")
    planned_at, back_at = at + timedelta(minutes=55), at + timedelta(minutes=94)
    history.deeds.append(
        Pruned(planned_at, Tier.LONG_TERM, 0.02, asked, applied_at=planned_at + timedelta(minutes=9), undone_at=back_at)
    )
    lifted = Ordered("demo-lena", "Speaker was restarted, the loop is gone", "HD-3296")
    history.deeds.append(ThrottleLifted(at + timedelta(minutes=50), lifted))


def suspended(history: History) -> None:
    """Stopped six hours ago, and the client still tries now and then."""
    order = Ordered("demo-lena", "The account's owner reported a stolen phone", "HD-3289")
    at = history.now - timedelta(hours=6)
    history.deeds = [*(deed for deed in history.deeds if deed.at < at), Suspended(at, order)]
    for hours, times in ((5, 3), (4, 1), (2, 2), (0, 4)):
        history.deeds.append(HeldBack(history.now - timedelta(hours=hours, minutes=7), history.client, times))
    note = "The owner has a new phone since noon and calls again once the number is moved. Resume then, not before."
    history.deeds.append(Noted(history.now - timedelta(minutes=95), Ordered("demo-sam", note, "HD-3289")))


def raised(history: History) -> None:
    """A paying customer with more room for some days to come."""
    now = history.now
    order = Ordered("demo-lena", "Archive of the second practice is taken over this week", "HD-3310")
    more = PAID_LONG_TERM_BYTES * 3 // 2
    history.deeds.append(QuotaRaised(now - timedelta(days=1), now + timedelta(days=3), Tier.LONG_TERM, more, order))
    places, at = history.lasting(3)
    asked = Ordered("demo-sam", "The practice wants these kept whatever else goes", "HD-3311")
    history.deeds.append(Protected(at, places, asked))


CASES = (
    Case("acct-71180", "Noor Haddad", "en", "free", 31, near_limit, pace=RESTLESS),
    Case("acct-74012", "Gideon Park", "en", "free", 9, bursting),
    Case("acct-73554", "Lukas Brenner", "de", "free", 16, throttled, "phone-app"),
    Case("acct-70921", "Camila Duarte", "pt", "free", 23, override_ends_soon),
    Case("acct-71733", "Rocío Almagro", "es", "free", 27, override_ended),
    Case("acct-72418", "Michele Losito", "it", "free", 19, throttle_lifted, "home-speaker"),
    Case("acct-72066", "Leila Mansour", "en", "free", 12, suspended),
    Case("rivermead-practice", "Rivermead practice", "en", "paid", 34, raised),
)


def _mail(history: History, age_seconds: float, *, size_bytes: int) -> Memory:
    """One call; where short-term has no room any more, its memory gets a place, but nobody will find anything there."""
    at = history.now - timedelta(seconds=age_seconds)
    mail = documents.trade_mail(history.voice.chance, at, most_bytes=size_bytes - 200)
    metadata = {"session": f"import-{at:%Y-%m-%d}", "source": "mail", "tags": ["mail", "import"]}
    memory = history.memory_of(mail, Tier.SHORT_TERM, at, metadata)
    history.write(at, [memory], client="mail-import")
    return memory


def size_of(memory: Memory) -> int:
    """As the service counts it: the text and the compact JSON beside it, in UTF-8."""
    compact = json.dumps(memory.metadata, ensure_ascii=False, separators=(",", ":"))
    return len(memory.content.encode()) + len(compact.encode())


def _bytes_of(history: History, tier: Tier) -> int:
    """What the ordinary history keeps there; what it deletes is not taken off."""
    return sum(size_of(memory) for memory in history.written if memory.tier is tier)
