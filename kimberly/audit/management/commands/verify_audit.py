from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit import sealing
from kimberly.lib import clock


class Command(BaseCommand):
    help = "Check the audit chain; names every edit, deletion, swap, insertion or cut by the number of its seal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", default="", help="NUMBER:HASH of a seal, from a log or a backup")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            given = options["anchor"]
            anchor = sealing.Anchor.parse(given) if given else sealing.remembered(folder=settings.KIMBERLY.data_dir)
        except ValueError as error:
            raise CommandError(str(error)) from error
        findings = sealing.verify(now=clock.utc_now(), anchor=anchor)
        for finding in findings:
            self.stdout.write(finding.text)
        if findings:
            raise CommandError(f"{len(findings)} findings: the audit trail is not as it was sealed.")
        self.stdout.write(f"The audit chain is whole (anchor: {anchor or 'none'}).")
