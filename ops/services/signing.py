"""Signing in: a password, then a code; nobody is signed in between the two. And proving it again before what destroys.

A session says under `signed_in` when and where from its person signed in, with which factor, and when they last proved
who they are; until then it says under `halfway` who has given the right password.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model, login
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from kimberly.audit import trail
from kimberly.lib import clock
from kimberly.lib.actors import Actor, ActorKind
from kimberly.web import clientaddress, requestid
from ops.services import lockouts, secondfactors
from ops.services.lockouts import Step, subject_of
from ops.services.secondfactors import Factor
from ops.sessionstore import SIGNED_IN, TO_SIGN_IN

HALFWAY = "halfway"
BACKEND = "django.contrib.auth.backends.ModelBackend"
FRESH = timedelta(minutes=10)
"""How long what destroys may be done without proving anew who does it."""
LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody who has given the right password."""

    person: Any
    secret: str
    """Sealed: of the authenticator that is being set up; empty where there is one."""


def check_password(request: HttpRequest, *, username: str, password: str) -> Any | None:
    """The person of the staff with this name and password; anything else is one more wrong password."""
    with lockouts.one_at_a_time(Step.PASSWORD, username):
        person = authenticate(request, username=username, password=password)
        if person is not None and not person.is_staff:
            lockouts.failed(request, Step.PASSWORD, username)
            return None
    return person


def check_code(request: HttpRequest, person: Any, code: str, *, now: datetime) -> Factor | None:
    """The factor that the code proves; None when it is wrong, or too many were."""
    username = person.get_username()
    with lockouts.one_at_a_time(Step.CODE, username):
        if lockouts.tries(request, Step.CODE, username).locked_until:
            return None
        factor = secondfactors.check(person=person, code=code, actor=actor_of(request, person), now=now)
        if factor is None:
            lockouts.failed(request, Step.CODE, username)
        return factor


def go_halfway(request: HttpRequest, person: Any, *, secret: str, now: datetime) -> None:
    """Remember who gave the right password. The key changes: who knew it before learns nothing of what follows."""
    request.session.flush()
    request.session[HALFWAY] = {
        "staff": person.pk,
        "hash": person.get_session_auth_hash(),
        "at": now.isoformat(),
        "secret": secret,
    }


def halfway(request: HttpRequest, *, now: datetime) -> Halfway | None:
    """Who is between password and code in this session; None after a quarter of an hour or a new password."""
    kept = request.session.get(HALFWAY)
    if not kept or datetime.fromisoformat(kept["at"]) + TO_SIGN_IN <= now:
        return None
    person = get_user_model().objects.filter(pk=kept["staff"], is_active=True, is_staff=True).first()
    if person is None or person.get_session_auth_hash() != kept["hash"]:
        return None
    return Halfway(person, kept["secret"])


def sign_in(request: HttpRequest, person: Any, factor: Factor, *, now: datetime) -> None:
    """Open the portal to this session."""
    request.session.pop(HALFWAY, None)
    with transaction.atomic():
        login(request, person, backend=BACKEND)
        lockouts.forget(Step.CODE, person.get_username())
        mark(request, second_factor=factor is not Factor.NONE)
        facts = {"second_factor": factor, "address": clientaddress.of(request)}
        trail.record(
            "staff.signed_in", subject=subject_of(person), actor=actor_of(request, person), now=now, after=facts
        )


def is_signed_in(request: HttpRequest) -> bool:
    """Whether pages may open: a person, and a second factor where one is required."""
    signed_in = request.session.get(SIGNED_IN, {})
    return request.user.is_authenticated and (signed_in.get("second_factor", False) or not required())


def required() -> bool:
    """Whether a second factor is required; only a demo does without."""
    is_required: bool = settings.KIMBERLY.second_factor
    return is_required


def is_fresh(request: HttpRequest, *, now: datetime) -> bool:
    """Whether the person has proved lately enough who they are."""
    proved_at = request.session.get(SIGNED_IN, {}).get("proved_at")
    return bool(proved_at) and now < datetime.fromisoformat(proved_at) + FRESH


def prove(request: HttpRequest, *, password: str, code: str, now: datetime) -> bool:
    """Check who sits before an open session. Wrong answers count as they do when signing in."""
    person = request.user
    if check_password(request, username=person.get_username(), password=password) != person:
        return False
    if secondfactors.is_on(person) and check_code(request, person, code, now=now) is None:
        return False
    lockouts.forget(Step.PASSWORD, person.get_username(), ip_address=lockouts.counted_from(request))
    lockouts.forget(Step.CODE, person.get_username())
    mark(request, proved_at=now.isoformat())
    return True


def mark(request: HttpRequest, **facts: Any) -> None:
    """Note more about how this session was signed in."""
    request.session[SIGNED_IN] = {**request.session[SIGNED_IN], **facts}


def actor_of(request: HttpRequest, person: Any) -> Actor:
    """The person, through this request."""
    return Actor(ActorKind.STAFF, str(person.pk), requestid.of(request))


@receiver(user_logged_in)
def _begin(sender: object, request: HttpRequest, user: Any, **_: Any) -> None:
    now = clock.utc_now().isoformat()
    request.session[SIGNED_IN] = {
        "at": now,
        "proved_at": now,
        "address": clientaddress.of(request),
        "agent": request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT],
        "second_factor": False,
    }
