"""Large texts as people hand them to an assistant: papers, and what devices and banks give out, line by line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from ops.demo.voices import Voice

LEAST_BYTES = 200  # Less would not be worth a document.


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    text: str
    tag: str


@dataclass
class Documents:
    """One person's. Each line has a time of its own: a list of a kind ends where the one told before begins."""

    voice: Voice
    _begun: dict[str, datetime] = field(default_factory=dict)

    def paper(self, at: datetime) -> Document | None:
        """A paper of some lines; None where the person has shown all."""
        found = self.voice.paper(at)
        return Document(*found, tag="paper") if found else None

    def table(self, kind: str, at: datetime, *, most_bytes: int) -> Document:
        """What a device or a bank noted until then, as far back as the bytes reach."""
        rows, size = list[str](), 120
        until = begun = min(at, self._begun.get(kind, at))
        for moment, row in TABLES[kind](self.voice, until):
            size += len(row.encode()) + 1
            if size > most_bytes:
                break
            rows.append(row)
            begun = moment
        self._begun[kind] = begun
        days = list(dict.fromkeys((self.voice.day(begun), self.voice.day(until))))
        title = f"{self.voice.words['tables'][kind]}, {' – '.join(days)}"
        head = f"{title} ({str(begun)[:16]} UTC: {len(rows)})"
        return Document(title, "\n".join([head, *reversed(rows)]), tag=kind)


Rows = Iterator[tuple[datetime, str]]


def _meter(voice: Voice, at: datetime) -> Rows:
    """A smart meter: a quarter of an hour each."""
    draw, at = voice.chance.random, at.replace(minute=at.minute // 15 * 15, second=0)
    while True:
        at -= timedelta(minutes=15)
        used = draw() * (0.06 if at.hour < 5 else 0.48)
        grid = f"{229 + draw() * 6:.1f} V  {draw() / 2 + 49.7:.2f} Hz"
        yield at, f"{str(at)[:16]}  {used:.3f} kWh  {grid}  tariff {at.hour // 8 + 1}"


def _pulse(voice: Voice, at: datetime) -> Rows:
    """A watch: each minute."""
    draw, pulse = voice.chance.random, 68
    while True:
        at -= timedelta(minutes=1)
        pulse = min(max(pulse + int(draw() * 13) - 6, 52), 164)
        rest = f"{max(0, pulse - 70) * 2} steps/min  {94 + draw() * 5:.0f} % SpO2  {36 + draw():.1f} °C"
        yield at, f"{str(at)[:16]}  {pulse} bpm  {rest}"


ROUTER = (
    "dhcpd: lease 192.168.178.{a} renewed for {b} s",
    "hostapd: station 5c:e9:1e:{c:02x}:{d:02x}:4b associated, signal -{e} dBm",
    "hostapd: station 5c:e9:1e:{c:02x}:{d:02x}:4b left, {b} kB sent",
    "pppd: link up, {b} kbit/s down, {e} ms",
    "ntpd: clock adjusted by 0.{a:03} s",
    "dnsmasq: {b} queries, {e} from the cache",
    "kernel: eth{f} link is down",
    "kernel: eth{f} link is up, 1000 Mbit/s",
    "firewall: dropped {e} packets from 203.0.113.{a}",
    "upnp: port {b} refused for 192.168.178.{a}",
    "wan: retransmission {e} of {b} frames",
    "cron: backup of the settings took {e} s",
)


def _router(voice: Voice, at: datetime) -> Rows:
    """What a box under the stairs writes, whoever reads it."""
    draw = voice.chance.randrange
    while True:
        at -= timedelta(seconds=draw(3, 420))
        said = voice.chance.choice(ROUTER)
        numbers = {"a": draw(2, 250), "b": draw(900, 9000, 9), "c": draw(16), "d": draw(12), "e": draw(2, 90)}
        yield at, f"{str(at)[:19]} {said.format_map({**numbers, 'f': draw(4)})}"


def _statement(voice: Voice, at: datetime) -> Rows:
    """A bank account; the balance is told backwards, as the rows are."""
    chance, shops = voice.chance, voice.words["shops"]
    scale = voice.home.get("scale", 1)
    balance = chance.randrange(900, 4000) * scale
    while True:
        at -= timedelta(minutes=chance.randrange(90, 1900))
        spent = chance.randrange(3, 140) * scale
        yield at, f"{str(at)[:10]}  {chance.choice(shops)}  -{spent}  {chance.randrange(10**6, 10**7)}  {balance}"
        balance = balance + spent if balance < 6000 * scale else balance // 4


def _survey(voice: Voice, at: datetime) -> Rows:
    """Answers of people who fill in a form: age, five marks, and where they sit."""
    chance, places = voice.chance, voice.words["survey"]
    while True:
        at -= timedelta(seconds=chance.randint(1, 2))
        marks = " ".join(str(chance.randint(1, 5)) for _ in range(8))
        who = f"{chance.randint(18, 83)}  {chance.choice(places)}"
        yield at, f"{str(at)[11:19]}  {who}  {marks}  {chance.randint(40, 900)} s"


TABLES: dict[str, Callable[[Voice, datetime], Rows]] = {
    "meter": _meter,
    "pulse": _pulse,
    "router": _router,
    "statement": _statement,
    "survey": _survey,
}
LARGE = ("meter", "pulse", "router")  # A bank account with so many rows would reach back into the last century.


MAILS = {
    "Delivery note {number}": (
        "Dear Gideon, delivery {number} leaves our warehouse in {town} on {day}.",
        "Please check the parcels of delivery {number} against this list and tell us of damage within {few} days.",
    ),
    "Sales of {day}, till {few}, slip {number}": (
        "Till {few} was closed at {clock} on {day} by {name}; the receipts are numbered {number} and following.",
        "Difference at the count of receipt {number}: none.",
    ),
    "Stock of {town}, count {number}": (
        "{name} counted the shelves in {town} on {day}, list {number}.",
        "What is marked in list {number} has to be ordered before the weekend.",
    ),
    "Repair orders {number}": (
        "The workshop in {town} sends the open repairs of {day}, batch {number}.",
        "Customers of batch {number} are called by {name} as soon as the parts are in.",
    ),
    "Price list {number} from {town}": (
        "New prices of our agency in {town} hold from {day}; the old list ends with number {number}.",
        "Questions about list {number}: {name}, until {clock} on workdays.",
    ),
}
TOWNS = ("Leeds", "Utrecht", "Aarhus", "Ghent", "Turin", "Graz", "Bilbao", "Porto", "Lyon", "Brno", "Malmö", "Cork")
NAMES = ("Imke", "Rashid", "Colette", "Bram", "Siobhan", "Piotr", "Yara", "Anselm", "Dolores", "Kwame")
WHAT = ("steel", "alloy", "touring", "racing", "folding", "children's", "mountain", "spare", "black", "tubeless")
PARTS = (
    "chain",
    "saddle",
    "brake lever",
    "rim",
    "bell",
    "mudguard",
    "rear light",
    "hub",
    "inner tube",
    "pedal",
    "stem",
)


def trade_mail(chance: Random, at: datetime, *, most_bytes: int) -> Document:
    """A mail of the bicycle trade with its list; numbers of seven digits keep it apart from every other."""
    facts: dict[str, Any] = {
        "number": chance.randrange(10**6, 10**7),
        "day": f"{at:%A} {at.day} {at:%B}",
        "clock": f"{at:%H:%M}",
        "town": chance.choice(TOWNS),
        "name": chance.choice(NAMES),
        "few": chance.randint(2, 6),
    }
    subject, (opening, ending) = chance.choice(list(MAILS.items()))
    title = subject.format_map(facts)
    lines = [f"Subject: {title}", f"Sent: {at:%Y-%m-%d %H:%M:%S}", "", opening.format_map(facts), ""]
    end = ["", ending.format_map(facts)]
    size = len("\n".join([*lines, *end]).encode())
    while True:
        what = f"{chance.choice(WHAT)} {chance.choice(PARTS)}, {chance.randint(16, 29)} in"
        row = f"{chance.randrange(10**6, 10**7)}  {what}  {chance.randint(1, 24)} pcs"
        row += f"  {chance.randrange(390, 19900) / 100:.2f}"
        size += len(row.encode()) + 1
        if size > most_bytes:
            return Document(title, "\n".join([*lines, *end]), tag="mail")
        lines.append(row)
