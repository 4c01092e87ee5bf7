"""The second factor of staff: setting it up, checking its codes, recovery codes, and taking a lost one away."""

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

import django_otp
from django.conf import settings
from django.db import IntegrityError, transaction
from django_otp.oath import TOTP

from kimberly.audit import trail
from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Kind, Refusal
from ops import sealed
from ops.models import Authenticator, RecoveryCode
from ops.services import sessions
from ops.services.lockouts import subject_of

RECOVERY_CODES = 10
FEW_RECOVERY_CODES = 3
RECOVERY_BYTES = 10
CODE = re.compile(r"[0-9]{6}", re.ASCII)
RECOVERY_CODE = re.compile(r"[a-z2-7]{16}", re.ASCII)


class AlreadySetUp(Refusal):
    """The person has an authenticator: who only knows the password must not put another one in its place."""

    slug = "second-factor-already-set-up"
    kind = Kind.CONFLICT
    title = "A second factor is set up already. Sign in with it."


class Factor(StrEnum):
    """What somebody proved their sign-in with beside the password."""

    NONE = "none"
    APP = "app"
    RECOVERY = "recovery-code"


@dataclass(frozen=True, slots=True)
class State:
    """A person's second factor."""

    since: datetime | None
    last_used_at: datetime | None
    recovery_codes: int
    """Those left."""

    @property
    def is_on(self) -> bool:
        return self.since is not None

    @property
    def is_short_of_codes(self) -> bool:
        return self.is_on and self.recovery_codes <= FEW_RECOVERY_CODES


def state_of(person: Any) -> State:
    """How it stands."""
    app = Authenticator.objects.filter(user=person).first()
    codes = RecoveryCode.objects.filter(staff=person, used_at=None).count() if app else 0
    return State(app.created_at if app else None, app.last_used_at if app else None, codes)


def is_on(person: Any) -> bool:
    """Whether a code is asked for when the person signs in."""
    there: bool = Authenticator.objects.filter(user=person).exists()
    return there


def address_for_apps(person: Any, secret: str) -> str:
    """What the QR picture says: the way in which authenticators take a secret."""
    issuer = f"Kimberly {settings.KIMBERLY.environment}"
    label = quote(f"{issuer}:{person.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"


def set_up(*, person: Any, secret: str, code: str, actor: Actor, now: datetime) -> list[str] | None:
    """Make this secret the person's; gives the recovery codes, to be shown once.

    None, and nothing is changed, unless the app proves with a code that it has the secret. Raises AlreadySetUp.
    """
    totp = _proved(secret, code, now)
    if totp is None:
        return None
    try:
        with transaction.atomic():
            return _put(person, secret, totp, actor=actor, now=now, replaced=False)
    except IntegrityError as error:
        raise AlreadySetUp from error


def replace(*, person: Any, secret: str, code: str, actor: Actor, now: datetime) -> list[str] | None:
    """The same in place of the authenticator that the person has, if any. The caller knows who is there."""
    totp = _proved(secret, code, now)
    if totp is None:
        return None
    with transaction.atomic():
        replaced = bool(Authenticator.objects.filter(user=person).delete()[0])
        return _put(person, secret, totp, actor=actor, now=now, replaced=replaced)


def _proved(secret: str, code: str, now: datetime) -> TOTP | None:
    typed = _typed(code)
    totp = TOTP(sealed.key_of(secret))
    totp.time = now.timestamp()
    return totp if CODE.fullmatch(typed) and totp.verify(int(typed), tolerance=1) else None


def _put(person: Any, secret: str, totp: TOTP, *, actor: Actor, now: datetime, replaced: bool) -> list[str]:
    """The code that proved it is spent."""
    Authenticator.objects.create(
        user=person, name="app", sealed_secret=sealed.vault().seal(secret), last_step=totp.t(), drift=totp.drift
    )
    codes = _new_codes(person, now)
    facts = {"replaced": replaced, "recovery_codes": len(codes)}
    trail.record("staff.second_factor_set", subject=subject_of(person), actor=actor, now=now, after=facts)
    return codes


def _typed(code: str) -> str:
    """People type codes in groups, as apps and papers show them."""
    return re.sub(r"[\s-]", "", code).lower()


def new_recovery_codes(*, person: Any, actor: Actor, now: datetime) -> list[str]:
    """Ten new codes in place of those that the person had; to be shown once."""
    with transaction.atomic():
        codes = _new_codes(person, now)
        trail.record(
            "staff.recovery_codes_made",
            subject=subject_of(person),
            actor=actor,
            now=now,
            after={"recovery_codes": len(codes)},
        )
    return codes


def check(*, person: Any, code: str, actor: Actor, now: datetime) -> Factor | None:
    """Which factor the code proves, if any. A right one is spent by this: it works once."""
    typed = _typed(code)
    if CODE.fullmatch(typed):
        app = Authenticator.objects.filter(user=person).first()
        verified = app and django_otp.verify_token(person, app.persistent_id, typed)
        return Factor.APP if verified else None
    if RECOVERY_CODE.fullmatch(typed) and _use(person, typed, actor=actor, now=now):
        return Factor.RECOVERY
    return None


def take_away(*, person: Any, actor: Actor, why: Why, now: datetime) -> bool:
    """Remove a lost second factor and end the person's sessions; gives whether there was one.

    Where a second factor is required, the person sets up a new one at the next sign-in.
    """
    with transaction.atomic():
        was_on = bool(Authenticator.objects.filter(user=person).delete()[0])
        RecoveryCode.objects.filter(staff=person).delete()
        ended = sessions.end_with(person, why="second-factor", now=now)
        facts = {"was_on": was_on, "sessions_ended": ended}
        trail.record(
            "staff.second_factor_removed", subject=subject_of(person), actor=actor, now=now, after=facts, why=why
        )
    return was_on


def _new_codes(person: Any, now: datetime) -> list[str]:
    RecoveryCode.objects.filter(staff=person).delete()
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    rows = [RecoveryCode(staff=person, sha256=_sha256_of(code), made_at=now) for code in codes]
    RecoveryCode.objects.bulk_create(rows)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _use(person: Any, code: str, *, actor: Actor, now: datetime) -> bool:
    """Spend the code; of two who send it at once the database lets one through."""
    with transaction.atomic():
        unused = RecoveryCode.objects.filter(staff=person, sha256=_sha256_of(code), used_at=None)
        if not unused.update(used_at=now):
            return False
        left = RecoveryCode.objects.filter(staff=person, used_at=None).count()
        trail.record("staff.recovery_code_used", subject=subject_of(person), actor=actor, now=now, after={"left": left})
    return True


def _sha256_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
