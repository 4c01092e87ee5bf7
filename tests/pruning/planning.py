"""Plans of people with small tiers, and what is compared."""

from datetime import timedelta

from kimberly.audit.trail import Why
from memory.models import MemoryItem, PrunePlanItem
from memory.rules.tiers import ItemState, Tier
from memory.services import plans
from memory.services.plans import Target
from tests.personas import NOON, TESTER

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOON + HOUR
SHORT, LONG, PERMANENT = Tier.SHORT_TERM, Tier.LONG_TERM, Tier.PERMANENT
WHY = Why("They asked for room before the trip.")


def plan_of(person, size_bytes=None, *, share=None, tier=None, now=NOON):
    """A plan that frees so many bytes, or half of what is active."""
    if size_bytes is None and share is None:
        share = 0.5
    return plans.make(person.id, target=Target(size_bytes, share), tier=tier, actor=TESTER, why=WHY, now=now)


def applied(plan, *, now=LATER):
    return plans.apply(plan.pk, actor=TESTER, why=WHY, now=now)


def undone(plan, *, now=LATER + HOUR):
    return plans.undo(plan.pk, actor=TESTER, why=WHY, now=now)


def listed(plan):
    """The items of a plan in order."""
    return list(PrunePlanItem.objects.filter(plan=plan).order_by("position").values_list("item_id", flat=True))


def outcomes(plan):
    """What became of each item, in order."""
    return list(PrunePlanItem.objects.filter(plan=plan).order_by("position").values_list("outcome", flat=True))


def archived(person):
    found = MemoryItem.objects.filter(user_id=person.id, state=ItemState.ARCHIVED)
    return set(found.values_list("id", flat=True))


def tells(person, number, tier=LONG, **more):
    """Memories of rising worth: each says one rare word more; the size is the same for all."""
    return [
        person.writes(" ".join(["tea", *(f"rare{n}x{m}" for m in range(n))]).ljust(98, "."), tier=tier, **more).id
        for n in range(number)
    ]
