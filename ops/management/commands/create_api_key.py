import argparse
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.clients import keys
from kimberly.clients.models import Scope
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory.services import users

USUAL = (Scope.READ, Scope.WRITE, Scope.QUERY, Scope.METRICS)
LONGEST_DAYS = 3650


def days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"must be a number of days from 1 to {LONGEST_DAYS}")
    return int(text)


class Command(BaseCommand):
    help = "Make an API key and print it, once: only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        usual, known = " ".join(USUAL), [str(scope) for scope in Scope]
        parser.add_argument("--client", required=True, metavar="NAME", help="The program it is for; made when new.")
        parser.add_argument("--scope", nargs="+", choices=known, metavar="S", help=f"Default: {usual}.")
        parser.add_argument("--user", metavar="EXTERNAL_ID", help="Bind it to this user: it reaches nobody else.")
        parser.add_argument("--expires-days", type=days, metavar="N", help="Default: it does not expire.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.utc_now()
        try:
            key, text = keys.issue(
                client_name=options["client"],
                scopes=options["scope"] or [str(scope) for scope in USUAL],
                actor=Actor.command("create_api_key"),
                now=now,
                bound_user_id=_user(options["user"]),
                expires_at=_end(options["expires_days"], now),
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        # Only the key goes to standard output, so that a script can take it from there.
        self.stderr.write(f"A key of {options['client']} with {', '.join(key.scopes)}. It is shown only now:")
        self.stdout.write(text)


def _user(external_id: str | None) -> UUID | None:
    found = users.find(external_id) if external_id is not None else None
    if external_id is not None and found is None:
        raise CommandError(f"There is no user {external_id}.")
    return found


def _end(number: int | None, now: datetime) -> datetime | None:
    return now + timedelta(days=number) if number is not None else None
