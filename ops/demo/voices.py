"""How one person talks: a language's sentences, filled with what stays the same in a life and what changes each day."""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

SENTENCES = Path(__file__).with_name("sentences")
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "uk", "ja")
TRIES = 12  # The same text twice is told anew, with other details; after so many tries it may stand.
PARTS = Formatter()


@cache
def words_of(language: str) -> dict[str, Any]:
    """What stands in the language's file."""
    with (SENTENCES / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def dice(*parts: object) -> random.Random:
    """Chance that is the same for the same parts."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - people are made up, no secrets


@dataclass
class Voice:
    """Tells sentences of one person. `said` is shared by all, so that hardly anything is told twice."""

    language: str
    chance: random.Random
    said: set[str]
    home: dict[str, str] = field(init=False)
    topics: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._words = words_of(self.language)
        self.home, trip = self.chance.choice(self._words["homes"]), self.chance.choice(self._words["trips"])
        own = {slot: self.chance.choice(values) for slot, values in self._words["persona"].items()}
        places = {"home": self.home["name"], "at_home": self.home["at"], "trip": trip["name"], "at_trip": trip["at"]}
        figures = {slot: str(self.chance.randint(*most)) for slot, most in OWN_NUMBERS.items()}
        self._own = {**own, **places, **figures, "homeday": self._words["weekdays"][self.chance.randrange(5)]}
        pets = self.chance.sample([topic for topic in ("cat", "dog") if topic in self._words["topics"]], 1)
        others = sorted(self._words["topics"].keys() - {"cat", "dog"})
        self.topics = self.chance.sample(others, min(7, len(others))) + pets * (self.chance.random() < 0.6)
        self._decks: dict[str, list[str]] = {}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.home["zone"])

    def text(self, topic: str, at: datetime, *, sentences: int) -> str:
        """So many sentences on the topic, as told at that time."""
        joint: str = self._words.get("joint", " ")
        for _ in range(TRIES):
            told = joint.join(self._sentence(topic, at) for _ in range(sentences))
            if told not in self.said:
                break
        self.said.add(told)
        return told

    def note(self, at: datetime, *, most_bytes: int) -> str:
        """A longer text on everything, in paragraphs, which fills so many bytes but for a sentence."""
        text = self._filled(self._words["note"], at)
        size, paragraph = len(text.encode()), 0
        parts = [text]
        while True:
            between = "\n\n" if paragraph == 0 else self._words.get("joint", " ")
            more = between + self._sentence(self.chance.choice(self.topics), at)
            size += len(more.encode())
            if size > most_bytes:
                return "".join(parts)
            parts.append(more)
            paragraph = (paragraph + 1) % 6

    def title(self, topic: str, at: datetime) -> str:
        return self._filled(self.chance.choice(self._words["topics"][topic]["titles"]), at)

    def goal(self, topic: str, at: datetime) -> str:
        return self._filled(self.chance.choice(self._words["topics"][topic]["goals"]), at)

    def _sentence(self, topic: str, at: datetime) -> str:
        """The topic's sentences come in turn, shuffled anew each time all were told."""
        deck = self._decks.setdefault(topic, [])
        if not deck:
            deck += self._words["topics"][topic]["sentences"]
            self.chance.shuffle(deck)
        return self._filled(deck.pop(), at)

    def _filled(self, pattern: str, at: datetime) -> str:
        drawn: dict[str, str] = {}
        for _, slot, _, _ in PARTS.parse(pattern):
            if slot and slot not in drawn:
                drawn[slot] = self._own.get(slot) or self._fresh(slot, at, drawn)
        told = pattern.format_map(drawn)
        return told[0].upper() + told[1:]

    def _fresh(self, slot: str, at: datetime, drawn: dict[str, str]) -> str:
        if slot in self._words["fresh"]:
            return str(self.chance.choice(self._words["fresh"][slot]))
        if slot in NUMBERS:
            return str(self.chance.randint(*NUMBERS[slot]))
        if slot in HOURS:
            return f"{self.chance.randint(*HOURS[slot]):02}:{self.chance.randrange(0, 60, 5):02}"
        if slot == "kmin":
            return str(round(int(drawn["km"]) * self.chance.uniform(5.1, 7.2)))
        return DAYS[slot](self, at)

    def weekday(self, at: datetime | None) -> str:
        """That of the day, or any, where it is a habit."""
        number = at.astimezone(self.zone).weekday() if at else self.chance.randrange(7)
        return str(self._words["weekdays"][number])

    def day(self, at: datetime) -> str:
        """The date in the person's language."""
        local = at.astimezone(self.zone)
        day = self._words.get("first", "1") if local.day == 1 else str(local.day)
        return str(self._words["date"]).format(day=day, month=self._words["months"][local.month - 1])

    def day_within(self, at: datetime, first: int, last: int) -> str:
        """A date so many days away, at least and at most."""
        found = at + timedelta(days=self.chance.randint(first, last))
        while found.astimezone(self.zone).day in self._words.get("skip_days", ()):
            found += timedelta(days=1 if last > 0 else -1)
        return self.day(found)


# What stays as it is in a life: a floor, the width of a wall, by how much an oven errs.
OWN_NUMBERS = {
    "floor": (2, 6),
    "doors": (2, 9),
    "width": (180, 420),
    "oven": (15, 35),
    "area": (120, 400),
    "years": (3, 14),
    "workdays": (3, 5),
}
NUMBERS = {"n": (2, 9), "m": (2, 9), "nn": (12, 95), "mm": (12, 45), "km": (4, 18), "ten": (46, 64), "sum": (30, 1900)}
HOURS = {"clock": (8, 20), "morning": (6, 10), "late": (15, 19), "evening": (18, 21), "night": (2, 5)}
DAYS: dict[str, Callable[[Voice, datetime], str]] = {
    "soon": lambda voice, at: voice.day_within(at, 2, 40),
    "past": lambda voice, at: voice.day_within(at, -25, -1),
    "today": lambda voice, at: voice.day(at),
    "this_weekday": lambda voice, at: voice.weekday(at),
    "weekday": lambda voice, _: voice.weekday(None),
}
