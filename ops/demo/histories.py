"""One ordinary person's weeks: what the clients wrote, deleted, asked and rated, hour by hour."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from memory.rules.tiers import SHORT_TERM_LIFE, Tier
from ops.demo.documents import LARGE, LEAST_BYTES, Document, Documents
from ops.demo.plans import Asked, Deed, Deleted, GoalSet, Memory, Rated, ToppedUp, Written, last_night
from ops.demo.voices import Voice

RECENT = SHORT_TERM_LIFE - timedelta(hours=2)  # What is older was promoted or is gone by now, or will be within hours.
SYNC = timedelta(days=10)  # What was said long ago came in every tenth day: so many calls fewer.
CALL = timedelta(minutes=30)  # Of the last days: what was said within so long comes in together.
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
    "paper": ("forwarded", "archive"),
    "meter": ("export", "energy"),
    "pulse": ("export", "watch"),
    "router": ("log", "network"),
    "statement": ("export", "bank"),
    "survey": ("form", "answers"),
    "mail": ("import", "archive"),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How much somebody lets be remembered: sessions in the weeks before, and on the last day, at least and at most."""

    sessions: tuple[int, int]
    today: tuple[int, int]


QUIET, USUAL = Pace((2, 4), (0, 1)), Pace((6, 12), (0, 2))
BUSY, RESTLESS = Pace((13, 22), (1, 3)), Pace((32, 48), (3, 5))
PACES = (*[QUIET] * 3, *[USUAL] * 9, *[BUSY] * 6, *[RESTLESS] * 2)


@dataclass(frozen=True, slots=True)
class Share:
    """How many bytes of documents a person keeps in a tier, beside the short memories."""

    tier: Tier
    total_bytes: int
    document_bytes: int = 40_000


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
    _written_at: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.night = last_night(self.now)
        self.documents = Documents(self.voice)
        # Each has busy and quiet weekdays of their own.
        self._week = [self.voice.chance.uniform(0.1, 1) for _ in range(7)]

    def live(self, pace: Pace, *, share: Share | None = None) -> None:
        """The whole ordinary course of things."""
        chance = self.voice.chance
        moments = [self._moment() for _ in range(min(chance.randint(*pace.sessions), self._sessions_at_most()))]
        moments += [self._lately() for _ in range(chance.randint(*pace.today))]
        memories = [memory for at in sorted(moments) for memory in self._session(at)]
        memories += self._papers()
        memories += self._changes()
        if share is not None:
            memories += self.tables(share)
        self.write_in_batches(sorted(memories, key=attrgetter("created_at", "content")))
        self._delete()
        self._ask_and_rate()
        if chance.random() < 0.34:
            self._set_goals()

    def write(self, at: datetime, memories: list[Memory], *, client: str = "") -> None:
        """One call that is expected to be stored."""
        self.deeds.append(Written(at, client or self.client, tuple(memories), len(self.written)))
        self.written += memories
        self._written_at += [at] * len(memories)

    def top_up(self, at: datetime, memories: list[Memory], share: Share, *, limit_bytes: int) -> None:
        """Go on sending until the tier holds the share's bytes again, where the last night took some."""
        full = share.total_bytes / limit_bytes
        self.deeds.append(ToppedUp(at, self.client, tuple(memories), share.tier, limit_bytes, full))

    def write_in_batches(self, memories: list[Memory]) -> None:
        """Those of the last day within hours, since some of them expire by the hour; older ones in large batches."""
        for batch in self._batches(memories):
            self.write(min(batch[-1].created_at + timedelta(minutes=1), self.now - LEAST_AGE), batch)

    def tables(self, share: Share, *, least_age: timedelta = timedelta(minutes=1)) -> list[Memory]:
        """Long lists that fill the share, spread over the time that the tier remembers, none younger than said."""
        chance, left = self.voice.chance, share.total_bytes
        sizes: list[int] = []
        while left > 2 * LEAST_BYTES:
            sizes.append(min(left, int(share.document_bytes * chance.uniform(0.5, 1.4))))
            left -= sizes[-1]
        draw = self._lately if share.tier is Tier.SHORT_TERM else self._moment
        moments = sorted((min(draw(), self.now - least_age) for _ in sizes), reverse=True)
        return [self._table(share.tier, at, size) for at, size in zip(moments, sizes, strict=True)]

    def lasting(self, number: int) -> tuple[tuple[int, ...], datetime]:
        """Places of so many permanent memories that no client deletes, and a moment since they were written."""
        deleted = {deed.place for deed in self.deeds if isinstance(deed, Deleted)}
        places = [place for place, memory in enumerate(self.written) if memory.tier is Tier.PERMANENT]
        chosen = tuple(place for place in places if place not in deleted and not self.written[place].protected)[:number]
        return chosen, self._after(*chosen)

    def _table(self, tier: Tier, at: datetime, size_bytes: int) -> Memory:
        kind = self.voice.chance.choice(LARGE if size_bytes > 20_000 else ("statement", *LARGE))
        metadata = self.metadata(at, title="", topic=kind) | {"speaker": "user"}
        return self.memory_of(self.documents.table(kind, at, most_bytes=size_bytes - 260), tier, at, metadata)

    def memory_of(self, document: Document, tier: Tier, at: datetime, metadata: dict[str, Any]) -> Memory:
        return Memory(tier, document.text, metadata | {"title": document.title}, at)

    def metadata(self, at: datetime, *, title: str, topic: str) -> dict[str, Any]:
        """The keys that the service recognises, as clients fill them in."""
        chance = self.voice.chance
        found: dict[str, Any] = {"session": f"{at:%Y-%m-%d}-{at.hour:02}", "tags": [topic, chance.choice(TAGS[topic])]}
        found["source"] = chance.choice(SOURCES[self.client])
        found["speaker"] = "assistant" if chance.random() < 0.25 else "user"
        if chance.random() < 0.5:
            found["channels"] = [chance.choice(("phone", "web", "kitchen", "car"))]
        if title and chance.random() < 0.4:
            found["title"] = title
        if topic in SENSITIVE:
            found |= {"sensitive": True, "scope": "private"}
        return found

    def _session(self, at: datetime) -> Iterator[Memory]:
        """Some memories within half an hour, mostly on one topic."""
        chance = self.voice.chance
        topic = chance.choice(self.voice.topics)
        for _ in range(chance.choice((1, 2, 2, 3, 3, 4))):
            if told := self.voice.tell(topic, at):
                yield self._memory(topic, told, at)
            at = min(at + timedelta(seconds=chance.randint(20, 400)), self.now - LEAST_AGE)
            topic = topic if chance.random() < 0.7 else chance.choice(self.voice.topics)

    def _memory(self, topic: str, told: str, at: datetime) -> Memory:
        tier = self._tier(at)
        protected = tier is not Tier.SHORT_TERM and self.voice.chance.random() < 0.04
        return Memory(tier, told, self.metadata(at, title=self.voice.title(topic, at), topic=topic), at, protected)

    def _changes(self) -> Iterator[Memory]:
        """A day or so after something was noted: it has changed."""
        for change in self.voice.changes:
            at = change.said_at + timedelta(hours=self.voice.chance.uniform(20, 44))
            if at < self.now - LEAST_AGE and (told := self.voice.tell_change(change, at)):
                yield self._memory(change.topic, told, at)

    def _papers(self) -> Iterator[Memory]:
        """Every third or so has forwarded something longer."""
        for _ in range(self.voice.chance.choice((0, 0, 0, 1, 1, 2))):
            at = self._moment()
            if (paper := self.documents.paper(at)) and self._known() > SHORT_TERM_LIFE:
                yield self.memory_of(paper, Tier.LONG_TERM, at, self.metadata(at, title="", topic=paper.tag))

    def _tier(self, at: datetime) -> Tier:
        chance = self.voice.chance.random()
        looked_at_last_night = self.night - 2 * SHORT_TERM_LIFE < at < self.night - SHORT_TERM_LIFE - 2 * CALL
        if (at > self.now - RECENT or looked_at_last_night) and chance < 0.7:
            return Tier.SHORT_TERM
        return Tier.PERMANENT if chance > 0.86 else Tier.LONG_TERM

    def _known(self) -> timedelta:
        return self.now - self.registered_at - timedelta(minutes=2)

    def _sessions_at_most(self) -> int:
        """Who came lately has not said much yet."""
        return 2 + round(self._known() / timedelta(days=1) * 3)

    def _lately(self) -> datetime:
        """Some moment of the last day."""
        return self.now - min(RECENT, self._known()) * self.voice.chance.uniform(0.005, 0.99)

    def _moment(self) -> datetime:
        """Some moment since the registration, by day where the person lives, on a weekday of theirs."""
        chance, known = self.voice.chance, self._known()
        if known < RECENT:
            return self._lately()
        at: datetime = (self.now - known * chance.random()).astimezone(self.voice.zone)
        while chance.random() > self._week[at.weekday()]:
            at = (self.now - known * chance.random()).astimezone(self.voice.zone)
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
        is_old = memory.created_at < self.night - 2 * SHORT_TERM_LIFE
        return (SYNC, age // SYNC) if is_old else (CALL, age // CALL)

    def _delete(self) -> None:
        """One in fifty of what is older than a day: told wrongly, or not wanted any more."""
        old = [
            place
            for place, memory in enumerate(self.written)
            if memory.created_at < self.now - SHORT_TERM_LIFE and not memory.protected
        ]
        for place in old:
            if self.voice.chance.random() < 0.02:
                self.deeds.append(Deleted(self._after(place), place))

    def _ask_and_rate(self) -> None:
        chance, places = self.voice.chance, range(len(self.written))
        for _ in range(chance.randint(1, 7) if places else 0):
            found = tuple(chance.sample(places, min(len(places), chance.randint(3, 8))))
            self.deeds.append(Asked(self._after(*found), found))
            if chance.random() < 0.3:
                matters = chance.random() < 0.4
                weight = round(chance.uniform(0.3, 1), 2) if matters else None
                at = self._between(self.deeds[-1].at)
                self.deeds.append(Rated(at, found[0], None if matters else chance.random() < 0.85, weight))

    def _set_goals(self) -> None:
        for topic in self.voice.chance.sample(self.voice.topics, self.voice.chance.choice((1, 1, 2, 3))):
            at = self._between(self.registered_at + timedelta(minutes=2))
            self.deeds.append(GoalSet(at, self.voice.goal(topic, at)))

    def _after(self, *places: int) -> datetime:
        """Some moment since all of them were written."""
        return self._between(max(self._written_at[place] for place in places) + timedelta(seconds=1))

    def _between(self, at: datetime) -> datetime:
        earliest = min(at, self.now - LEAST_AGE / 2)
        return earliest + (self.now - earliest) * self.voice.chance.random()
