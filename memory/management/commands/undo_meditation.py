from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.lib import bytesize, clock, ids
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory.models import MemoryUser
from memory.rules import selections
from memory.rules.meditation import UndoOutcome
from memory.services import limits, meditationundo, meditationundos, users
from memory.services.meditationbrakes import NoSuchRun
from memory.services.meditationundo import Undone
from memory.services.quotas import UserGone

ACTOR = Actor.command("undo_meditation")


class Command(BaseCommand):
    help = "Take back what a meditation archived and promoted, of one user or of all; begun again it goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", help="The meditation's id, as in run_0a1b….")
        parser.add_argument("--user", help="The external id of the only user of whom it is undone.")
        parser.add_argument("--reason", required=True, help="Why; it is kept in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        why = Why(options["reason"].strip())
        try:
            limits.require_reason(why)
            run_id = ids.decode(ids.Prefix.RUN, options["run"])
            if run_id is None:
                raise NoSuchRun
            if options["user"] is None:
                self._undo_run(run_id, why)
            else:
                self._undo_user(run_id, options["user"], why)
        except Refusal as refusal:
            raise CommandError(" ".join([refusal.detail, *refusal.remedies()])) from refusal

    def _undo_user(self, run_id: UUID, external_id: str, why: Why) -> None:
        user_id = users.find(external_id)
        if user_id is None:
            raise UserGone
        undone = meditationundo.undo_user(run_id, user_id=user_id, actor=ACTOR, why=why, now=clock.utc_now())
        self.stdout.write(f"{external_id}: {_told(undone)}")

    def _undo_run(self, run_id: UUID, why: Why) -> None:
        told = meditationundos.undo_run(run_id, actor=ACTOR, why=why, tell_time=clock.utc_now)
        names = dict(MemoryUser.objects.filter(pk__in=[row.user_id for row in told]).values_list("pk", "external_id"))
        for row in told:
            if row.outcome != UndoOutcome.UNDONE:
                self.stdout.write(f"{names[row.user_id]}: {row.outcome}. {row.says}")
        of = Counter(row.outcome for row in told)
        self.stdout.write(
            f"Users undone: {of[UndoOutcome.UNDONE]:,}, partly {of[UndoOutcome.PARTLY]:,}; "
            f"items: {sum(row.items for row in told):,}. "
            f"Users left as they are: {of[UndoOutcome.LEFT]:,}; refused: {of[UndoOutcome.REFUSED]:,}."
        )
        if of[UndoOutcome.REFUSED]:
            raise CommandError("Not all users are undone. What refuses them is told above; then begin again.")


def _told(undone: Undone) -> str:
    left = f"; left as they are: {selections.told(undone.skipped)}" if undone.skipped else ""
    return f"items that are back: {undone.items:,}, {bytesize.human(undone.size_bytes)}{left}"
