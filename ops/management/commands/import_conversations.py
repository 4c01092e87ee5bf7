import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.local import portal
from memory.rules.tiers import Tier
from ops import conversations, importing
from ops.apiclient import CallFailed, Client
from ops.conversations import UnreadableFile
from ops.importing import Outcome


def count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


class Command(BaseCommand):
    help = "Load a file of conversations (JSON lines, gzip or not) through the HTTP API: one user each. Repeatable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--base-url", default="", help="Where the API is; default: the stack that runs here.")
        parser.add_argument("--api-key", default="", help="A key that reads and writes; default: the stack's own.")
        parser.add_argument("--type", default=str(Tier.LONG_TERM), choices=[str(tier) for tier in Tier])
        parser.add_argument("--limit-per-user", type=count, metavar="N", help="Only the first N memories of each.")

    def handle(self, *args: Any, **options: Any) -> None:
        refused = loaded = 0
        try:
            found = conversations.read(options["file"], most_memories=options["limit_per_user"])
            with closing(Client(*_where(options["base_url"], options["api_key"]))) as api:
                for conversation in found:
                    outcome = importing.import_conversation(conversation, api=api, tier=options["type"])
                    loaded += 1
                    refused += outcome.refusal is not None
                    self.stdout.write(_line(outcome))
        except (CallFailed, UnreadableFile) as error:
            raise CommandError(str(error)) from error
        if not loaded:
            raise CommandError(f"{options['file']}: there is no conversation in it.")
        if refused:
            raise CommandError(f"{refused} of the users could not be loaded completely.")


def _where(base_url: str, api_key: str) -> tuple[str, str]:
    """The API's address and a key: as given, else those of the stack that runs on this data folder."""
    if base_url and api_key:
        return base_url, api_key
    running = portal.read(settings.KIMBERLY.data_dir)
    # The stack's own key is for the stack alone: it is not sent to any other address.
    own = running is not None and base_url.rstrip("/") in ("", running.url.rstrip("/"))
    if running is None or not own or not (api_key or running.api_key):
        raise CommandError("No stack with a key of its own runs here: give --base-url and --api-key.")
    return running.url, api_key or running.api_key or ""


def _line(outcome: Outcome) -> str:
    said = f"{outcome.user_id}: {outcome.stored:,} stored, {outcome.known:,} there before"
    return said if outcome.refusal is None else f"{said}; then {outcome.refusal}"
