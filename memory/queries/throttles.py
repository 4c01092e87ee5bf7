"""The throttles in force, as each request asks for them: read once a second by a process, indexed by target."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kimberly.lib.remember import Remembered
from memory.models import Throttle
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier

FRESH_SECONDS = 1.0  # A new throttle must work within two seconds, in every process.


@dataclass(frozen=True, slots=True)
class Brake:
    """One throttle in force. `per_minute` is None when it blocks."""

    id: UUID
    public_id: str
    scope: ThrottleScope
    per_minute: int | None
    ends_at: datetime

    def holds_for(self, scope: ThrottleScope, now: datetime) -> bool:
        return self.scope in (scope, ThrottleScope.ALL) and self.ends_at > now


@dataclass(frozen=True, slots=True)
class Brakes:
    """All throttles in force at one moment, by what they brake."""

    of_user: dict[UUID, list[Brake]] = field(default_factory=dict)
    of_client: dict[UUID, list[Brake]] = field(default_factory=dict)
    of_tier: dict[str, list[Brake]] = field(default_factory=dict)

    def on(
        self, *, user_id: UUID, client_id: UUID, tiers: frozenset[Tier], scope: ThrottleScope, now: datetime
    ) -> list[Brake]:
        """The throttles that a call meets."""
        found = [*self.of_user.get(user_id, ()), *self.of_client.get(client_id, ())]
        for tier in sorted(tiers):
            found += self.of_tier.get(tier, ())
        return [brake for brake in found if brake.holds_for(scope, now)]

    def on_client(self, client_id: UUID, *, scope: ThrottleScope, now: datetime) -> list[Brake]:
        """The throttles that a call meets which is about no user in particular."""
        return [brake for brake in self.of_client.get(client_id, ()) if brake.holds_for(scope, now)]


_held: Remembered[str, Brakes] = Remembered(seconds=FRESH_SECONDS, most=1)


def in_force(*, now: datetime) -> Brakes:
    """The throttles in force, at most a second old."""
    return _held.get("all", lambda _key: _read(now)) or Brakes()


def _read(now: datetime) -> Brakes:
    brakes = Brakes()
    for row in Throttle.objects.filter(period__contains=now).order_by("created_at", "pk"):
        brake = Brake(row.pk, row.public_id, ThrottleScope(row.scope), row.per_minute, row.period.upper)
        if row.user_id is not None:
            brakes.of_user.setdefault(row.user_id, []).append(brake)
        elif row.client_id is not None:
            brakes.of_client.setdefault(row.client_id, []).append(brake)
        else:
            brakes.of_tier.setdefault(row.tier, []).append(brake)
    return brakes
