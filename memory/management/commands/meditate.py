from threading import Event
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.lib import bytesize, clock
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory import tasks
from memory.models import MeditationRun
from memory.queries import operations
from memory.queries.operations import Operation
from memory.rules.meditation import RunState, Trigger
from memory.services import meditationruns, users

LOOK_EVERY_SECONDS = 1


class Command(BaseCommand):
    help = "Begin a meditation of all customers, or of one user; print its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="EXTERNAL_ID", help="Only this user's memories.")
        parser.add_argument(
            "--wait", action="store_true", help="Stay until it has ended, and lend the workers a hand meanwhile."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user_id = _user(options["user"])
        actor = Actor.command("meditate")
        try:
            run = meditationruns.begin(Trigger.MANUAL, user_id=user_id, actor=actor, why=Why(), now=clock.utc_now())
        except Refusal as refusal:
            raise CommandError(_said(refusal)) from refusal
        tasks.send_lanes()
        self.stdout.write(run.public_id)
        if options["wait"]:
            ended = self._wait(run)
            self.stdout.write(_result(ended))
            if ended.state != RunState.SUCCEEDED:
                raise CommandError(f"It is {ended.state}. {ended.error}".strip())

    def _wait(self, run: MeditationRun) -> Operation:
        """Work on what waits, also when no worker runs here, until the run has ended or is held."""
        told, pause = "", Event()
        while True:
            has_worked = tasks.meditate_shard() is not None
            if not has_worked:
                meditationruns.watch(now=clock.utc_now())
            run.refresh_from_db()
            now = operations.of_run(run, now=clock.utc_now())
            if now.state not in (RunState.QUEUED, RunState.RUNNING):
                return now
            if _progress(now) != told:
                told = _progress(now)
                self.stderr.write(told)
            if not has_worked:
                pause.wait(LOOK_EVERY_SECONDS)


def _user(external_id: str | None) -> UUID | None:
    found = users.find(external_id) if external_id is not None else None
    if external_id is not None and found is None:
        raise CommandError(f"There is no user {external_id}.")
    return found


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, meditationruns.AlreadyMeditating):
        return f"{refusal.detail} It is {refusal.existing.public_id}, {refusal.existing.state}."
    return refusal.detail


def _progress(now: Operation) -> str:
    done, left = now.progress, now.progress.seconds_left
    parts = f"shards {done.shards_done + done.shards_failed} of {done.shards_total}, users {done.users_done:,}"
    return parts if left is None else f"{parts}, {left} s left"


def _result(ended: Operation) -> str:
    done = ended.progress
    return (
        f"{ended.state}: users done {done.users_done:,}, items scored {done.items_scored:,}, promoted "
        f"{done.promoted:,}, archived {done.archived:,}, purged {done.purged:,}, freed "
        f"{bytesize.human(done.freed_bytes)}."
    )
