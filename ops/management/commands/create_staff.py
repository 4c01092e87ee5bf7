import getpass
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Invalid
from ops.roles import Role
from ops.services import staff

VARIABLE = "KIMBERLY_STAFF_PASSWORD"
NAMES = {"/username": "The user name", "/password": "The password"}


class Command(BaseCommand):
    help = (
        "Make a person who signs in to the portal, or set an existing one's password and roles. The password is asked "
        f"for, or taken from {VARIABLE}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = [str(role) for role in Role]
        parser.add_argument("username")
        parser.add_argument(
            "--role", action="append", required=True, choices=known, help="May be repeated: each is added."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        held = [Role(name) for name in dict.fromkeys(options["role"])]
        try:
            _, made = staff.put(
                username=options["username"],
                password=_password(),
                held=held,
                actor=Actor.command("create_staff"),
                now=clock.utc_now(),
            )
        except Invalid as refusal:
            raise CommandError(_said(refusal)) from refusal
        done = "was made" if made else "was there: password and roles are set"
        self.stdout.write(f"{options['username']} {done}; roles: {', '.join(held)}.")


def _said(refusal: Invalid) -> str:
    """Everything that is wrong, so that nobody has to try once for each."""
    return " ".join(f"{NAMES[pointer]} {sentence}." for pointer, sentence in refusal.errors)


def _password() -> str:
    given = os.environ.get(VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise CommandError(f"No terminal to ask for the password on: set {VARIABLE}.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password (again): "):
        raise CommandError("The two passwords differ.")
    return password
