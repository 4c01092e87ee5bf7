"""Many items of one user in one call: all or nothing, or each as far as it fits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from kimberly.db import statements
from kimberly.lib.actors import Actor
from kimberly.lib.errors import Refusal
from kimberly.lib.sql import statement
from memory import metrics
from memory.models import MemoryUser
from memory.queries import nightly
from memory.queries.usage import TierUsage
from memory.rules.tiers import Tier, UserState
from memory.services import quotas
from memory.services.drafts import Draft
from memory.services.quotas import QuotaExceeded, Room, Stored


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each draft, in the order given: stored, or refused with a reason."""

    results: list[Stored | Refusal]

    @property
    def refused(self) -> list[tuple[int, Refusal]]:
        return [(place, result) for place, result in enumerate(self.results) if isinstance(result, Refusal)]


def write_all(drafts: Sequence[Draft], *, user_id: UUID, created_by: Actor, now: datetime) -> list[Stored]:
    """Store every draft, or raise QuotaExceeded, UserSuspended or UserGone and store none."""
    with transaction.atomic():
        _require_active(user_id)
        tiers = quotas.lock(user_id, now=now)
        sizes = quotas.sizes_by_tier(drafts)
        for tier, (more_bytes, more_items) in sizes.items():
            quotas.take_room(user_id, tier, more_bytes=more_bytes, more_items=more_items, now=now)
        stored = _insert(drafts, tiers, user_id=user_id, created_by=created_by, now=now)
    transaction.on_commit(partial(metrics.count_created, sizes))
    return stored


def write_what_fits(drafts: Sequence[Draft | Refusal], *, user_id: UUID, created_by: Actor, now: datetime) -> Outcome:
    """Store what fits, in order; what does not, and what was refused before, keeps its refusal at its place."""
    results: list[Stored | Refusal | None] = [draft if isinstance(draft, Refusal) else None for draft in drafts]
    with transaction.atomic():
        _require_active(user_id)
        tiers = quotas.lock(user_id, now=now)
        fitting = _fitting(drafts, tiers, results, now=now)
        chosen = [draft for _, draft in fitting]
        sizes = quotas.sizes_by_tier(chosen)
        for tier, (more_bytes, more_items) in sizes.items():
            quotas.take_room(user_id, tier, more_bytes=more_bytes, more_items=more_items, now=now)
        stored = _insert(chosen, tiers, user_id=user_id, created_by=created_by, now=now)
    for (place, _), item in zip(fitting, stored, strict=True):
        results[place] = item
    transaction.on_commit(partial(metrics.count_created, sizes))
    return Outcome([result for result in results if result is not None])


def _require_active(user_id: UUID) -> None:
    state = MemoryUser.objects.filter(pk=user_id).values_list("state", flat=True).first()
    if state is None:
        raise quotas.UserGone
    if state != UserState.ACTIVE:
        raise quotas.UserSuspended


def _fitting(
    drafts: Sequence[Draft | Refusal],
    tiers: dict[Tier, TierUsage],
    results: list[Stored | Refusal | None],
    *,
    now: datetime,
) -> list[tuple[int, Draft]]:
    """The drafts that fit one after the other; the counters are locked, so what is read here holds."""
    filled = dict(tiers)
    fitting: list[tuple[int, Draft]] = []
    for place, draft in enumerate(drafts):
        if isinstance(draft, Refusal):
            continue
        tier = filled[draft.tier]
        if draft.size_bytes <= tier.room_bytes:
            filled[draft.tier] = replace(tier, active_bytes=tier.active_bytes + draft.size_bytes)
            fitting.append((place, draft))
        else:
            due_at = nightly.next_at(now=now)
            results[place] = QuotaExceeded(
                tier, needed_bytes=draft.size_bytes, others=dict(filled), next_meditation_at=due_at
            )
    return fitting


def _insert(
    drafts: Sequence[Draft], tiers: dict[Tier, TierUsage], *, user_id: UUID, created_by: Actor, now: datetime
) -> list[Stored]:
    if not drafts:
        return []
    parameters = {
        "tiers": [str(draft.tier) for draft in drafts],
        "contents": [draft.content for draft in drafts],
        "metadata": [draft.metadata_json for draft in drafts],
        "sizes": [draft.size_bytes for draft in drafts],
        "protected": [draft.protected for draft in drafts],
        "created_at": [draft.created_at or now for draft in drafts],
        "embeddings": [draft.embedded.vector if draft.embedded else None for draft in drafts],
        "embedding_models": [draft.embedded.model if draft.embedded else None for draft in drafts],
        "life_seconds": [tiers[draft.tier].life_seconds for draft in drafts],
        "user_id": user_id,
        "now": now,
        "created_by": str(created_by),
    }
    rows = statements.fetch_all(statement(__file__, "insert_items"), parameters)
    after = _rooms_after(drafts, tiers)
    return [
        Stored(item_id, draft, expires_at, after[draft.tier])
        for draft, (item_id, expires_at) in zip(drafts, rows, strict=True)
    ]


def _rooms_after(drafts: Sequence[Draft], tiers: dict[Tier, TierUsage]) -> dict[Tier, Room]:
    added = quotas.sizes_by_tier(drafts)
    return {
        tier: Room(
            tier,
            tiers[tier].active_bytes + more_bytes,
            tiers[tier].active_items + more_items,
            tiers[tier].soft_bytes,
            tiers[tier].limit_bytes,
        )
        for tier, (more_bytes, more_items) in added.items()
    }
