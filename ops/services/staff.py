"""Make the people who sign in to the portal."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

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


def put(*, username: str, password: str, held: Collection[Role], actor: Actor, now: datetime) -> tuple[Any, bool]:
    """Make the account or set its password and roles; gives it and whether it was made. Raises Invalid."""
    people = get_user_model().objects
    try:
        validate_password(password)
    except ValidationError as error:
        raise Invalid(*(("/password", message) for message in error.messages)) from error
    with transaction.atomic():
        person, made = people.get_or_create(username=username, defaults={"is_staff": True})
        before = _roles_of(person)
        unchanged = not made and person.check_password(password) and before == sorted(held) and person.is_staff
        if not unchanged:
            person.is_staff = True
            person.set_password(password)
            person.save()
            _give_roles(person, held, action="staff.made" if made else "staff.changed", actor=actor, now=now)
    return person, made


def put_without_password(
    *, username: str, name: tuple[str, str], held: Collection[Role], actor: Actor, now: datetime
) -> Any:
    """Make the account (`name`: first and last) with these roles. Nobody signs in with it until it gets a password.

    Of an account that is there the roles alone are set.
    """
    defaults = {"is_staff": True, "first_name": name[0], "last_name": name[1], "password": make_password(None)}
    with transaction.atomic():
        person, made = get_user_model().objects.get_or_create(username=username, defaults=defaults)
        if made or _roles_of(person) != sorted(held):
            _give_roles(person, held, action="staff.made" if made else "staff.changed", actor=actor, now=now)
    return person


def _roles_of(person: Any) -> list[str]:
    return sorted(person.groups.order_by("name").values_list("name", flat=True))


def _give_roles(person: Any, held: Collection[Role], *, action: str, actor: Actor, now: datetime) -> None:
    before, groups = _roles_of(person), roles.ensure_groups()
    person.groups.set([groups[role] for role in held])
    whom, after = Subject("staff", str(person.pk)), {"roles": sorted(held)}
    trail.record(action, subject=whom, actor=actor, now=now, before={"roles": before}, after=after)
