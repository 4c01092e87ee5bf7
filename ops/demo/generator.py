"""Who there is: a pure function of a seed and the time."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random

from memory.rules.tiers import Tier
from ops.demo.cases import CASES, FREE_BYTES, Case
from ops.demo.histories import PACES, SOURCES, History, Share
from ops.demo.plans import Colleague, Demo, Person, PlanChanged, last_night
from ops.demo.voices import Voice, dice, words_of
from ops.roles import Role

SEED = "kimberly"
WEEKS = timedelta(weeks=12)
YOUNGEST = timedelta(hours=3)
PEOPLE = {"en": 38, "de": 16, "es": 12, "fr": 11, "pt": 9, "it": 9, "uk": 8, "ja": 8}
"""How many of each language there are, beside those of the cases."""
PAID = 0.28
GROWN = 0.3  # of those who pay: began on the free plan
DEVICES = ("kiosk-lobby-03", "front-desk-tablet-1", "van-17")
STAFF = (
    Colleague("demo-sam", "Sam", "Okafor", Role.SUPPORT),
    Colleague("demo-lena", "Lena", "Brandt", Role.LEAD),
    Colleague("demo-olivia", "Olivia", "Marsh", Role.OPERATOR),
)
LONG, SHORT = Tier.LONG_TERM, Tier.SHORT_TERM
SHARES = (
    *((SHORT, 0.27), (LONG, 0.07), (SHORT, 0.08), (LONG, 0.19), (SHORT, 0.62), (LONG, 0.04), (SHORT, 0.16)),
    *((LONG, 0.11), (SHORT, 0.05), (LONG, 0.05), (SHORT, 0.84), (LONG, 0.38), (SHORT, 0.11), (LONG, 0.03)),
    *((SHORT, 0.43), (LONG, 0.09), (SHORT, 0.03), (LONG, 0.02)),
)
"""What some of those on the free plan keep in documents: the bars of a list without them would all look empty."""


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody of a language, before anything is known of them."""

    language: str
    display_name: str
    login: str


@dataclass
class Cast:
    """What all people share while they are made up."""

    seed: str
    now: datetime
    said: set[str] = field(default_factory=set)

    def history(self, who: str, language: str, client: str, registered_at: datetime) -> History:
        voice = Voice(language, dice(self.seed, who), self.said)
        return History(voice, client, registered_at, self.now)


def plan(*, seed: str, now: datetime) -> Demo:
    """Everybody, in order of registration. The same seed and time give the same people, texts, sizes and ages."""
    cast = Cast(seed, now)
    people = [*_ordinary(cast), *(_of_case(case, cast) for case in CASES)]
    people.sort(key=attrgetter("registered_at", "external_id"))
    return Demo(now - WEEKS - timedelta(days=1), last_night(now), tuple(SOURCES), STAFF, tuple(people))


def _ordinary(cast: Cast) -> Iterator[Person]:
    chance = dice(cast.seed, "people")
    names = [name for language in PEOPLE for name in _names(language)]
    chance.shuffle(names)
    numbers = chance.sample(range(75_000, 79_999), len(names))
    shares = list(reversed(SHARES))
    for place, (name, number) in enumerate(zip(names, numbers, strict=True)):
        # Evenly over the weeks, give or take, so that each week has its newcomers.
        age = YOUNGEST + (WEEKS - YOUNGEST) * ((place + chance.random()) / len(names))
        plan_name = "paid" if not name.display_name or chance.random() < PAID else "free"
        share = shares.pop() if shares and plan_name == "free" and place % 4 == 2 else None
        yield _person(name, number, plan_name, cast.now - age, share, cast)


def _names(language: str) -> list[Name]:
    people = words_of(language)["people"][: PEOPLE[language]]
    devices = [Name(language, "", device) for device in DEVICES] if language == "en" else []
    return [Name(language, shown, login) for shown, login in people][: PEOPLE[language] - len(devices)] + devices


def _person(
    name: Name, number: int, plan_name: str, at: datetime, share: tuple[Tier, float] | None, cast: Cast
) -> Person:
    chance = dice(cast.seed, name.login, "person")
    client = chance.choice(("assistant-app", "assistant-app", "phone-app", "home-speaker"))
    history = cast.history(name.login, name.language, client, at)
    days = (cast.now - at) / timedelta(days=1)
    kept = Share(share[0], int(FREE_BYTES[share[0]] * share[1])) if share else None
    history.live(chance.choice(PACES), share=kept)
    if plan_name == "paid" and days > 3 and chance.random() < GROWN:
        history.deeds.append(PlanChanged(at + (cast.now - at) * chance.uniform(0.2, 0.8), "paid"))
        plan_name = "free"
    return _told(_external_id(name, number, chance), name, plan_name, history)


def _of_case(case: Case, cast: Cast) -> Person:
    at = cast.now - timedelta(days=case.days, hours=4)
    history = cast.history(case.external_id, case.language, case.client, at)
    history.live(case.pace)
    case.tell(history)
    name = Name(case.language, case.display_name, case.display_name.lower().replace(" ", "."))
    return _told(case.external_id, name, case.plan, history)


def _external_id(name: Name, number: int, chance: Random) -> str:
    """Clients have their own ways to call people."""
    if not name.display_name:
        return name.login
    return str(chance.choice((f"acct-{number}", f"acct-{number}", f"u-{chance.randrange(1 << 24):06x}", name.login)))


def _told(external_id: str, name: Name, plan_name: str, history: History) -> Person:
    plain = unicodedata.normalize("NFKD", name.login).encode("ascii", "ignore").decode()
    return Person(
        external_id=external_id,
        display_name=name.display_name,
        email=f"{plain}@example.org" if name.display_name else "",
        plan=plan_name,
        time_zone=history.voice.home["zone"],
        language=name.language,
        registered_at=history.registered_at,
        client=history.client,
        deeds=tuple(sorted(history.deeds, key=attrgetter("at"))),
    )
