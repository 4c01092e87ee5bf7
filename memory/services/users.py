"""The users whose memories are kept: making and changing them."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.models import AuditEntry
from kimberly.audit.trail import Subject, Why
from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid, Kind, Refusal
from kimberly.lib.sql import statement
from kimberly.web import etags
from memory.models import MemoryUser, Plan
from memory.rules.tiers import Purpose, UserState
from memory.services import quotas

DEFAULT_PLAN = "free"


class UserNotActive(Refusal):
    """Only an active user can be suspended."""

    slug = "user-not-active"
    kind = Kind.CONFLICT
    title = "This user is not active: there is nothing to suspend."


class UserNotSuspended(Refusal):
    """Only a suspended user can be resumed."""

    slug = "user-not-suspended"
    kind = Kind.CONFLICT
    title = "This user is not suspended: there is nothing to resume."


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a user; None leaves a part as it is."""

    display_name: str | None = None
    email: str | None = None
    plan: str | None = None
    time_zone: str | None = None


def find(external_id: str) -> UUID | None:
    """The internal id behind the client's own id."""
    return MemoryUser.objects.filter(external_id=external_id).values_list("pk", flat=True).first()


def find_or_register(external_id: str, *, actor: Actor, now: datetime) -> UUID:
    """The internal id of the user; makes one of the default plan when there is none."""
    found = find(external_id)
    if found is None:
        found = put(external_id, Profile(), actor=actor, now=now)[0].pk
    return found


def put(
    external_id: str,
    profile: Profile,
    *,
    actor: Actor,
    now: datetime,
    expected: frozenset[str] | None = None,
    purpose: Purpose = Purpose.CUSTOMER,
) -> tuple[MemoryUser, bool]:
    """Make the user, or change the one that is there; gives it and whether it was made. Raises Invalid or Stale."""
    _check(profile)
    with transaction.atomic():
        if expected is not None and find(external_id) is None:
            raise etags.Stale(None)
        made = _insert(external_id, profile, purpose=purpose, now=now)
        user = MemoryUser.objects.select_for_update(no_key=True).get(external_id=external_id)
        if made:
            quotas.open_counters(user.pk)
            _record("user.registered", user, actor=actor, now=now, after={"plan": user.plan_id})
        else:
            etags.check(expected, current_version=user.version)
            _change(user, profile, actor=actor, now=now)
    return user, made


def suspend(user_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Stop the user's writes and queries until further notice; gives the act.

    Raises UserGone or UserNotActive.
    """
    with transaction.atomic():
        user = _locked(user_id, UserState.ACTIVE, otherwise=UserNotActive)
        return _turn(user, UserState.SUSPENDED, "user.suspended", actor=actor, why=why, now=now)


def resume(user_id: UUID, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    """Let a suspended user's writes and queries go on; gives the act. Raises UserGone or UserNotSuspended."""
    with transaction.atomic():
        user = _locked(user_id, UserState.SUSPENDED, otherwise=UserNotSuspended)
        return _turn(user, UserState.ACTIVE, "user.resumed", actor=actor, why=why, now=now)


def _locked(user_id: UUID, state: UserState, *, otherwise: type[Refusal]) -> MemoryUser:
    """The user, whom nobody else changes until the transaction ends; the refusal when the state is another one."""
    user = MemoryUser.objects.select_for_update(no_key=True).filter(pk=user_id).exclude(state=UserState.ERASED).first()
    if user is None:
        raise quotas.UserGone
    if user.state != state:
        raise otherwise
    return user


def _turn(user: MemoryUser, state: UserState, action: str, *, actor: Actor, why: Why, now: datetime) -> AuditEntry:
    before = {"state": user.state}
    user.state, user.version, user.changed_at = state, user.version + 1, now
    user.save(update_fields=["state", "version", "changed_at"])
    subject, after = Subject("user", str(user.pk)), {"state": str(state)}
    return trail.record(action, subject=subject, actor=actor, now=now, before=before, after=after, why=why)


def _check(profile: Profile) -> None:
    errors: list[tuple[str, str]] = []
    if profile.plan is not None and not Plan.objects.filter(pk=profile.plan).exists():
        known = ", ".join(Plan.objects.order_by("pk").values_list("pk", flat=True))
        errors.append(("/plan", f"is not a plan; there are {known}"))
    if profile.time_zone is not None and profile.time_zone not in _time_zones():
        errors.append(("/time_zone", "is not an IANA time zone such as Europe/Lisbon"))
    if errors:
        raise Invalid(*errors)


@cache
def _time_zones() -> frozenset[str]:
    """IANA's names; finding them reads a folder of files."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}  # what this machine has, and none


def _insert(external_id: str, profile: Profile, *, purpose: Purpose, now: datetime) -> bool:
    """True when the row is ours: two callers that make the same user at once both go on, one of them made it."""
    parameters = {
        "external_id": external_id,
        "display_name": profile.display_name or "",
        "email": profile.email or "",
        "plan": profile.plan or DEFAULT_PLAN,
        "time_zone": profile.time_zone or "UTC",
        "purpose": str(purpose),
        "now": now,
    }
    return statements.fetch_one(statement(__file__, "register_user"), parameters) is not None


def _change(user: MemoryUser, profile: Profile, *, actor: Actor, now: datetime) -> None:
    wanted = {
        "display_name": profile.display_name,
        "email": profile.email,
        "plan_id": profile.plan,
        "time_zone": profile.time_zone,
    }
    changed = {name: value for name, value in wanted.items() if value is not None and value != getattr(user, name)}
    if not changed:
        return
    before_plan = user.plan_id
    for name, value in changed.items():
        setattr(user, name, value)
    user.version += 1
    user.changed_at = now
    user.save(update_fields=[*changed, "version", "changed_at"])
    # Names and addresses are a person's: the entry says that they changed, not what they are.
    _record(
        "user.changed",
        user,
        actor=actor,
        now=now,
        before={"plan": before_plan},
        after={"plan": user.plan_id, "fields": sorted(changed)},
    )


def _record(
    action: str,
    user: MemoryUser,
    *,
    actor: Actor,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    trail.record(action, subject=Subject("user", str(user.pk)), actor=actor, now=now, before=before, after=after)
