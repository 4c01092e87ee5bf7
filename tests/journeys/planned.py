"""Prune plans in every state, for who looks at every page."""

from datetime import timedelta

from kimberly.audit.trail import Why
from memory.services import items, plans
from memory.services.items import Change
from memory.services.plans import Target
from tests.ops.portal import plan_page
from tests.personas import TESTER, Person


def planned(now):
    """The addresses of plans as they can stand, of a user with long names; one finds nothing."""
    long = Person.register("z" * 110, display_name="Z" * 120)
    why = Why("W" * 300 + " looped", "T" * 64)
    for number in range(30):
        long.writes(f"rare{number} {'W' * 60 * number}", at=now)

    def plan(whom=long, at=now, **target):
        return plans.make(whom.id, target=Target(**target), actor=TESTER, why=why, now=at)

    stale, back, skipped = plan(at=now - timedelta(hours=25), share=0.1), plan(share=0.1), plan(share=0.2)
    for one, deed in ((back, plans.apply), (back, plans.undo)):
        deed(one.pk, actor=TESTER, why=why, now=now)
    changed = [row.item_id for row in skipped.items.order_by("position")[:2]]
    items.change_item(changed[0], Change(protected=True), user_id=long.id, expected=None, now=now)
    items.delete_item(changed[1], user_id=long.id, actor=TESTER, now=now)
    plans.apply(skipped.pk, actor=TESTER, why=why, now=now)
    nothing = plan(whom=Person.register("nobody"), size_bytes=1 << 40)
    found = {"stale": stale, "back": back, "skipped": skipped, "frozen": plan(share=0.9), "nothing": nothing}
    return {name: plan_page(one) for name, one in found.items()}
