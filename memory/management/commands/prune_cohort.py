from collections.abc import Mapping
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.lib import bytesize, clock, ids
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory import tasks
from memory.models import PlanCohort
from memory.queries import plancohorts as queries
from memory.queries.cohorts import Cohort
from memory.queries.plancohorts import Totals
from memory.queries.standing import Asked, Show
from memory.rules.plancohorts import Became, CohortState
from memory.rules.tiers import Tier
from memory.services import plancohorts
from memory.services.plancohorts import NoSuchCohort
from memory.services.plans import Target

ACTOR = Actor.command("prune_cohort")
LOOK_EVERY_SECONDS = 1
DECIDE = {"apply": plancohorts.apply, "undo": plancohorts.undo, "stop": plancohorts.stop}


class Command(BaseCommand):
    help = "Make a prune plan for each user of a cohort and print its id; or apply, undo or stop them by that id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", choices=list(Show), help="The customers of this list of the portal.")
        parser.add_argument("--tier", choices=list(Tier), help="Of the list only those in this tier.")
        parser.add_argument("--beginning", default="", help="Only those whose ids or names begin so.")
        target = parser.add_mutually_exclusive_group()
        target.add_argument(
            "--share", type=float, help="What to free: this share of each user's active bytes in scope."
        )
        target.add_argument("--bytes", type=int, help="What to free: so many bytes of each user.")
        parser.add_argument("--type", choices=list(Tier), help="Plan this tier; short-term and long-term unless given.")
        parser.add_argument("--reason", required=True, help="Why; it is kept in the audit trail.")
        parser.add_argument("--ticket", default="")
        decide = parser.add_mutually_exclusive_group()
        for name, what in (("apply", "Apply"), ("undo", "Undo"), ("stop", "Stop what is done with")):
            decide.add_argument(f"--{name}", metavar="COHORT", help=f"{what} the plans with this id, as in coh_0a1b….")
        parser.add_argument("--wait", action="store_true", help="Stay until it is over, and lend the workers a hand.")

    def handle(self, *args: Any, **options: Any) -> None:
        why = Why(options["reason"].strip(), options["ticket"].strip())
        try:
            cohort = _decided(options, why) or _begun(options, why)
        except Refusal as refusal:
            raise CommandError(" ".join([refusal.detail, *refusal.remedies()])) from refusal
        tasks.send_for_cohort()
        self.stdout.write(cohort.public_id)
        if options["wait"]:
            self._wait(cohort)
            self._tell(cohort)

    def _wait(self, cohort: PlanCohort) -> None:
        """Work on what waits, also when no worker runs here, until the phase is over."""
        pause, told = Event(), ""
        while cohort.is_working:
            if tasks.go_on_with_cohort() is None:
                pause.wait(LOOK_EVERY_SECONDS)
            cohort.refresh_from_db()
            of = queries.totals(cohort)
            far = f"{cohort.phase}: {of.told:,} of {of.reaches:,} users"
            if far != told:
                told = far
                self.stderr.write(far)

    def _tell(self, cohort: PlanCohort) -> None:
        """What became of whom; it fails where somebody was refused, so that a script hears of it."""
        refused = cohort.members.filter(became__in=[Became.REFUSED, Became.PARTLY]).select_related("user")
        for member in refused.order_by("user_id"):
            self.stdout.write(f"{member.user.external_id}: {member.became}. {member.says}")
        of = queries.totals(cohort)
        self.stdout.write(f"{cohort.state}: {_sums(cohort, of)} Refused: {of.refused:,}.")
        if of.refused:
            raise CommandError("Some users were refused. What would help is told above.")


def _decided(options: Mapping[str, Any], why: Why) -> PlanCohort | None:
    """The plans of which something was decided; None where new ones are asked for."""
    name = next((name for name in DECIDE if options[name] is not None), None)
    if name is None:
        return None
    cohort_id = ids.decode(ids.Prefix.COHORT, options[name])
    if cohort_id is None:
        raise NoSuchCohort
    DECIDE[name](cohort_id, actor=ACTOR, why=why, now=clock.utc_now())
    return PlanCohort.objects.get(pk=cohort_id)


def _begun(options: Mapping[str, Any], why: Why) -> PlanCohort:
    if options["tier"] and not options["show"]:
        raise CommandError("--tier narrows a list: name one with --show.")
    if options["share"] is None and options["bytes"] is None:
        raise CommandError("How much of each user? Say --share or --bytes.")
    asked = Asked(show=options["show"], tier=options["tier"], beginning=options["beginning"])
    tier = Tier(options["type"]) if options["type"] else None
    target = Target(options["bytes"], options["share"])
    return plancohorts.begin(Cohort(asked=asked), target=target, tier=tier, actor=ACTOR, why=why, now=clock.utc_now())


def _sums(cohort: PlanCohort, of: Totals) -> str:
    if cohort.phase is CohortState.PLANNING:
        return (
            f"plans that archive something {of.with_something:,}, items {of.items:,}, "
            f"{bytesize.human(of.size_bytes)}; empty {of.nothing:,}; short of their target {of.short:,}."
        )
    if cohort.phase is CohortState.APPLYING:
        return (
            f"users {of.applied:,}, partly {of.partly:,}; items archived {of.archived_items:,}, "
            f"{bytesize.human(of.archived_bytes)}; left as they were {of.skipped_items:,}."
        )
    return f"users {of.undone:,}; items back {of.restored_items:,}, {bytesize.human(of.restored_bytes)}."
