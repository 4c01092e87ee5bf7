from collections.abc import Mapping
from datetime import UTC, datetime
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
from memory.queries import cohorts, operations
from memory.queries.cohorts import Cohort
from memory.queries.operations import Operation
from memory.queries.standing import Asked, Show
from memory.rules.meditation import RunState, Trigger
from memory.rules.tiers import Tier
from memory.services import meditationbrakes, meditationruns, users

LOOK_EVERY_SECONDS = 1


class Command(BaseCommand):
    help = "Begin a meditation of all customers, of some, or of one user; print its id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="EXTERNAL_ID", help="Only this user's memories.")
        parser.add_argument("--show", choices=list(Show), help="Only the customers of this list of the portal.")
        parser.add_argument("--tier", choices=list(Tier), help="Of the list only those in this tier.")
        parser.add_argument("--beginning", default="", help="Only those whose ids or names begin so.")
        parser.add_argument(
            "--missed-since", type=_time, metavar="TIME", help="Backfill: only those not scored since, in ISO 8601."
        )
        parser.add_argument(
            "--missed-until", type=_time, metavar="TIME", help="The end of that window; now unless given."
        )
        parser.add_argument(
            "--wait", action="store_true", help="Stay until it has ended, and lend the workers a hand meanwhile."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user_id, now = _user(options["user"]), clock.utc_now()
        try:
            cohort = _cohort(options)
        except Refusal as refusal:
            raise CommandError(_said(refusal)) from refusal
        if user_id and cohort:
            raise CommandError("--user is one user: leave the other filters out.")
        trigger = Trigger.BACKFILL if cohort and cohort.missed else Trigger.MANUAL
        actor = Actor.command("meditate")
        try:
            run = meditationruns.begin(trigger, user_id=user_id, cohort=cohort, actor=actor, why=Why(), now=now)
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


def _cohort(options: Mapping[str, Any]) -> Cohort | None:
    """The customers that the options ask for; None where they ask for all."""
    since, until = options["missed_since"], options["missed_until"] or clock.utc_now()
    if options["missed_until"] and not since:
        raise CommandError("--missed-until needs --missed-since: a window has a beginning.")
    if options["tier"] and not options["show"]:
        raise CommandError("--tier narrows a list: name one with --show.")
    missed = cohorts.window(since, until, now=clock.utc_now()) if since else None
    asked = Asked(show=options["show"], tier=options["tier"], beginning=options["beginning"])
    cohort = Cohort(asked=asked, missed=missed)
    return None if cohort == cohorts.EVERYBODY else cohort


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(refusal: Refusal) -> str:
    if isinstance(refusal, meditationbrakes.AlreadyMeditating):
        return f"{refusal.detail} It is {refusal.existing.public_id}, {refusal.existing.state}."
    return refusal.detail


def _progress(now: Operation) -> str:
    done, left = now.progress, now.seconds_left
    parts = f"shards {done.shards_done + done.shards_failed} of {done.shards}, users {done.users_done:,}"
    return parts if left is None else f"{parts}, {left} s left"


def _result(ended: Operation) -> str:
    done = ended.progress
    return (
        f"{ended.state}: users done {done.users_done:,}, items scored {done.items_scored:,}, promoted "
        f"{done.promoted:,}, archived {done.archived:,}, purged {done.purged:,}, freed "
        f"{bytesize.human(done.freed_bytes)}."
    )
