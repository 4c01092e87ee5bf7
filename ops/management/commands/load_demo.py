from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.demo import generator, loading


class Command(BaseCommand):
    help = "Make the demo's people and their memories. A database that has a user already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", default=generator.SEED, help="Another seed makes other people.")

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = loading.load(seed=options["seed"], actor=Actor.command("load_demo"), now=clock.utc_now())
        if loaded is None:
            self.stdout.write("There are users already, or they are being made: nothing was changed.")
        else:
            made = f"{loaded.users} users with {loaded.items:,} memories were made"
            self.stdout.write(f"{made}; {loaded.refused} calls were refused on the way.")
