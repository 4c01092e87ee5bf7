from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.management import aboutstaff
from ops.services import lockouts


class Command(BaseCommand):
    help = "End a person's lockout before its 15 minutes are over, and forget their wrong passwords and codes."

    def add_arguments(self, parser: CommandParser) -> None:
        aboutstaff.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        person, why = aboutstaff.given(options)
        was_counted = lockouts.unlock(person=person, actor=Actor.command("unlock_staff"), why=why, now=clock.utc_now())
        done = "can try again at once" if was_counted else "was not locked: nothing wrong was counted"
        self.stdout.write(f"{person.get_username()} {done}.")
