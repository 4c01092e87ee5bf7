"""Make the people who sign in to the portal."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from kimberly.audit import trail
from kimberly.audit.trail import Subject
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid
from ops import roles
from ops.roles import Role
from ops.services import sessions

LONGEST_NAME = 150  # the column's
# By the codes of Django's validators (AUTH_PASSWORD_VALIDATORS).
WEAK_PASSWORDS = {
    "password_too_short": "has fewer than {min_length} characters",
    "password_too_common": "is too common: it is on lists that attackers try first",
    "password_too_similar": "is too like the {verbose_name}",
}


def put(*, username: str, password: str, held: Collection[Role], actor: Actor, now: datetime) -> tuple[Any, bool]:
    """Make the account or set its password and roles; gives it and whether it was made. Raises Invalid."""
    people = get_user_model().objects
    _refuse([*_errors_of_name(username), *_errors_of_password(password, username)])
    with transaction.atomic():
        person, made = people.get_or_create(username=username, defaults={"is_staff": True})
        before = _roles_of(person)
        sets_password = made or not person.check_password(password)
        if sets_password or before != sorted(held) or not person.is_staff:
            person.is_staff = True
            if sets_password:
                person.set_password(password)
                sessions.end_with(person, why="password", now=now)
            person.save()
            facts = {"password_set": sets_password}
            action = "staff.made" if made else "staff.changed"
            _give_roles(person, held, action=action, facts=facts, actor=actor, now=now)
    return person, made


def put_without_password(
    *, username: str, name: tuple[str, str], held: Collection[Role], actor: Actor, now: datetime
) -> Any:
    """Make the account (`name`: first and last) with these roles. Nobody signs in with it until it gets a password.

    Of an account that is there the roles alone are set.
    """
    _refuse(_errors_of_name(username))
    defaults = {"is_staff": True, "first_name": name[0], "last_name": name[1], "password": make_password(None)}
    with transaction.atomic():
        person, made = get_user_model().objects.get_or_create(username=username, defaults=defaults)
        if made or _roles_of(person) != sorted(held):
            action = "staff.made" if made else "staff.changed"
            _give_roles(person, held, action=action, facts={"password_set": False}, actor=actor, now=now)
    return person


def change_password(*, person: Any, password: str, session: UUID, actor: Actor, now: datetime) -> None:
    """Set the person's own new password, which a form has looked at, and end their sessions but this one."""
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        ended = sessions.end_with(person, why="password", keep=[session], now=now)
        facts = {"sessions_ended": ended}
        trail.record(
            "staff.password_changed", subject=Subject("staff", str(person.pk)), actor=actor, now=now, after=facts
        )


def _refuse(errors: list[tuple[str, str]]) -> None:
    if errors:
        raise Invalid(*errors)


def _errors_of_name(username: str) -> list[tuple[str, str]]:
    """By Django's own rule; in the words of this service."""
    try:
        get_user_model().username_validator(username)
        is_name = len(username) <= LONGEST_NAME
    except ValidationError:
        is_name = False
    return [] if is_name else [("/username", f"must be 1 to {LONGEST_NAME} letters, digits and @ . + - _, no blanks")]


def _errors_of_password(password: str, username: str) -> list[tuple[str, str]]:
    try:
        validate_password(password, get_user_model()(username=username))
    except ValidationError as error:
        return [("/password", _sentence(one)) for one in error.error_list]
    return []


def _sentence(error: ValidationError) -> str:
    known = WEAK_PASSWORDS.get(error.code or "")
    return known.format(**(error.params or {})) if known else " ".join(error.messages)


def _roles_of(person: Any) -> list[str]:
    return sorted(person.groups.order_by("name").values_list("name", flat=True))


def _give_roles(
    person: Any, held: Collection[Role], *, action: str, facts: dict[str, Any], actor: Actor, now: datetime
) -> None:
    before = _roles_of(person)
    person.groups.set(roles.groups_of(held))
    whom, after = Subject("staff", str(person.pk)), {"roles": sorted(held), **facts}
    trail.record(action, subject=whom, actor=actor, now=now, before={"roles": before}, after=after)
