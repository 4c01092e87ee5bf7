"""A night of people with small tiers, the undo of it, and what is compared."""

from datetime import timedelta

from django.db import connection

from kimberly.audit.trail import Why
from memory.models import MeditationDecision
from memory.rules.tiers import Tier
from memory.services import meditationundo, meditationundos
from ops.services import invariants
from tests.api.plans import make_plan
from tests.personas import NOON, TESTER, Person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = NOON + DAY
MORNING = NIGHT + 6 * HOUR
SHORT, LONG = Tier.SHORT_TERM, Tier.LONG_TERM
WHY = Why("The threshold was wrong that night.")


def small(*, soft=8_000, hard=10_000):
    return Person.register("dana", plan=make_plan(hard_bytes=hard, soft_bytes=soft))


def undo_user(run, person, *, at=MORNING):
    return meditationundo.undo_user(run, user_id=person.id, actor=TESTER, why=WHY, now=at)


def undo_items(run, person, *item_ids, at=MORNING):
    return meditationundo.undo_items(run, user_id=person.id, item_ids=item_ids, actor=TESTER, why=WHY, now=at)


def undo_run(run, *, at=MORNING):
    return meditationundos.undo_run(run, actor=TESTER, why=WHY, tell_time=lambda: at)


def those(told, *outcomes):
    """The users of whom that became."""
    return {row.user_id for row in told if row.outcome in outcomes}


def hashes(*people):
    """Of each row, but for its version, when it last took room, and the end of a short-term item's life."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, md5((to_jsonb(i) - 'version' - 'changed_at'
                - CASE WHEN tier = 'short-term' THEN 'expires_at' ELSE '' END)::text)
            FROM memory_item AS i WHERE user_id = ANY(%s) ORDER BY id
            """,
            [[person.id for person in people]],
        )
        return dict(cursor.fetchall())


def rows(*people):
    """Every column of every item, counter and decision."""
    found = []
    with connection.cursor() as cursor:
        for table in ("memory_item", "usage_counter", "meditation_decision"):
            of_these = [[person.id for person in people]]
            cursor.execute(f"SELECT t::text FROM {table} AS t WHERE user_id = ANY(%s) ORDER BY 1", of_these)
            found += cursor.fetchall()
    return found


def decided(run, act):
    found = MeditationDecision.objects.filter(run=run, act=act).order_by("item_id")
    return list(found.values_list("item_id", flat=True))


def tells(person, number, tier=SHORT):
    """Memories of rising worth: each says one rare word more."""
    return [person.writes(" ".join(["tea", *(f"rare{n}x{m}" for m in range(n))]), tier=tier).id for n in range(number)]


def unwell():
    """Every place where an invariant does not hold; the audit chain is the business of others."""
    checks = [find for name, find in invariants.CHECKS.items() if name != invariants.AUDIT_CHAIN]
    return [text for find in checks for text in find(MORNING)]
