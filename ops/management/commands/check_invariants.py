from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kimberly.lib import clock
from ops.services import invariants


class Command(BaseCommand):
    help = "Check what must hold at all times; print every violation and exit 1 when there is one."

    def handle(self, *args: Any, **options: Any) -> None:
        found = invariants.check_and_remember(now=clock.utc_now())
        for violation in found:
            self.stdout.write(f"{violation.invariant}: {violation.text}")
        if found:
            raise CommandError(f"{len(found)} violations.")
        self.stdout.write(f"No violation of {', '.join(invariants.CHECKS)}.")
