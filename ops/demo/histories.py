"""One ordinary person's weeks: what the clients wrote, deleted, asked and rated, hour by hour."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from memory.rules.tiers import SHORT_TERM_LIFE, Tier
from ops.demo.plans import Asked, Deed, Deleted, GoalSet, Memory, Rated, Written
from ops.demo.voices import Voice

RECENT = SHORT_TERM_LIFE - timedelta(hours=2)  # What is older was promoted or is gone by now, or will be within hours.
SYNC = timedelta(days=14)  # What was said long ago came in once a fortnight: so many calls fewer.
CALL = timedelta(hours=4)  # Of the last day: what was said within so long comes in together.
AWAKE = (7, 22)
LEAST_AGE = timedelta(seconds=5)
SOURCES = {
    "assistant-app": ("chat", "voice"),
    "phone-app": ("chat", "notification"),
    "home-speaker": ("voice",),
    "mail-import": ("mail",),
}
SENSITIVE = {"health", "money"}
TAGS = {
    "travel": ("trip", "booking", "preference"),
    "family": ("birthday", "school", "relatives"),
    "health": ("appointment", "medication", "sleep"),
    "cooking": ("recipe", "shopping", "guests"),
    "work": ("meeting", "project", "preference"),
    "sport": ("training", "race"),
    "music": ("practice", "concert"),
    "home": ("repair", "lease", "neighbours"),
    "cat": ("pets", "vet"),
    "dog": ("pets", "walk"),
    "study": ("exam", "vocabulary"),
    "money": ("budget", "insurance"),
    "garden": ("sowing", "frost"),
    "books": ("reading", "lent"),
    "notes": ("journal", "summary"),
    "mail": ("import", "archive"),
}


@dataclass(frozen=True, slots=True)
class Share:
    """How many bytes of long notes a person keeps in a tier, beside the short memories."""

    tier: Tier
    total_bytes: int
    note_bytes: int = 9_000


@dataclass
class History:
    """Collects the deeds of one person between registration and now."""

    voice: Voice
    client: str
    registered_at: datetime
    now: datetime
    deeds: list[Deed] = field(default_factory=list)
    written: list[Memory] = field(default_factory=list)
    """In the order of their places."""

    def live(self, *, sessions: int, share: Share | None = None) -> None:
        """The whole ordinary course of things."""
        memories = [memory for number in range(sessions) for memory in self._session(number)]
        if share is not None:
            memories += self.notes(share)
        self.write_in_batches(sorted(memories, key=attrgetter("created_at", "content")))
        self._delete()
        self._ask_and_rate()
        if self.voice.chance.random() < 0.34:
            self._set_goals()

    def write(self, at: datetime, memories: list[Memory], *, client: str = "") -> None:
        """One call that is expected to be stored."""
        self.deeds.append(Written(at, client or self.client, tuple(memories), len(self.written)))
        self.written += memories

    def write_in_batches(self, memories: list[Memory]) -> None:
        """Those of the last day within hours, since some of them expire by the hour; older ones in large batches."""
        for batch in self._batches(memories):
            self.write(min(batch[-1].created_at + timedelta(minutes=1), self.now - LEAST_AGE), batch)

    def notes(self, share: Share, *, least_age: timedelta = timedelta(minutes=1)) -> list[Memory]:
        """Long notes that fill the share, spread over the time that the tier remembers, none younger than said."""
        left, found = share.total_bytes, []
        while left > 600:
            at = min(self._moment(recent=share.tier is Tier.SHORT_TERM), self.now - least_age)
            metadata = self.metadata(at, title="Journal", topic="notes")
            room = min(left, int(share.note_bytes * self.voice.chance.uniform(0.6, 1.3)))
            note = self.voice.note(at, most_bytes=room - 220)
            found.append(Memory(share.tier, note, metadata, at))
            left -= room
        return found

    def metadata(self, at: datetime, *, title: str, topic: str) -> dict[str, Any]:
        """The keys that the service recognises, as clients fill them in."""
        chance = self.voice.chance
        found: dict[str, Any] = {"session": f"{at:%Y-%m-%d}-{at.hour:02}", "tags": [topic, chance.choice(TAGS[topic])]}
        found["source"] = chance.choice(SOURCES[self.client])
        found["speaker"] = "assistant" if chance.random() < 0.25 else "user"
        if chance.random() < 0.5:
            found["channels"] = [chance.choice(("phone", "web", "kitchen", "car"))]
        if chance.random() < 0.4:
            found["title"] = title
        if topic in SENSITIVE:
            found |= {"sensitive": True, "scope": "private"}
        return found

    def _session(self, number: int) -> Iterator[Memory]:
        """Some memories within half an hour, mostly on one topic. Every fourth session is of the last day."""
        chance = self.voice.chance
        at, topic = self._moment(recent=number % 4 == 0), chance.choice(self.voice.topics)
        for _ in range(chance.choice((1, 2, 2, 3, 4, 5))):
            told = self.voice.text(topic, at, sentences=chance.choice((1, 1, 1, 2, 2, 3)))
            tier = self._tier(at)
            protected = tier is not Tier.SHORT_TERM and chance.random() < 0.04
            metadata = self.metadata(at, title=self.voice.title(topic, at), topic=topic)
            yield Memory(tier, told, metadata, at, protected)
            at = min(at + timedelta(seconds=chance.randint(20, 400)), self.now - LEAST_AGE)
            topic = topic if chance.random() < 0.8 else chance.choice(self.voice.topics)

    def _tier(self, at: datetime) -> Tier:
        chance = self.voice.chance.random()
        if at > self.now - RECENT and chance < 0.7:
            return Tier.SHORT_TERM
        return Tier.PERMANENT if chance > 0.86 else Tier.LONG_TERM

    def _moment(self, *, recent: bool) -> datetime:
        """Some moment since the registration, by day where the person lives; more of them lately than long ago."""
        chance = self.voice.chance
        known = self.now - self.registered_at - timedelta(minutes=2)
        if recent or known < RECENT:
            return self.now - min(RECENT, known) * chance.uniform(0.005, 0.99)
        at: datetime = (self.now - known * chance.random() ** 1.4).astimezone(self.voice.zone)
        at = at.replace(hour=chance.randint(*AWAKE), minute=chance.randrange(60)).astimezone(self.now.tzinfo)
        return min(max(at, self.registered_at + timedelta(minutes=2)), self.now - timedelta(minutes=1))

    def _batches(self, memories: list[Memory]) -> Iterator[list[Memory]]:
        batch: list[Memory] = []
        for memory in memories:
            if batch and self._call_of(batch[0]) != self._call_of(memory):
                yield batch
                batch = []
            batch.append(memory)
        if batch:
            yield batch

    def _call_of(self, memory: Memory) -> object:
        age = self.now - memory.created_at
        return (SYNC, age // SYNC) if age > SHORT_TERM_LIFE else (CALL, age // CALL)

    def _delete(self) -> None:
        """Every twentieth or so of what is older than a day: told wrongly, or not wanted any more."""
        old = [
            place
            for place, memory in enumerate(self.written)
            if memory.created_at < self.now - SHORT_TERM_LIFE and not memory.protected
        ]
        for place in self.voice.chance.sample(old, len(old) // 20):
            at = self.written[place].created_at
            self.deeds.append(Deleted(self._after(at + (self.now - at) * 0.5), place))

    def _ask_and_rate(self) -> None:
        chance, places = self.voice.chance, range(len(self.written))
        for _ in range(chance.randint(1, 7) if places else 0):
            found = tuple(chance.sample(places, min(len(places), chance.randint(3, 8))))
            self.deeds.append(Asked(self._after(max(self.written[place].created_at for place in found)), found))
            if chance.random() < 0.3:
                matters = chance.random() < 0.4
                weight = round(chance.uniform(0.3, 1), 2) if matters else None
                at = self._after(self.deeds[-1].at)
                self.deeds.append(Rated(at, found[0], None if matters else chance.random() < 0.85, weight))

    def _set_goals(self) -> None:
        for topic in self.voice.chance.sample(self.voice.topics, self.voice.chance.choice((1, 1, 2, 3))):
            at = self._after(self.registered_at)
            self.deeds.append(GoalSet(at, self.voice.goal(topic, at)))

    def _after(self, at: datetime) -> datetime:
        """Some moment between then and now; at least what the slowest batch needs to be written first."""
        earliest = min(at + SYNC + timedelta(minutes=2), self.now - LEAST_AGE / 2)
        return earliest + (self.now - earliest) * self.voice.chance.random()
