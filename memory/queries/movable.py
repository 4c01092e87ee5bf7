"""What may be taken of a user's tier to make room."""

from datetime import datetime
from uuid import UUID

from kimberly.db import statements
from kimberly.lib.sql import statement
from memory.rules.remedies import Movable
from memory.rules.tiers import Tier


def of_tier(user_id: UUID, tier: Tier, *, now: datetime) -> Movable | None:
    """As it is now; None when there is no such user."""
    parameters = {"user_id": user_id, "tier": str(tier), "now": now}
    row = statements.fetch_one(statement(__file__, "movable"), parameters)
    return Movable(tier, *row) if row else None
