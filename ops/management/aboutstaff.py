"""What the commands about one person of staff share: whom, and why."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.lib.errors import Invalid
from memory.services import limits


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("username")
    parser.add_argument("--reason", required=True, help="Why; it is kept in the audit trail.")


def given(options: Mapping[str, Any]) -> tuple[Any, Why]:
    """The person and the reason, or CommandError."""
    why = Why(options["reason"].strip())
    if errors := limits.errors_of(why):
        raise CommandError(Invalid(*errors).detail)
    person = get_user_model().objects.filter(username=options["username"], is_staff=True).first()
    if person is None:
        raise CommandError(f"Nobody of the staff is called {options['username']}.")
    return person, why
