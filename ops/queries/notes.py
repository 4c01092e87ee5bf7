"""Notes about a user, as their pages show them."""

from uuid import UUID

from ops.models import UserNote

MOST_SHOWN = 100


def of_user(user_id: UUID) -> list[UserNote]:
    """The user's notes with their authors, newest first; at most 100."""
    kept = UserNote.objects.filter(user_id=user_id, removed_at=None).select_related("author")
    return list(kept.order_by("-created_at", "-pk")[:MOST_SHOWN])


def count(user_id: UUID) -> int:
    """How many there are."""
    return UserNote.objects.filter(user_id=user_id, removed_at=None).count()


def one(note_id: UUID) -> UserNote | None:
    """One note with its author; None when there is none, or it was removed."""
    return UserNote.objects.filter(pk=note_id, removed_at=None).select_related("author").first()
