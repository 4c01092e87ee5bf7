from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.clients import keys
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory.services import limits


class Command(BaseCommand):
    help = "End an API key: within a second no process takes it any more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("beginning", help="The key's first 12 characters, as in kmb_0a1b2c3d.")
        parser.add_argument("--reason", required=True, help="Why; it is kept in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        why = Why(options["reason"].strip())
        try:
            limits.require_reason(why)
            key = keys.beginning(options["beginning"])
            was_valid = keys.revoke(key, actor=Actor.command("revoke_api_key"), now=clock.utc_now(), why=why)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        done = "is revoked: no process takes it any more within a second" if was_valid else "was revoked before"
        self.stdout.write(f"The key {key.prefix}… of {key.client.name} {done}.")
