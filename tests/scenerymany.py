"""Plans of many people at once for the pictures, made through the services."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from kimberly.audit.trail import Why
from kimberly.lib.actors import Actor, ActorKind
from memory.models import PrunePlanItem
from memory.queries.cohorts import Cohort
from memory.queries.standing import Asked, Show
from memory.services import items, plancohorts
from memory.services.items import Change
from memory.services.plans import Target


def pruned(people: dict[str, Any], now: datetime) -> dict[str, str]:
    """Plans of those over soft that wait for a lead, and of others that were applied, with an item that had changed."""
    over, named = Cohort(asked=Asked(show=Show.OVER_SOFT)), Cohort(asked=Asked(beginning="acct-553"))
    sam, lena = (Actor(ActorKind.STAFF, str(people[name].pk)) for name in ("sam", "lena"))
    why = Why("All of these grow into their limits this week", "INC-9")
    frozen, applied = (
        plancohorts.begin(cohort, target=Target(share=0.1), actor=sam, why=why, now=at)
        for cohort, at in ((over, now - timedelta(minutes=12)), (named, now - timedelta(minutes=41)))
    )
    for one, ended_at in ((frozen, now - timedelta(minutes=12)), (applied, now - timedelta(minutes=41))):
        plancohorts.go_on(one, tell_time=itertools.repeat(ended_at + timedelta(seconds=4)).__next__)
    first = PrunePlanItem.objects.filter(plan__in_cohort__cohort=applied).order_by("item_id")[0]
    at = now - timedelta(minutes=30)
    change = Change(content="Was told another one since.")
    items.change_item(first.item_id, change, user_id=first.item.user_id, expected=None, now=at)
    plancohorts.apply(applied.pk, actor=lena, why=why, now=at)
    applied.refresh_from_db()
    plancohorts.go_on(applied, tell_time=lambda: at + timedelta(seconds=3))
    return {
        name: reverse("ops:cohort", args=[one.public_id])
        for name, one in (("many_frozen", frozen), ("many_pruned", applied))
    }
