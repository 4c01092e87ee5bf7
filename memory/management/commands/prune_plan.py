from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kimberly.audit.trail import Why
from kimberly.lib import bytesize, clock, ids
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from memory.models import PrunePlan
from memory.queries import plans as plan_queries
from memory.rules.plans import ItemOutcome, PlanState, times_cap
from memory.rules.tiers import Tier
from memory.services import limits, plans, users
from memory.services.plans import Done, NoSuchPlan, Target
from memory.services.quotas import UserGone

ACTOR = Actor.command("prune_plan")
SHOWN = 20


class Command(BaseCommand):
    help = "Plan what is archived of a user to make room, look at it, apply it exactly as shown, or undo it."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True, metavar="{make,show,apply,undo}")
        make = acts.add_parser("make", help="Freeze a plan and show it; archives nothing without --apply.")
        make.add_argument("user", metavar="EXTERNAL_ID", help="Whose memories.")
        much = make.add_mutually_exclusive_group(required=True)
        much.add_argument("--bytes", type=int, help="Bytes to free.")
        much.add_argument("--share", type=float, help="Share of the active bytes in scope to free, as in 0.25.")
        make.add_argument("--type", choices=list(Tier), help="Only this tier; else short-term and long-term.")
        make.add_argument("--apply", action="store_true", help="Apply it at once.")
        for name, about in (("show", "What a plan holds and what became of it."), ("apply", "Archive what it shows.")):
            acts.add_parser(name, help=about).add_argument("plan", help="The plan's id, as in plan_0a1b….")
        acts.add_parser("undo", help="Bring all of it back, or nothing.").add_argument("plan", help="The plan's id.")
        for name in ("make", "apply", "undo"):
            act = acts.choices[name]
            act.add_argument("--reason", required=True, help="Why; it is kept in the audit trail.")
            act.add_argument("--ticket", default="", help="The ticket that asks for it.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for line in ACTS[options["act"]](options):
                self.stdout.write(line)
        except Refusal as refusal:
            raise CommandError(" ".join([refusal.detail, *refusal.remedies()])) from refusal


def _make(options: dict[str, Any]) -> Iterator[str]:
    user_id = users.find(options["user"])
    if user_id is None:
        raise UserGone
    tier = Tier(options["type"]) if options["type"] else None
    target, why, now = Target(options["bytes"], options["share"]), _why(options), clock.utc_now()
    plan = plans.make(user_id, target=target, tier=tier, actor=ACTOR, why=why, now=now)
    yield from _about(plan)
    if options["apply"]:
        yield from _applied(plans.apply(plan.pk, actor=ACTOR, why=why, now=clock.utc_now()))


def _show(options: dict[str, Any]) -> Iterator[str]:
    yield from _about(_plan(options))


def _apply(options: dict[str, Any]) -> Iterator[str]:
    why = _why(options)
    limits.require_reason(why)
    yield from _applied(plans.apply(_plan(options).pk, actor=ACTOR, why=why, now=clock.utc_now()))


def _undo(options: dict[str, Any]) -> Iterator[str]:
    why = _why(options)
    limits.require_reason(why)
    done = plans.undo(_plan(options).pk, actor=ACTOR, why=why, now=clock.utc_now())
    again = f"It was undone at {_at(done.plan.undone_at)} before. " if done.again else ""
    yield f"{again}Back: {_items(done.plan.restored_items)}, {bytesize.human(done.plan.restored_bytes or 0)}."


ACTS = {"make": _make, "show": _show, "apply": _apply, "undo": _undo}


def _applied(done: Done) -> Iterator[str]:
    plan = done.plan
    again = f"It was applied at {_at(plan.applied_at)} before. " if done.again else ""
    left = ", ".join(f"{number:,} {ItemOutcome(outcome).says}" for outcome, number in sorted(plan.skipped.items()))
    skipped = f" Left as they were: {left}." if left else ""
    yield f"{again}Archived: {_items(plan.archived_items)}, {bytesize.human(plan.archived_bytes or 0)}.{skipped}"


def _about(plan: PrunePlan) -> Iterator[str]:
    """The plan in lines, with the items that go first."""
    state = plan.state_at(clock.utc_now())
    until = f" until {_at(plan.stale_at)}" if state is PlanState.FROZEN else ""
    ticket = f" ({plan.ticket})" if plan.ticket else ""
    yield f"{plan.public_id}: {state}{until}, made by {plan.created_by}: {plan.reason}{ticket}"
    short = f"; {bytesize.human(plan.shortfall_bytes)} are missing" if plan.shortfall_bytes else ""
    yield f"To free {bytesize.human(plan.target_bytes)}: {_items(plan.items_total)}, {_size(plan.bytes_total)}{short}."
    times = times_cap(plan.bytes_total, plan.cap_bytes)
    yield (
        "A meditation archives nothing there."
        if times is None
        else f"That is {times:.1f} times what a meditation may archive there in a day."
    )
    for tier, of in sorted(plan.facts.items()):
        after = of["used_bytes"] - of["goes_bytes"]
        limit, kept = _size(of["limit_bytes"]), f"{of['protected_items']:,} protected stay"
        yield f"{tier}: {_size(of['used_bytes'])} of {limit} used, {_size(after)} after it; {kept}."
    for row in plan_queries.items_of(plan, size=SHOWN).rows:
        became = f", {ItemOutcome(row.outcome).says}" if row.outcome else ""
        yield f"  {ids.encode(ids.Prefix.ITEM, row.item_id)} {_size(row.size_bytes)}{became}. {row.reason}"
    if plan.items_total > SHOWN:
        yield f"  and {plan.items_total - SHOWN:,} more."


def _plan(options: dict[str, Any]) -> PrunePlan:
    plan_id: UUID | None = ids.decode(ids.Prefix.PLAN, options["plan"])
    plan = plan_queries.one(plan_id) if plan_id else None
    if plan is None:
        raise NoSuchPlan
    return plan


def _why(options: dict[str, Any]) -> Why:
    return Why(options["reason"].strip(), options["ticket"].strip())


def _items(number: int | None) -> str:
    return f"{number or 0:,} item{'' if number == 1 else 's'}"


def _size(size_bytes: int) -> str:
    return bytesize.human(size_bytes)


def _at(moment: Any) -> str:
    return clock.spelled(moment) if moment else ""
