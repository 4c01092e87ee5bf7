from typing import Any

from django.core.management.base import BaseCommand

from ops.services import schedules


class Command(BaseCommand):
    help = "Make missing schedules, and update those that nobody has changed since they were made."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in schedules.sync():
            self.stdout.write(line)
