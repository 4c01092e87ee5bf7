"""What is stored for a caller, to see that a refused call changed nothing."""

from typing import Any

from kimberly.clients.models import IdempotencyRecord
from kimberly.lib import clock
from memory.models import MeditationRun, MemoryItem, MemoryUser, PrunePlan, PrunePlanItem
from memory.queries import usage
from tests.api.callers import Caller


def everything_of(caller: Caller) -> dict[str, Any]:
    """Every row that a call of or about this caller could have made or changed."""
    return {
        "items": list(MemoryItem.objects.filter(user_id=caller.person.id).order_by("pk").values()),
        "user": MemoryUser.objects.filter(pk=caller.person.id).values().get(),
        "users": MemoryUser.objects.count(),
        "kept answers": IdempotencyRecord.objects.filter(user_id=caller.person.id).count(),
        "runs": list(MeditationRun.objects.filter(user_id=caller.person.id).order_by("pk").values()),
        "plans": list(PrunePlan.objects.filter(user_id=caller.person.id).order_by("pk").values()),
        "planned": list(PrunePlanItem.objects.filter(plan__user_id=caller.person.id).order_by("pk").values()),
        "runs of all": MeditationRun.objects.filter(user_id=None).count(),
        "usage": usage.of_user(caller.person.id, now=clock.utc_now()),
    }
