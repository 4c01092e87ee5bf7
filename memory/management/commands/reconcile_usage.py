from typing import Any

from django.core.management.base import BaseCommand

from kimberly.lib import clock
from kimberly.lib.actors import Actor
from memory.services import reconcile


class Command(BaseCommand):
    help = "Compare every usage counter with its items; print each drift and mend it."

    def handle(self, *args: Any, **options: Any) -> None:
        found = reconcile.run(actor=Actor.command("reconcile_usage"), now=clock.utc_now())
        for drift in found:
            self.stdout.write(f"mended: {drift.text}")
        self.stdout.write(f"{len(found)} counters differed from their items." if found else "Every counter is right.")
