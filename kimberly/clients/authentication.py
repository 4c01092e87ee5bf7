"""Who calls: a bearer key, looked up by its SHA-256 once a request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest

from kimberly.clients import keys
from kimberly.clients.models import ApiKey, Scope
from kimberly.db import statements
from kimberly.lib import clock, metrics
from kimberly.lib.actors import Actor, ActorKind
from kimberly.lib.errors import Kind, Refusal
from kimberly.lib.remember import Remembered
from kimberly.lib.sql import statement
from kimberly.web import bodies, outages, requestid

FIND_KEY = statement(__file__, "find_key")
REMEMBERED_SECONDS = 1.0  # A revoked key stops working within this time, in every process (docs/adr/0009).
USED_EVERY = timedelta(minutes=1)  # last_used_at is written at most this often: a write a request would cost too much

_keys: Remembered[str, statements.Row] = Remembered(seconds=REMEMBERED_SECONDS, most=10_000)
_noted: Remembered[UUID, bool] = Remembered(seconds=USED_EVERY.total_seconds(), most=10_000)

FAILURES = metrics.process_counter(
    "kimberly_api_auth_failures_total",
    "API calls turned away because of their key.",
    {"reason": ("missing", "unknown", "expired", "revoked", "scope")},
)


class Unauthenticated(Refusal):
    """No key, or one that is not, or no longer, valid."""

    slug = "unauthenticated"
    kind = Kind.UNAUTHENTICATED
    title = "Send a valid API key as `Authorization: Bearer <key>`."


class MissingScope(Refusal):
    """The key is valid but may not do this."""

    slug = "missing-scope"
    kind = Kind.FORBIDDEN
    title = "This key may not do that."

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.scope = scope

    @property
    def detail(self) -> str:
        return f"This needs a key with the scope {self.scope}."

    def facts(self) -> dict[str, str]:
        return {"needed_scope": str(self.scope)}


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated caller of one request."""

    key_id: UUID
    client_id: UUID
    client_name: str
    scopes: frozenset[str]
    bound_user_id: UUID | None
    actor: Actor


class BearerKey:
    """ninja's auth callback for one scope. It reads the body too, so that a stranger's body is never read."""

    openapi_security_schema = {"type": "http", "scheme": "bearer", "description": "An API key of this service."}
    openapi_name = "BearerKey"

    def __init__(self, scope: Scope, *, body_limit_bytes: int = bodies.BODY_LIMIT_BYTES) -> None:
        self.scope = scope
        self.body_limit_bytes = body_limit_bytes

    def __call__(self, request: HttpRequest) -> Caller:
        caller = authenticate(request, now=clock.utc_now())
        structlog.contextvars.bind_contextvars(client=caller.client_name)
        if self.scope not in caller.scopes:
            FAILURES.labels("scope").inc()
            raise MissingScope(self.scope)
        read_body(request, limit_bytes=self.body_limit_bytes)
        return caller


def read_body(request: HttpRequest, *, limit_bytes: int) -> None:
    """Read and parse the body of a call that may have one; `StrictParser` hands it on."""
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in request.META
    if has_body and request.method in ("POST", "PUT", "PATCH"):
        request.parsed_json = bodies.read_json(request, limit_bytes=limit_bytes)  # type: ignore[attr-defined]
    else:
        request._body = b""  # noqa: SLF001 # a GET's or DELETE's body has no meaning: it is not read


def authenticate(request: HttpRequest, *, now: datetime) -> Caller:
    """The caller of a request, or Unauthenticated; the answer does not tell which of the reasons it was."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise _turned_away("missing")
    # Plain SQL: building the same two-table query with the ORM took longer than running it.
    row = _keys.get(keys.sha256_of(text.strip()), lambda sha256: statements.fetch_one(FIND_KEY, {"sha256": sha256}))
    if row is None:
        raise _turned_away("unknown")
    key_id, client_id, client_name, scopes, bound_user_id, expires_at, revoked_at = row
    if revoked_at is not None:
        raise _turned_away("revoked")
    if expires_at is not None and expires_at <= now:
        raise _turned_away("expired")
    _noted.get(key_id, lambda key: _note_use(key, now))
    actor = Actor(ActorKind.CLIENT, str(key_id), requestid.of(request))
    return Caller(key_id, client_id, client_name, frozenset(scopes), bound_user_id, actor)


def _turned_away(reason: str) -> Unauthenticated:
    FAILURES.labels(reason).inc()
    return Unauthenticated()


def _note_use(key_id: UUID, now: datetime) -> bool:
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    try:
        ApiKey.objects.filter(long_ago, pk=key_id).update(last_used_at=now)
    except DatabaseError as error:
        # A read-only or full database still answers reads: a note about the key must not stop them.
        if outages.outage_behind(error) is None:
            raise
    return True
