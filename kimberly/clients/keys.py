"""Make and revoke API keys."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.clients.models import ApiClient, ApiKey, Scope
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal

PREFIX = "kmb"
LONGEST_CLIENT_NAME = 80


class UnknownScope(Refusal):
    """A key was asked for with a scope that does not exist."""

    slug = "unknown-scope"
    kind = Kind.INVALID
    title = "There is no such scope."

    def __init__(self, scopes: Collection[str]) -> None:
        super().__init__(sorted(scopes))
        self.scopes = sorted(scopes)

    def facts(self) -> dict[str, Any]:
        return {"unknown_scopes": self.scopes, "known_scopes": [str(scope) for scope in Scope]}

    @property
    def detail(self) -> str:
        return f"There is no scope {', '.join(self.scopes)}; there are {', '.join(Scope)}."


class UnknownKey(Refusal):
    """No single key begins as was said."""

    slug = "unknown-key"
    kind = Kind.NOT_FOUND
    title = "No key begins like that. Give its first 12 characters, as in kmb_0a1b2c3d, never the whole key."


def new_plaintext() -> str:
    """A new key as its owner sees it once: `kmb_`, 8 hex digits to recognise it by, 32 random bytes."""
    return f"{PREFIX}_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def issue(
    *,
    client_name: str,
    scopes: Collection[str],
    actor: Actor,
    now: datetime,
    bound_user_id: UUID | None = None,
    expires_at: datetime | None = None,
    plaintext: str = "",
    why: Why | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a client (made too when there is none of that name); gives the key and its text, shown once."""
    if unknown := set(scopes) - {str(scope) for scope in Scope}:
        raise UnknownScope(unknown)
    if not 0 < len(client_name) <= LONGEST_CLIENT_NAME or not client_name.isprintable():
        raise Invalid(("/client_name", f"must have 1 to {LONGEST_CLIENT_NAME} printable characters"))
    text = plaintext or new_plaintext()
    with transaction.atomic():
        client, _ = ApiClient.objects.get_or_create(name=client_name, defaults={"created_at": now})
        key = ApiKey.objects.create(
            client=client,
            prefix=text[:12],
            sha256=sha256_of(text),
            scopes=sorted(scopes),
            bound_user_id=bound_user_id,
            created_at=now,
            expires_at=expires_at,
        )
        trail.record(
            "key.issued",
            subject=Subject("api-key", str(key.id)),
            actor=actor,
            now=now,
            after={"client": str(client.id), "scopes": sorted(scopes), "bound": str(bound_user_id or "")},
            why=why,
        )
    return key, text


def beginning(start: str) -> ApiKey:
    """The key whose text begins so: `kmb_` and its 8 hex digits. Raises UnknownKey."""
    found = list(ApiKey.objects.select_related("client").filter(prefix=start)[:2])
    if len(found) != 1:
        raise UnknownKey
    return found[0]


def revoke(key: ApiKey, *, actor: Actor, now: datetime, why: Why | None = None) -> bool:
    """End a key; False when it was revoked before."""
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
        if changed:
            trail.record("key.revoked", subject=Subject("api-key", str(key.pk)), actor=actor, now=now, why=why)
    return bool(changed)


def sha256_of(plaintext: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).hexdigest()
