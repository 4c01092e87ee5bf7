"""Believable people for the pictures, made through the services and the API: every figure is the service's own."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.urls import reverse

from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.clients.models import Scope
from kimberly.lib import clock, ids
from kimberly.lib.actors import Actor, ActorKind
from memory.models import MeditationRun, MemoryItem
from memory.queries import usage
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked, Show
from memory.rules.brakes import Held
from memory.rules.limits import ThrottleScope
from memory.rules.meditation import RunState, Trigger
from memory.rules.selections import Deed
from memory.rules.tiers import Tier
from memory.services import (
    drafts,
    embeddings,
    items,
    meditationbrakes,
    meditationruns,
    meditationundos,
    samples,
    users,
)
from memory.services.drafts import Draft
from memory.services.plans import Target
from memory.services.users import Profile
from ops.queries import choices
from ops.roles import Role
from ops.services import itemacts, measures, notes, prunes, reveals, schedules, staff
from ops.services.measures import Brake, Limit, Sender
from tests import scenerymany
from tests.personas import PASSWORD
from tests.waiting import until
from tests.web import WebServer

MAKER = Actor.command("screenshots")
STAFF = {
    "sam": ("Sam", "Okafor", Role.SUPPORT),
    "lena": ("Lena", "Brandt", Role.LEAD),
    "eva": ("Eva", "Lindqvist", Role.VIEWER),
    "olivia": ("Olivia", "Marsh", Role.OPERATOR),
    "ada": ("Ada", "Moreau", Role.ADMIN),
}
THINGS = (
    "Prefers the window seat on long flights, and an aisle seat on short ones.",
    "Her sister Ines moved to Porto in spring; they talk on Sunday evenings.",
    "Allergic to hazelnuts. Almonds are fine.",
    "Is preparing for the B2 exam in Portuguese, in the second week of December.",
    "Takes 20 mg of the new medication at eight in the morning since the visit of 3 November.",
    "Asked to be reminded of the bicycle service before the first frost.",
    "Cooks for six on Fridays; two of the guests are vegetarian.",
    "Would rather get a short answer first and the reasons afterwards.",
    "The lease of the flat in Rua da Rosa ends in June; wants to stay.",
    "Runs 5 km on Tuesdays and Thursdays, never before breakfast.",
)


# What Marisol's client keeps of three talks: days ago, session, tags, text. The last one was deleted since.
TALKS = (
    (9, "first talk", ["home"], "Lives in Rua da Rosa with Ines and a grey cat that sleeps on the piano."),
    (9, "first talk", ["home"], "The cat is called Momo, after the book that her father read to her."),
    (9, "first talk", ["food"], "Allergic to hazelnuts. Almonds are fine, and walnuts in small amounts."),
    (9, "first talk", ["travel"], "Prefers the window seat on long flights, and an aisle seat on short ones."),
    (5, "second talk", ["study"], "Is preparing for the B2 exam in Portuguese, in the second week of December."),
    (5, "second talk", ["study"], "Would rather practise by talking than by exercises on paper."),
    (5, "second talk", ["health"], "Takes the new medication at eight in the morning since the visit of 3 November."),
    (5, "second talk", ["travel"], "Flies to Utrecht on 12 December, and comes back on the 19th."),
    (1, "third talk", ["home"], "Asked who could feed the animals while she is away in December."),
    (1, "third talk", ["home"], "Ines can come by in the evenings, but not on the weekend."),
    (1, "third talk", ["food"], "Cooks for six on Fridays; two of the guests are vegetarian."),
    (1, "third talk", ["sport"], "Runs 5 km on Tuesdays and Thursdays, never before breakfast."),
    (1, "third talk", ["home"], "The kitten from the shelter is to be called Pipa; she fetches it on Saturday."),
)
QUESTION = "What is the kitten called?"


@dataclass(frozen=True)
class Someone:
    """A customer: plan, days known, and which share of each tier is used."""

    external_id: str
    name: str
    plan: str
    days: int
    shares: tuple[float, float, float]
    item_bytes: int = 6_000


PEOPLE = (
    Someone("acct-55102", "Dana Whitfield", "free", 240, (0.9998, 0.53, 0.22), 900),
    Someone("halden-clinic-intake", "Halden Clinic intake", "paid", 410, (0.86, 0.41, 0.05), 60_000),
    Someone("acct-54977", "Tomasz Lewandowski", "free", 180, (0.97, 0.30, 0.11)),
    Someone("acct-55240", "Aiko Murata", "free", 64, (0.62, 0.84, 0.02)),
    Someone("acct-55301", "Priya Raman", "free", 31, (0.35, 0.12, 0.01)),
    Someone("acct-55318", "Jonas Bech", "free", 22, (0.08, 0.05, 0.0)),
    Someone("kiosk-lisbon-04", "", "paid", 12, (0.02, 0.01, 0.0), 60_000),
    Someone("acct-54310", "Ines Carvalho", "free", 300, (0.35, 0.93, 0.04)),
    Someone("acct-55402", "Marisol Vega", "free", 10, (0.0, 0.0, 0.0)),
)
TIERS = (Tier.SHORT_TERM, Tier.LONG_TERM, Tier.PERMANENT)
LASTING = ("long-term", "permanent", "long-term")


def build(web: WebServer) -> dict[str, str]:
    """Make staff, customers, measures and refusals; gives the addresses that the pictures need."""
    now = clock.utc_now()
    people = _hire(now)
    samples.note_hours(since=now - timedelta(days=8), until=now)
    author = _client_actor("assistant-app")
    # The nights are those of one customer: whoever is braked or full in these pictures must stay so.
    ines = next(someone for someone in PEOPLE if someone.external_id == "acct-54310")
    made = {ines.external_id: _register(ines, author, now)}
    schedules.sync()
    run = _meditated(made[ines.external_id], author, now)
    made |= {someone.external_id: _register(someone, author, now) for someone in PEOPLE if someone is not ines}
    dana, tomasz, aiko, marisol = (made[f"acct-{number}"] for number in (55102, 54977, 55240, 55402))
    _refuse(web, "acct-55102", "import-bot", times=6)
    _refuse(web, "acct-54977", "phone", times=2)
    throttle = _throttled(people["sam"], dana, "Import loop, the client is told", "HD-2214", now)
    _call_under_throttle(web, "acct-55102", times=25)
    _raised(people["sam"], tomasz, Tier.SHORT_TERM, "Moves three devices over this week", "HD-2198", now)
    _raised(people["lena"], aiko, Tier.LONG_TERM, "Archive of the old account comes in tonight", "HD-2201", now)
    _throttled_once(people["sam"], tomasz, now)
    missed = _talks(marisol, author, now)
    _revealed(people["lena"], marisol, "The caller says that it forgot her new kitten’s name", "HD-2231", now)
    acts = _acted_on(people, tomasz, now)
    users_by_name = {"dana": dana, "tomasz": tomasz, "marisol": marisol}
    urls = {name: reverse("ops:user", args=[f"usr_{user.hex}"]) for name, user in users_by_name.items()}
    run_url = reverse("ops:meditation-run", args=[run.public_id])
    decided = _decided(people["olivia"], made["acct-54310"], now)
    many = scenerymany.pruned(people, now)
    planned = _planned(people, made["acct-54310"], now)
    return {**urls, **acts, **decided, **many, **planned, "throttle": throttle, "missed": missed, "run": run_url}


def _meditated(ines: UUID, author: Actor, now: datetime) -> MeditationRun:
    """The last nights' runs, which each found some of a day's memories past their life; gives the last."""
    two = now.replace(hour=2, minute=0, second=0, microsecond=0)
    nights = [two - timedelta(days=days) for days in range(9, -1, -1) if two - timedelta(days=days) < now]
    for place, begun_at in enumerate(nights):
        at = begun_at - timedelta(hours=27)
        for text in THINGS[place % 3 :: 3]:
            draft = drafts.prepare(tier=Tier.SHORT_TERM, content=text, now=at)
            items.write_item(draft, user_id=ines, created_by=author, now=at)
        actor = Actor.job("memory.meditate_nightly")
        run = meditationruns.begin(Trigger.NIGHTLY, actor=actor, why=Why(), now=begun_at)
        ended_at = begun_at + timedelta(seconds=30 + 7 * (place % 4))
        _do_all(begun_at, ended_at)
        run.refresh_from_db()
        if run.state == RunState.HELD:  # of one customer's bytes each night's share is a large one
            looked = Why("Looked at a sample of twenty: all right", "")
            meditationbrakes.approve(run.pk, actor=MAKER, why=looked, now=begun_at)
            _do_all(begun_at, ended_at)
    return MeditationRun.objects.filter(shards__archived__gt=0).latest("created_at")


def _do_all(begun_at: datetime, ended_at: datetime) -> None:
    while (shard := meditationruns.take(now=begun_at)) is not None:
        meditationruns.do(shard, tell_time=itertools.chain([begun_at], itertools.repeat(ended_at)).__next__)


def _decided(olivia: Any, ines: UUID, now: datetime) -> dict[str, str]:
    """A run that waits for somebody, one that was undone, and a part that could be."""
    at = now - timedelta(minutes=23)
    why = Why("After the new weights the last nights took too much, INC-7", "INC-7")
    cohort = Cohort(asked=Asked(show=Show.OVER_SOFT))
    staff = Actor(ActorKind.STAFF, str(olivia.pk))
    held = meditationruns.begin(Trigger.MANUAL, cohort=cohort, actor=staff, why=why, now=at)
    meditationbrakes.hold(held.pk, Held.SPIKE, now=at + timedelta(minutes=2))
    archived = list(MeditationRun.objects.filter(shards__archived__gt=0).order_by("created_at"))
    undone = archived[0]
    meditationundos.undo_run(undone.pk, actor=staff, why=why, tell_time=lambda: now - timedelta(minutes=9))
    pages = {"held": reverse("ops:meditation-run", args=[held.public_id])}
    pages["undone"] = reverse("ops:meditation-run", args=[undone.public_id])
    part = [archived[-1].public_id, f"usr_{ines.hex}"]
    return {**pages, "part": reverse("ops:undo-decisions", args=part)}


def _planned(people: dict[str, Any], ines: UUID, now: datetime) -> dict[str, str]:
    """A plan that was undone, one that was applied and left something as it was, and one that waits."""
    about: dict[str, Any] = {"user_id": ines, "tier": Tier.LONG_TERM}
    asked = _sender(people["sam"], "Full before a trip; wants room for a week, by what is used least", "HD-2240")
    looked = _sender(people["lena"], "Looked at a sample of twenty: doubles and small talk", "HD-2240")
    undone_at, applied_at, made_at = (now - timedelta(minutes=minutes) for minutes in (190, 47, 6))
    undone = prunes.make(asked, **about, target=Target(share=0.1), now=undone_at)
    prunes.apply(looked, undone.pk, now=undone_at + timedelta(minutes=4))
    back = _sender(people["lena"], "Two of them were wanted after all; another plan, with those protected", "HD-2240")
    prunes.undo(back, undone.pk, now=undone_at + timedelta(minutes=16))
    asked, looked = (_sender(one.staff, one.why.reason, one.why.ticket) for one in (asked, looked))
    applied = prunes.make(asked, **about, target=Target(share=0.1), now=applied_at)
    wanted = [row.item_id for row in applied.items.order_by("position")[2:4]]
    kept = _sender(people["sam"], "These two are wanted, the caller says", "HD-2240")
    itemacts.change(kept, Deed.PROTECT, choices.frozen(ines, wanted), user_id=ines, now=applied_at)
    prunes.apply(looked, applied.pk, now=applied_at + timedelta(minutes=3))
    asked = _sender(people["sam"], "Still refused in the evenings: down to below the soft limit", "HD-2251")
    frozen = prunes.make(asked, **about, target=Target(share=0.25), now=made_at)
    addresses = {"frozen": frozen, "applied": applied, "back": undone}
    return {name: reverse("ops:plan", args=[plan.public_id]) for name, plan in addresses.items()} | {
        "ines": reverse("ops:user", args=[f"usr_{ines.hex}"])
    }


def _hire(now: datetime) -> dict[str, Any]:
    people = {}
    for username, (first, last, role) in STAFF.items():
        person, _ = staff.put(username=username, password=PASSWORD, held=[role], actor=MAKER, now=now)
        person.first_name, person.last_name = first, last
        person.save()
        people[username] = person
    return people


def _register(someone: Someone, author: Actor, now: datetime) -> UUID:
    since = now - timedelta(days=someone.days)
    email = f"{someone.name.lower().replace(' ', '.')}@example.org" if someone.name else ""
    profile = Profile(display_name=someone.name, email=email, plan=someone.plan, time_zone="Europe/Lisbon")
    user, _ = users.put(someone.external_id, profile, actor=author, now=since)
    chance = random.Random(someone.external_id)  # pictures, not secrets
    drafts_of_tiers = [
        draft
        for tier, share in zip(TIERS, someone.shares, strict=True)
        for draft in _drafts(user.pk, tier, share, someone.item_bytes, chance, now)
    ]
    _write_hour_by_hour(drafts_of_tiers, user.pk, author, now)
    return user.pk


def _write_hour_by_hour(found: list[Draft], user_id: UUID, author: Actor, now: datetime) -> None:
    """Each at its own time, with the samples of the hours between."""
    by_hour = itertools.groupby(sorted(found, key=_said_at), key=lambda draft: samples.hour_of(_said_at(draft)))
    with transaction.atomic():
        for hour, written in by_hour:
            for draft in written:
                items.write_item(draft, user_id=user_id, created_by=author, now=_said_at(draft))
            if hour + timedelta(hours=1) <= now:
                samples.take_of(user_id, now=hour + timedelta(hours=1))


def _said_at(draft: Draft) -> datetime:
    assert draft.created_at is not None
    return draft.created_at


def _drafts(
    user_id: UUID, tier: Tier, share: float, item_bytes: int, chance: random.Random, now: datetime
) -> Iterator[Draft]:
    """Items that fill the share of the tier to the byte, the newest some seconds old."""
    left = int(usage.of_user(user_id, now=now)[tier].limit_bytes * share)
    age = timedelta(seconds=chance.randint(10, 90))
    words = itertools.cycle(THINGS)
    while left > 40:
        size = min(left - 2, chance.randint(item_bytes // 2, item_bytes))
        text = next(words)
        text = (text + " " + " ".join(itertools.islice(words, size // 40 + 1)))[:size]
        draft = drafts.prepare(tier=tier, content=text, created_at=now - age, now=now)
        yield draft
        left -= draft.size_bytes
        age += timedelta(seconds=chance.randint(20, 240))


def _talks(user_id: UUID, author: Actor, now: datetime) -> str:
    """Keep the talks with their vectors, and delete the last; gives the id of that one."""
    prepared = [
        drafts.prepare(
            tier=Tier.LONG_TERM,
            content=text,
            metadata={"session": session, "speaker": "Marisol", "tags": tags},
            created_at=now - timedelta(days=days, minutes=len(TALKS) - place),
            now=now,
        )
        for place, (days, session, tags, text) in enumerate(TALKS)
    ]
    kept = [
        items.write_item(draft, user_id=user_id, created_by=author, now=now) for draft in embeddings.of_drafts(prepared)
    ]
    items.delete_item(kept[-1].id, user_id=user_id, actor=author, now=now - timedelta(hours=3))
    return ids.encode(ids.Prefix.ITEM, kept[-1].id)


def _acted_on(people: dict[str, Any], user_id: UUID, now: datetime) -> dict[str, str]:
    """A note, two protected items, and two that were deleted; gives the acts, and the query that chooses three more."""
    newest = MemoryItem.objects.filter(user_id=user_id).order_by("-created_at", "-pk").values_list("pk", flat=True)[:7]
    chosen = choices.frozen(user_id, list(newest))
    about: dict[str, Any] = {"user_id": user_id, "now": now - timedelta(minutes=3)}
    note = "Calls back on weekdays only, after five. Asked for somebody who speaks Polish."
    notes.add(_sender(people["sam"], note, "HD-2198"), **about)
    asked = _sender(people["sam"], "Wants these two kept whatever else goes", "HD-2198")
    itemacts.change(asked, Deed.PROTECT, chosen[:2], **about)
    doubles = _sender(people["lena"], "Duplicates of what the second phone wrote", "HD-2198")
    deleted = itemacts.change(doubles, Deed.DELETE, chosen[2:4], **about)
    query = "&".join(f"item=mem_{one.id.hex}" for one in [chosen[0], *chosen[4:]])
    return {"deleted": deleted.public_id, "chosen": f"?{query}"}


def _revealed(person: Any, user_id: UUID, reason: str, ticket: str, now: datetime) -> None:
    reveals.reveal(_sender(person, reason, ticket), user_id=user_id, now=now)


def key_of(name: str) -> str:
    """A key of a client of this name."""
    return keys.issue(client_name=name, scopes=list(Scope), actor=MAKER, now=clock.utc_now())[1]


def _client_actor(name: str) -> Actor:
    key, _ = keys.issue(client_name=name, scopes=list(Scope), actor=MAKER, now=clock.utc_now())
    return Actor(ActorKind.CLIENT, str(key.pk))


def _refuse(web: WebServer, external_id: str, client: str, *, times: int) -> None:
    """Writes over the limit, through the API."""
    text = " ".join(THINGS) * (40 if client == "phone" else 1)
    with web.client(key_of(client)) as api:
        for number in range(times):
            body = {"user_id": external_id, "type": "short-term", "content": text[number * 7 :]}
            assert api.post("/api/v1/memory", json=body).status_code == 413


def _call_under_throttle(web: WebServer, external_id: str, *, times: int) -> None:
    """As many calls as it takes until so many were held back."""
    tiers, texts = itertools.cycle(LASTING), itertools.cycle(THINGS)
    with web.client(key_of("import-bot")) as api:

        def is_held_back() -> bool:
            body = {"user_id": external_id, "type": next(tiers), "content": next(texts)}
            return api.post("/api/v1/memory", json=body).status_code == 429

        for _ in range(times):
            until(is_held_back, what="a call to be held back by the throttle")


def _sender(person: Any, reason: str, ticket: str) -> Sender:
    return Sender(person, uuid4(), Why(reason, ticket), "req_5f0c2d9a")


def _throttled(person: Any, user_id: UUID, reason: str, ticket: str, now: datetime) -> str:
    brake = Brake(ThrottleScope.WRITE, 10)
    made = measures.throttle(
        _sender(person, reason, ticket), brake, user_id=user_id, ends_at=now + timedelta(hours=1), now=now
    )
    return made.public_id


def _throttled_once(person: Any, user_id: UUID, now: datetime) -> None:
    """A block of two minutes, some time ago, that was lifted early."""
    start = now - timedelta(minutes=44)
    made = measures.throttle(
        _sender(person, "Same loop as acct-55102, until the client answers", "HD-2214"),
        Brake(ThrottleScope.WRITE, None),
        user_id=user_id,
        ends_at=start + timedelta(hours=1),
        now=start,
    )
    sender = _sender(person, "The client was stopped at the source", "HD-2214")
    measures.lift_throttle(sender, made.pk, now=start + timedelta(minutes=2))


def _raised(person: Any, user_id: UUID, tier: Tier, reason: str, ticket: str, now: datetime) -> None:
    plan = usage.of_user(user_id, now=now)[tier].plan_bytes
    limit = Limit(tier, plan * 3 // 2)
    measures.raise_quota(
        _sender(person, reason, ticket), limit, user_id=user_id, ends_at=now + timedelta(hours=16), now=now
    )
