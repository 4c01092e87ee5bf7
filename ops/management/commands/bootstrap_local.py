import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.clients import keys
from kimberly.clients.models import ApiKey, Scope
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.roles import Role
from ops.services import schedules, staff


class Command(BaseCommand):
    help = "Make the demo's sign-in (admin, every role) and its key (unbound, every scope). Repeating changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo-data", action="store_true", help="Make people too, as load_demo does.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD", "")
        api_key = os.environ.get("KIMBERLY_BOOTSTRAP_API_KEY", "")
        if not password or not api_key:
            raise CommandError("KIMBERLY_BOOTSTRAP_ADMIN_PASSWORD and KIMBERLY_BOOTSTRAP_API_KEY are needed.")
        actor, now = Actor.command("bootstrap_local"), clock.utc_now()
        staff.put(username="admin", password=password, held=list(Role), actor=actor, now=now)
        if not ApiKey.objects.filter(sha256=keys.sha256_of(api_key)).exists():
            keys.issue(client_name="demo", scopes=list(Scope), actor=actor, now=now, plaintext=api_key)
        schedules.sync()
        if options["demo_data"]:
            # In this process: a start of Django more would cost each later start of the stack a second for nothing.
            call_command("load_demo")
