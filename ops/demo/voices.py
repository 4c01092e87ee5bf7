"""How one person's clients note things: a language's sentences, filled with what stays the same in a life."""

import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

SENTENCES = Path(__file__).with_name("sentences")
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "uk", "ja")
TRIES = 8  # What somebody was told to have said is told with other details; after so many tries it is left out.
TOPICS = (9, 12)  # A person talks of so many, and of either a cat or a dog.
OFTEN = 5  # So many times at most it is noted that somebody did the same thing again,
APART = timedelta(days=3)  # and no sooner than so.
PARTS = Formatter()


@cache
def words_of(language: str) -> dict[str, Any]:
    """What stands in the language's file."""
    with (SENTENCES / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def dice(*parts: object) -> random.Random:
    """Chance that is the same for the same parts."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - people are made up, no secrets


@dataclass(frozen=True, slots=True)
class Change:
    """What will be noted later, because it is no longer as it was said; the details are those of then."""

    topic: str
    said_at: datetime
    pattern: str
    drawn: dict[str, str]


@dataclass
class Voice:
    """Tells sentences of one person. `said` is shared by all, so that nothing is told twice.

    A fact is told once a person, so no second one can contradict it; an event with its day, and some days apart.
    """

    language: str
    chance: random.Random
    said: set[str]
    home: dict[str, Any] = field(init=False)
    topics: list[str] = field(init=False)
    changes: list[Change] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.words = words_of(self.language)
        self.home, trip = self.chance.choice(self.words["homes"]), self.chance.choice(self.words["trips"])
        own = {slot: self.chance.choice(values) for slot, values in self.words["persona"].items()}
        places = {"home": self.home["name"], "at_home": self.home["at"], "trip": trip["name"], "at_trip": trip["at"]}
        figures = {slot: str(self.chance.choice(values)) for slot, values in OWN_NUMBERS.items()}
        self._own = {**own, **places, **figures}
        pets = self.chance.sample([topic for topic in ("cat", "dog") if topic in self.words["topics"]], 1)
        others = sorted(self.words["topics"].keys() - {"cat", "dog"})
        chosen = self.chance.sample(others, min(self.chance.randint(*TOPICS), len(others)))
        self.topics = chosen + pets * (self.chance.random() < 0.6)
        self._facts = {topic: self._shuffled(self._facts_of(topic)) for topic in self.topics}
        self._papers = self._shuffled(self.words["papers"])
        self._events: dict[str, list[date]] = {}
        self._habits: list[str] = []
        self._decks: dict[str, list[str]] = {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.home["zone"])

    def tell(self, topic: str, at: datetime) -> str:
        """A fact or an event of the topic that was not told before; empty where nothing is left for that day."""
        ways = [self._fact, self._event] if self.chance.random() < 0.7 else [self._event, self._fact]
        return ways[0](topic, at) or ways[1](topic, at)

    def tell_change(self, change: Change, at: datetime) -> str:
        return self._new(change.pattern, at, change.drawn)

    def paper(self, at: datetime) -> tuple[str, str] | None:
        """Title and text of a longer paper, each at most once a person; None where there is no other."""
        if not self._papers or self._is_skipped(at):
            return None
        pattern = self._papers.pop()
        title, lines = self._filled(pattern["title"], at, {}), [self._new(line, at, {}) for line in pattern["lines"]]
        return title, "\n".join([title, *(line for line in lines if line)])

    def title(self, topic: str, at: datetime) -> str:
        return self._filled(self.chance.choice(self.words["topics"][topic]["titles"]), at, {})

    def goal(self, topic: str, at: datetime) -> str:
        return self._filled(self.chance.choice(self.words["topics"][topic]["goals"]), at, {})

    def _facts_of(self, topic: str) -> list[Sequence[str]]:
        found = self.words["topics"][topic]
        return [*((fact,) for fact in found["facts"]), *found.get("changes", ())]

    def _shuffled(self, values: Sequence[Any]) -> list[Any]:
        return self.chance.sample(values, len(values))

    def _fact(self, topic: str, at: datetime) -> str:
        facts = self._facts[topic]
        while facts:
            pattern, *later = facts.pop()
            drawn: dict[str, str] = {}
            if told := self._new(pattern, at, drawn):
                self.changes += [Change(topic, at, after, drawn) for after in later]
                return told
        return ""

    def _event(self, topic: str, at: datetime) -> str:
        day = at.astimezone(self.zone).date()
        if self._is_skipped(at):
            return ""
        for pattern in self._shuffled(self.words["topics"][topic]["events"]):
            days = self._events.setdefault(pattern, [])
            is_rare = len(days) < OFTEN and all(abs(day - other) >= APART for other in days)
            if is_rare and (told := self._new(pattern, at, {})):
                days.append(day)
                return told
        return ""

    def _new(self, pattern: str, at: datetime, drawn: dict[str, str]) -> str:
        """The pattern with details that nobody has said yet, which join those drawn; empty where none are found."""
        for _ in range(TRIES):
            tried = dict(drawn)
            told = self._filled(pattern, at, tried)
            if told not in self.said:
                self.said.add(told)
                drawn |= tried
                return told
        return ""

    def _filled(self, pattern: str, at: datetime, drawn: dict[str, str]) -> str:
        for _, slot, _, _ in PARTS.parse(pattern):
            if slot and slot not in drawn:
                drawn[slot] = self._own.get(slot) or self._fresh(slot, at, drawn)
        told = pattern.format_map(drawn)
        return told[0].upper() + told[1:]

    def _fresh(self, slot: str, at: datetime, drawn: dict[str, str]) -> str:
        if slot in self.words["fresh"]:
            return self._draw(slot)
        if slot in NUMBERS:
            return str(self.chance.choice(NUMBERS[slot]))
        if slot in MONEY:
            return self._money(self.chance.choice(MONEY[slot]))
        if slot in HOURS:
            return self._clock(*HOURS[slot])
        if slot in DAYS:
            return self.day_within(at, *DAYS[slot])
        return OTHERS[slot](self, drawn)

    def _draw(self, slot: str) -> str:
        """Each value once before any comes again: nobody finishes the book that they gave up on."""
        deck = self._decks.setdefault(slot, [])
        if not deck:
            deck += self._shuffled(self.words["fresh"][slot])
        return deck.pop()

    def habit(self, days: int) -> str:
        """One of the first so many weekdays, another for each thing that is done every week until all are taken."""
        among = self.words["habits"][:days]
        if not set(among) & set(self._habits):
            self._habits = self._shuffled(self.words["habits"])
        chosen = next(habit for habit in self._habits if habit in among)
        self._habits.remove(chosen)
        return str(chosen)

    def day(self, at: datetime) -> str:
        """The date in the person's language."""
        local = at.astimezone(self.zone)
        day = self.words.get("first", "1") if local.day == 1 else str(local.day)
        return str(self.words["date"]).format(day=day, month=self.words["months"][local.month - 1])

    def day_within(self, at: datetime, first: int, last: int) -> str:
        """A date so many days away, at least and at most."""
        found = at + timedelta(days=self.chance.randint(first, last))
        while last and self._is_skipped(found):
            found += timedelta(days=1 if last > 0 else -1)
        return self.day(found)

    def _is_skipped(self, at: datetime) -> bool:
        """Whether the language's sentences would need another article before that day."""
        return at.astimezone(self.zone).day in self.words.get("skip_days", ())

    def _clock(self, first: int, last: int) -> str:
        hours = [hour for hour in range(first, last + 1) if hour not in self.words.get("skip_hours", ())]
        hour, minute = self.chance.choice(hours), self.chance.randrange(0, 60, 5)
        pattern: str = self.words["clock"] if minute else self.words.get("full_hour", self.words["clock"])
        return pattern.format(hour=hour, minute=f"{minute:02}")

    def _money(self, amount: int) -> str:
        """In the currency of the person's home."""
        figure = f"{amount * self.home.get('scale', 1):,}".replace(",", self.words["thousands"])
        return str(self.home["money"]).format(figure)


# What stays as it is in a life: a floor, the width of a wall, by how much an oven errs.
OWN_NUMBERS = {
    "floor": range(2, 7),
    "doors": range(2, 10),
    "width": range(180, 421),
    "oven": range(10, 40, 5),
    "area": range(120, 401, 5),
    "years": range(3, 15),
    "workdays": range(3, 6),
    "grade": range(2, 5),
    "dog_kg": range(8, 36),
}
NUMBERS: dict[str, Sequence[int]] = {
    "few": range(2, 5),
    "n": range(3, 10),
    "nights": range(3, 13),
    "guests": range(5, 10),
    "grams": range(150, 601, 50),
    "cat_g": range(30, 81, 5),
    "mg": (5, 10, 20, 25, 40, 50, 75),
    "minutes": range(15, 76, 5),
    "weeks": range(3, 10),
    "km": range(5, 19),
    "walk_km": range(3, 13),
    "laps": range(20, 71, 2),
    "start": range(100, 4999),
    "score": range(61, 98),
    "page": range(24, 390),
    "pages": range(8, 25),
    "points": range(12, 48),
    "bar": range(12, 97),
    "seat_number": range(11, 99),
    "case": range(10_000, 99_999),
    "upper": range(112, 139),
    "lower": range(71, 89),
    "letters": range(24, 95),
    "percent": range(3, 16),
    "ten": range(46, 65),
    "books": range(12, 50, 2),
    "kilos": range(4, 8),
}
MONEY = {"price": range(6, 60), "sum": range(60, 400, 10), "cost": range(400, 1900, 20)}
HOURS = {
    "clock": (8, 18),
    "morning": (6, 8),
    "school": (13, 16),
    "late": (15, 18),
    "evening": (18, 20),
    "night": (2, 4),
}
DAYS = {"today": (0, 0), "soon": (3, 40), "later": (42, 60), "past": (-25, -1)}
OTHERS: dict[str, Callable[[Voice, dict[str, str]], str]] = {
    "habit": lambda voice, _: voice.habit(7),
    "workday": lambda voice, _: voice.habit(5),
    "kmin": lambda voice, drawn: str(round(int(drawn["km"]) * voice.chance.uniform(5.1, 7.2))),
}
