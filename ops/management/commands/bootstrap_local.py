import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kimberly.clients import keys
from kimberly.clients.models import ApiKey, Scope
from kimberly.lib import clock
from kimberly.lib.actors import Actor
from ops.roles import Role
from ops.services import schedules, staff


class Command(BaseCommand):
    help = "Make the demo's sign-in (admin, every role) and its key (unbound, every scope). Repeating changes nothing."

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
