"""Carries the plan out: each deed by the service that the API or the portal would call, at the time it happened."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import singledispatchmethod
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from kimberly.audit import sealing
from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.clients.models import ApiKey, Scope
from kimberly.db import statements
from kimberly.lib import clock
from kimberly.lib.actors import Actor, ActorKind
from memory.embedding.base import Embedded
from memory.models import MeditationDecision, MemoryUser, Throttle
from memory.queries import usage
from memory.rules.limits import RefusalKind, ThrottleScope
from memory.rules.meditation import Act, Trigger
from memory.rules.selections import Deed as ItemDeed
from memory.services import (
    accesses,
    bulk,
    drafts,
    embeddings,
    feedback,
    goals,
    items,
    meditationruns,
    refusals,
    samples,
    users,
)
from memory.services.drafts import Draft
from memory.services.feedback import Verdict
from memory.services.plans import Target
from memory.services.quotas import QuotaExceeded, Stored
from memory.services.refusals import Call
from memory.services.selections import Chosen
from memory.services.users import Profile
from ops.demo import generator, plans
from ops.demo.plans import Demo, Person
from ops.demo.voices import dice
from ops.queries import choices
from ops.roles import Role
from ops.services import itemacts, measures, notes, prunes, staff, suspensions, undo
from ops.services.measures import Brake, Limit, Sender

LOCK = 0x4B44_454D  # "KDEM": the advisory lock of the one loader
LEAST_TOPPED_UP, SPARE_BYTES = 1_000, 32
SCOPES = (Scope.READ, Scope.WRITE, Scope.QUERY)


@dataclass
class Loaded:
    """How much was made."""

    users: int = 0
    items: int = 0
    refused: int = 0


def load(*, seed: str = generator.SEED, actor: Actor, now: datetime) -> Loaded | None:
    """Make the demo's people where no user is yet; None where there is one, or where another loader is at it.

    All of it is one transaction: whoever is killed in between leaves nothing, and the next call begins anew.
    """
    if MemoryUser.objects.exists():
        return None
    demo = generator.plan(seed=seed, now=now)
    vectors = vectors_of(demo)
    with transaction.atomic():
        return carry_out(demo, vectors, actor=actor, now=now) if _is_ours() else None


def carry_out(demo: Demo, vectors: dict[str, Embedded], *, actor: Actor, now: datetime) -> Loaded:
    """Make all that is planned, whoever is there already."""
    with transaction.atomic():
        loaded = _Loader(demo, vectors, actor, now).load()
        # Sealed at once: entries of weeks ago would look as if the sealer had been away for weeks.
        while sealing.seal(now=now):
            pass
    return loaded


def _is_ours() -> bool:
    """Whether nobody else is loading, nor has loaded meanwhile."""
    row = statements.fetch_one("SELECT pg_try_advisory_xact_lock(%(lock)s::bigint)", {"lock": LOCK})
    return bool(row and row[0]) and not MemoryUser.objects.exists()


def vectors_of(demo: Demo) -> dict[str, Embedded]:
    """Of every text, before the transaction: embedding may be slow. Empty where the embedder is away."""
    texts = {text for person in demo.people for deed in person.deeds for text in _texts_of(deed)}
    ordered = sorted(texts)
    return dict(zip(ordered, embeddings.of_texts(ordered) or (), strict=False))


def _texts_of(deed: plans.Deed) -> list[str]:
    if isinstance(deed, plans.Written | plans.ToppedUp):
        return [memory.content for memory in deed.memories]
    return [deed.text] if isinstance(deed, plans.GoalSet) else []


class _Loader:
    """Makes the clients and the staff, then the people one by one."""

    def __init__(self, demo: Demo, vectors: dict[str, Embedded], actor: Actor, now: datetime) -> None:
        self._demo = demo
        self._now = now
        self.night = demo.night
        self.vectors = vectors
        self._actor = actor
        self.keys = {name: self._key(name) for name in demo.clients}
        self.staff = {colleague.username: self._hire(colleague) for colleague in demo.staff}
        self.loaded = Loaded()
        self.changed: set[UUID] = set()
        """Whose items the last night changed."""
        self.taken: set[UUID] = set()
        """What it or a plan archived or purged: nobody deletes, rates or protects that any more."""

    def load(self) -> Loaded:
        night = self._demo.night
        old = [person for person in self._demo.people if person.registered_at < night]
        lives = {person.external_id: _Life(person, self) for person in old}
        for life in lives.values():
            life.goes_on(until=night)
        self._meditate()
        for person in self._demo.people:
            life = lives.get(person.external_id) or _Life(person, self)
            life.goes_on(until=self._now)
            self.loaded.users += 1
        samples.note_hours(since=self._demo.began_at, until=self._now)
        return self.loaded

    def _meditate(self) -> None:
        """As the workers would have done last night."""
        night, began = self._demo.night, clock.utc_now()

        def tell_time() -> datetime:
            return night + (clock.utc_now() - began)

        actor = Actor.job("memory.meditate_nightly")
        run = meditationruns.begin(Trigger.NIGHTLY, due_at=night, actor=actor, why=Why(), now=night)
        while (shard := meditationruns.take(now=tell_time())) is not None:
            meditationruns.do(shard, tell_time=tell_time)
        decided = MeditationDecision.objects.filter(run=run)
        self.changed = set(decided.values_list("user_id", flat=True))
        taken = decided.exclude(act=Act.PROMOTED)
        self.taken = set(taken.values_list("item_id", flat=True))

    def _key(self, client: str) -> ApiKey:
        """Its text is thrown away: nobody can call with it."""
        at = self._demo.began_at
        return keys.issue(client_name=client, scopes=SCOPES, actor=self._actor, now=at)[0]

    def _hire(self, colleague: plans.Colleague) -> Any:
        return staff.put_without_password(
            username=colleague.username,
            name=(colleague.first_name, colleague.last_name),
            held=[Role(colleague.role)],
            actor=self._actor,
            now=self._demo.began_at,
        )


@dataclass
class _Life:
    """One person's deeds, each by its own service."""

    person: Person
    loader: _Loader
    ids: dict[int, UUID] = field(default_factory=dict)
    """The items by their place; those that were refused have none."""
    throttle: Throttle | None = None
    changed_at: datetime | None = None
    """When the counters changed since their last sample."""

    def __post_init__(self) -> None:
        self.chance = dice(self.person.external_id, "requests")
        person = self.person
        profile = Profile(person.display_name, person.email, person.plan, person.time_zone)
        author = self._actor(person.client)
        self.user_id = users.put(person.external_id, profile, actor=author, now=person.registered_at)[0].pk
        self.done = 0

    def goes_on(self, *, until: datetime) -> None:
        """Do what comes next, in order of time, and take the samples between."""
        if self.user_id in self.loader.changed:
            self.changed_at = max(self.loader.night, self.changed_at or self.loader.night)
        for deed in self.person.deeds[self.done :]:
            if deed.at >= until:
                break
            self.is_sampled_before(deed.at)
            self.do(deed)
            self.done += 1
        self.is_sampled_before(until)

    def is_sampled_before(self, at: datetime) -> None:
        """Take the sample of the first hour after a change, as the job would have done, when that hour has come."""
        if self.changed_at is None:
            return
        hour = samples.hour_of(self.changed_at) + timedelta(hours=1)
        if hour <= at:
            samples.take_of(self.user_id, now=hour)
            self.changed_at = None

    @singledispatchmethod
    def do(self, deed: plans.Deed) -> None:
        raise NotImplementedError(type(deed).__name__)

    @do.register
    def _(self, deed: plans.Written) -> None:
        sent = [self._draft(memory, deed.at) for memory in deed.memories]
        actor, self.changed_at = self._actor(deed.client), deed.at
        outcome = bulk.write_what_fits(sent, user_id=self.user_id, created_by=actor, now=deed.at)
        for place, result in enumerate(outcome.results, deed.first_place):
            if isinstance(result, Stored):
                self.ids[place] = result.id
                self.loader.loaded.items += 1
            elif isinstance(result, QuotaExceeded):
                refusals.keep_quota(result, self._call(deed.client), now=deed.at)
                self.loader.loaded.refused += 1

    @do.register
    def _(self, deed: plans.Deleted) -> None:
        if item_id := self._kept(deed.place):
            self.changed_at = deed.at
            items.delete_item(item_id, user_id=self.user_id, actor=self._actor(self.person.client), now=deed.at)

    @do.register
    def _(self, deed: plans.Asked) -> None:
        accesses.write(self.user_id, [self.ids[place] for place in deed.places if place in self.ids], at=deed.at)

    @do.register
    def _(self, deed: plans.Rated) -> None:
        if item_id := self._kept(deed.place):
            said, author = Verdict(deed.helpful, deed.emotional_weight), self._actor(self.person.client)
            feedback.give(item_id, said, user_id=self.user_id, created_by=author, now=deed.at)

    @do.register
    def _(self, deed: plans.GoalSet) -> None:
        embedded, author = self.loader.vectors.get(deed.text), self._actor(self.person.client)
        goals.set_goal(self.user_id, deed.text, embedded=embedded, created_by=author, now=deed.at)

    @do.register
    def _(self, deed: plans.PlanChanged) -> None:
        author = self._actor(self.person.client)
        users.put(self.person.external_id, Profile(plan=deed.plan), actor=author, now=deed.at)

    @do.register
    def _(self, deed: plans.QuotaRaised) -> None:
        limit, sender = Limit(deed.tier, deed.hard_bytes), self._sender(deed.order)
        measures.raise_quota(sender, limit, user_id=self.user_id, ends_at=deed.ends_at, now=deed.at)

    @do.register
    def _(self, deed: plans.Throttled) -> None:
        brake, sender = Brake(ThrottleScope.WRITE, deed.per_minute), self._sender(deed.order)
        self.throttle = measures.throttle(sender, brake, user_id=self.user_id, ends_at=deed.ends_at, now=deed.at)

    @do.register
    def _(self, deed: plans.ThrottleLifted) -> None:
        if self.throttle is not None:
            measures.lift_throttle(self._sender(deed.order), self.throttle.pk, now=deed.at)

    @do.register
    def _(self, deed: plans.Suspended) -> None:
        suspensions.suspend(self._sender(deed.order), user_id=self.user_id, now=deed.at)

    @do.register
    def _(self, deed: plans.Noted) -> None:
        notes.add(self._sender(deed.order), user_id=self.user_id, now=deed.at)

    @do.register
    def _(self, deed: plans.Protected) -> None:
        sender, chosen = self._sender(deed.order), self._chosen(deed.places)
        itemacts.change(sender, ItemDeed.PROTECT, chosen, user_id=self.user_id, now=deed.at)

    @do.register
    def _(self, deed: plans.DeletedAndUndone) -> None:
        sender, chosen = self._sender(deed.order), self._chosen(deed.places)
        act = itemacts.change(sender, ItemDeed.DELETE, chosen, user_id=self.user_id, now=deed.at)
        undo.undo(replace(self._sender(deed.order), why=Why()), act.pk, now=deed.undone_at)

    @do.register
    def _(self, deed: plans.Pruned) -> None:
        about: dict[str, Any] = {"target": Target(share=deed.share), "tier": deed.tier}
        plan = prunes.make(self._sender(deed.order), user_id=self.user_id, now=deed.at, **about)
        looked = replace(deed.order, by="demo-lena", reason="Looked at the list: logs and doubles")
        if deed.applied_at is not None:
            prunes.apply(self._sender(looked), plan.pk, now=deed.applied_at)
            self.loader.taken |= set(plan.items.values_list("item_id", flat=True))
            self.changed_at = deed.applied_at
        if deed.undone_at is not None:
            back = replace(looked, reason="Two of these are wanted after all, says the caller")
            prunes.undo(self._sender(back), plan.pk, now=deed.undone_at)
            self.loader.taken -= set(plan.items.values_list("item_id", flat=True))

    @do.register
    def _(self, deed: plans.HeldBack) -> None:
        """As the API's admission keeps it, once for each call."""
        kind, source, source_id, per_minute = RefusalKind.SUSPENDED, "state", "suspended", None
        if self.throttle is not None:
            kind, source, source_id = RefusalKind.THROTTLE, "throttle", str(self.throttle.pk)
            per_minute = self.throttle.per_minute
        for _ in range(deed.times):
            call = self._call(deed.client)
            facts: dict[str, Any] = {"source": source, "source_id": source_id, "per_minute": per_minute}
            refusals.keep_counted(kind, call, **facts, now=deed.at)
            self.loader.loaded.refused += 1

    @do.register
    def _(self, deed: plans.ToppedUp) -> None:
        for memory in deed.memories:
            used = usage.of_user(self.user_id, now=deed.at)[deed.tier].active_bytes
            left = int(deed.limit_bytes * deed.share) - used - len(json.dumps(memory.metadata)) - SPARE_BYTES
            if left < LEAST_TOPPED_UP:
                return
            content = memory.content.encode()[:left].decode(errors="ignore")
            draft = self._draft(replace(memory, content=content), deed.at)
            if draft.embedded is None and (vectors := embeddings.of_texts([content])):
                draft = replace(draft, embedded=vectors[0])
            actor, self.changed_at = self._actor(deed.client), deed.at
            bulk.write_what_fits([draft], user_id=self.user_id, created_by=actor, now=deed.at)
            self.loader.loaded.items += 1

    def _kept(self, place: int) -> UUID | None:
        """The item at this place, unless it was refused or the last night took it."""
        item_id = self.ids.get(place)
        return None if item_id in self.loader.taken else item_id

    def _chosen(self, places: Sequence[int]) -> list[Chosen]:
        return choices.frozen(self.user_id, [found for place in places if (found := self._kept(place))])

    def _draft(self, memory: plans.Memory, at: datetime) -> Draft:
        draft = drafts.prepare(
            tier=memory.tier,
            content=memory.content,
            metadata=memory.metadata,
            created_at=memory.created_at,
            protected=memory.protected,
            now=at,
        )
        return replace(draft, embedded=self.loader.vectors.get(memory.content))

    def _actor(self, client: str) -> Actor:
        return Actor(ActorKind.CLIENT, str(self.loader.keys[client].pk), self._request_id())

    def _call(self, client: str) -> Call:
        return Call(self.user_id, self.loader.keys[client].client_id, self._request_id())

    def _sender(self, order: plans.Ordered) -> Sender:
        why = Why(order.reason, order.ticket)
        return Sender(self.loader.staff[order.by], uuid4(), why, self._request_id())

    def _request_id(self) -> str:
        return f"req_{self.chance.getrandbits(128):032x}"
