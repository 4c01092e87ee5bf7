from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.management import aboutstaff
from ops.services import secondfactors


class Command(BaseCommand):
    help = "Remove a person's lost authenticator and recovery codes, and end their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        aboutstaff.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        person, why = aboutstaff.given(options)
        actor, now = Actor.command("reset_second_factor"), clock.utc_now()
        was_on = secondfactors.take_away(person=person, actor=actor, why=why, now=now)
        done = "has no second factor any more" if was_on else "had no second factor"
        self.stdout.write(
            f"{person.get_username()} {done}; open sessions have ended. Where one is required, it is set up anew "
            "at the next sign-in: make sure that it is they who do."
        )
