"""Five wrong passwords or five wrong codes lock for a quarter of an hour. django-axes counts, in PostgreSQL.

What it counts by (ADR 0012): wrong passwords by name and address, so that a stranger locks nobody out but themselves;
wrong codes by name alone, since who sends one knows the password. Names are kept as keyed hashes: people type
passwords into the wrong field.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed
from django.db import connection, transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from kimberly.audit import trail
from kimberly.audit.trail import Subject, Why
from kimberly.lib import clock, metrics
from kimberly.lib.actors import Actor, ActorKind
from kimberly.web import clientaddress, requestid


class Step(StrEnum):
    """What was wrong."""

    PASSWORD = "password"  # noqa: S105 # the name of a step
    CODE = "code"


FAILURES = metrics.shared_counter(
    "kimberly_staff_sign_in_failures_total", "Wrong passwords and codes of staff.", {"step": tuple(Step)}
)
LOCKOUTS = metrics.shared_counter(
    "kimberly_staff_lockouts_total", "Sign-ins locked after too many wrong passwords or codes.", {"step": tuple(Step)}
)
BY_NAME: list[str | list[str]] = ["username"]
BY_NAME_AND_ADDRESS: list[str | list[str]] = [["username", "ip_address"]]


@dataclass(frozen=True, slots=True)
class Tries:
    """How often somebody may still try; `locked_until` is set when no more."""

    left: int
    locked_until: datetime | None = None


def counted_as(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """The name that django-axes keeps (AXES_USERNAME_CALLABLE)."""
    given = credentials or {}
    return _key(Step(given.get("step", Step.PASSWORD)), given.get("username") or "")


def counted_by(request: HttpRequest, credentials: Mapping[str, Any] | None) -> list[str | list[str]]:
    """What django-axes adds up (AXES_LOCKOUT_PARAMETERS)."""
    return BY_NAME if (credentials or {}).get("step") == Step.CODE else BY_NAME_AND_ADDRESS


def counted_from(request: HttpRequest) -> str | None:
    """The address that django-axes keeps (AXES_CLIENT_IP_CALLABLE). Of IPv6 everybody has a network full of them."""
    address = clientaddress.of(request)
    if address is None or ":" not in address:
        return address
    return str(ip_network((address, 64), strict=False).network_address)


def unnamed(*_: Any) -> str:
    """What django-axes logs of a client (AXES_CLIENT_STR_CALLABLE): no names, no addresses."""
    return "somebody"


def tries(request: HttpRequest, step: Step, username: str) -> Tries:
    """How often this name may be tried from here. Names that nobody has are counted like others."""
    credentials = _credentials(step, username)
    AxesProxyHandler.update_request(request)
    limit: int = settings.AXES_FAILURE_LIMIT
    handler = AxesProxyHandler.get_implementation()
    failures = handler.get_user_attempts(request, credentials)[0].order_by("-attempt_time", "-pk")
    counted, when = 0, None
    for failed_at, number in failures.values_list("attempt_time", "failures_since_start"):
        counted += number
        if counted >= limit and when is None:
            # Once this row is too old to count, fewer than the limit are left.
            when = failed_at + settings.AXES_COOLOFF_TIME
    return Tries(max(0, limit - counted), when)


def failed(request: HttpRequest, step: Step, username: str) -> None:
    """Count something wrong that Django's own sign-in does not see."""
    user_login_failed.send(__name__, credentials=_credentials(step, username), request=request)


def forget(step: Step, username: str, **narrowed: Any) -> int:
    """Start to count anew."""
    forgotten: int = AccessAttempt.objects.filter(username=_key(step, username), **narrowed).delete()[0]
    return forgotten


def unlock(*, person: Any, actor: Actor, why: Why, now: datetime) -> bool:
    """End the person's lockouts, from wherever; gives whether anything was counted. The reason is kept."""
    with transaction.atomic():
        counted = sum(forget(step, person.get_username()) for step in Step)
        trail.record("staff.unlocked", subject=subject_of(person), actor=actor, now=now, why=why)
    return counted > 0


@contextmanager
def one_at_a_time(step: Step, username: str) -> Iterator[None]:
    """A transaction in which no other one looks at the same name: tries that come at once are counted one by one.

    Hashing a password takes half a second inside. Beside it eight threads could try eight times before one is counted.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_key(step, username)])
        yield


def subject_of(person: Any) -> Subject:
    """The person, as the audit trail names staff."""
    return Subject("staff", str(person.pk))


@receiver(user_login_failed)
def _count(sender: object, credentials: Mapping[str, Any], **_: Any) -> None:
    step = Step(credentials.get("step", Step.PASSWORD))
    transaction.on_commit(lambda: FAILURES.add(1, step))


@receiver(user_locked_out)
def _record(sender: object, request: HttpRequest, **_: Any) -> None:
    """The failure that locks is recorded; those that come while it is locked are not."""
    if request.axes_failures_since_start is None:  # type: ignore[attr-defined] # set by django-axes when it counts
        return
    credentials: Mapping[str, Any] = request.axes_credentials  # type: ignore[attr-defined]
    step, username = Step(credentials.get("step", Step.PASSWORD)), credentials.get("username") or ""
    now = clock.utc_now()
    transaction.on_commit(lambda: LOCKOUTS.add(1, step))
    person = get_user_model().objects.filter(username=username).first()
    if person is None:
        return  # names that nobody has are counted and not recorded: anybody could fill the trail
    facts = {
        "step": step,
        "address": request.axes_ip_address,  # type: ignore[attr-defined]
        "until": (now + settings.AXES_COOLOFF_TIME).isoformat(),
    }
    actor = Actor(ActorKind.JOB, "sign-in", requestid.of(request))
    with transaction.atomic():
        trail.record("staff.locked", subject=subject_of(person), actor=actor, now=now, after=facts)


def _credentials(step: Step, username: str) -> dict[str, str]:
    return {"username": username, "step": step}


def _key(step: Step, username: str) -> str:
    return salted_hmac("kimberly.sign-in", f"{step}:{username}", algorithm="sha256").hexdigest()
