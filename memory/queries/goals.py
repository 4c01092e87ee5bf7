"""One user's goals."""

from uuid import UUID

from memory.models import Goal


def of_user(user_id: UUID) -> list[Goal]:
    """The user's goals, oldest first."""
    return list(Goal.objects.filter(user_id=user_id).defer("embedding").order_by("created_at", "id"))
