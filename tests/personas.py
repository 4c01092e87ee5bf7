"""The people of the tests, made and moved through the services, so that counters are never wrong."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.clients.models import ApiKey, Scope
from kimberly.lib import clock, ids
from kimberly.lib.actors import Actor
from memory.models import MemoryItem, QuotaOverride, Throttle
from memory.queries import usage
from memory.queries.usage import TierUsage
from memory.rules.limits import ThrottleScope
from memory.rules.tiers import Tier
from memory.services import drafts, items, limits, users
from memory.services.limits import Order, Target
from memory.services.quotas import Stored
from memory.services.users import Profile
from ops.roles import Role
from ops.services import staff

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
TESTER = Actor.command("tests")
EMPTY_METADATA_BYTES = 2  # "{}"
PASSWORD = "a long password nobody guesses"  # the tests' people all have this one


def unique(name: str) -> str:
    """A name that no other test uses: tests over HTTP share one database and commit."""
    return f"{name}-{secrets.token_hex(4)}"


def content_of(size_bytes: int) -> str:
    """A text that, with empty metadata, counts exactly this many bytes."""
    return "x" * (size_bytes - EMPTY_METADATA_BYTES)


@dataclass(frozen=True)
class Person:
    """A user whose memories are kept."""

    id: UUID
    external_id: str

    @property
    def public_id(self) -> str:
        """As pages and answers name the user."""
        return ids.encode(ids.Prefix.USER, self.id)

    @classmethod
    def register(cls, name: str, *, plan: str = "free", at: datetime = NOON, **profile: Any) -> "Person":
        user, _ = users.put(unique(name), Profile(plan=plan, **profile), actor=TESTER, now=at)
        return cls(user.pk, user.external_id)

    def writes(self, content: str, *, tier: Tier = Tier.LONG_TERM, at: datetime = NOON, **fields: Any) -> Stored:
        draft = drafts.prepare(tier=tier, content=content, now=at, **fields)
        return items.write_item(draft, user_id=self.id, created_by=TESTER, now=at)

    def fill(self, tier: Tier, *, leaving_bytes: int, at: datetime = NOON) -> None:
        """Write until exactly so many bytes are free."""
        missing = self.usage(tier, at=at).room_bytes - leaving_bytes
        while missing:
            size = missing if missing <= 100_000 else min(100_000, missing - EMPTY_METADATA_BYTES - 1)
            self.writes(content_of(size), tier=tier, at=at)
            missing -= size

    def usage(self, tier: Tier, *, at: datetime = NOON) -> TierUsage:
        return usage.of_user(self.id, now=at)[tier]

    def free_bytes(self, tier: Tier, *, at: datetime = NOON) -> int:
        return self.usage(tier, at=at).room_bytes

    def item(self, item_id: UUID) -> MemoryItem:
        return MemoryItem.objects.get(pk=item_id, user_id=self.id)

    def is_raised(self, tier: Tier, hard_bytes: int, *, until: datetime, at: datetime = NOON) -> QuotaOverride:
        return limits.raise_quota(
            user_id=self.id, tier=tier, hard_bytes=hard_bytes, order=an_order(ends_at=until), now=at
        )

    def is_throttled(
        self,
        scope: ThrottleScope = ThrottleScope.WRITE,
        *,
        per_minute: int | None = 10,
        until: datetime | None = None,
        at: datetime = NOON,
    ) -> Throttle:
        order = an_order(ends_at=until or at + timedelta(hours=1))
        return limits.throttle(target=Target(user_id=self.id), scope=scope, per_minute=per_minute, order=order, now=at)

    def gets_key(self, *scopes: Scope, **options: Any) -> str:
        """A key bound to this user; every scope when none is named."""
        return issue_key(*scopes, bound_user_id=self.id, **options)


def an_order(*, ends_at: datetime) -> Order:
    return Order(TESTER, "The tests", Why("a reason long enough to be read"), ends_at)


def issue_key(*scopes: Scope, **options: Any) -> str:
    """A new API key, unbound unless said; every scope when none is named."""
    options.setdefault("now", clock.utc_now())
    _, text = keys.issue(client_name=unique("client"), scopes=scopes or tuple(Scope), actor=TESTER, **options)
    return text


def revoke_key(text: str) -> None:
    key = ApiKey.objects.get(sha256=keys.sha256_of(text))
    keys.revoke(key, actor=TESTER, now=clock.utc_now())


def hire(name: str, *held: Role) -> Any:
    """A person of staff with these roles, who signs in with PASSWORD."""
    person, _ = staff.put(username=unique(name), password=PASSWORD, held=held, actor=TESTER, now=NOON)
    return person
