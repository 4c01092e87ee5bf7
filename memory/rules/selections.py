"""What may be done to items that somebody chose some time ago, and what keeps one of them out."""

from collections.abc import Mapping
from enum import StrEnum

from memory.rules.tiers import ItemState


class Deed(StrEnum):
    """What is done to the chosen items."""

    PROTECT = "protect"
    UNPROTECT = "unprotect"
    DELETE = "delete"
    RESTORE = "restore"


class Skip(StrEnum):
    """Why one of the chosen is left as it is."""

    GONE = "gone"
    CHANGED = "changed"
    ARCHIVED = "archived"
    ACTIVE = "active"
    PROTECTED = "protected"
    UNPROTECTED = "unprotected"
    UNDONE = "undone"
    LATE = "late"
    UNDECIDED = "undecided"

    @property
    def says(self) -> str:
        """Behind a number: `2 changed since`."""
        return {
            Skip.GONE: "gone for good",
            Skip.CHANGED: "changed since",
            Skip.ARCHIVED: "in the archive",
            Skip.ACTIVE: "not in the archive",
            Skip.PROTECTED: "protected already",
            Skip.UNPROTECTED: "not protected",
            Skip.UNDONE: "undone before",
            Skip.LATE: "past their grace",
            Skip.UNDECIDED: "not decided by this run",
        }[self]


def obstacle(deed: Deed, *, state: ItemState, protected: bool) -> Skip | None:
    """What keeps an item in this state from the deed."""
    if state is ItemState.PURGED:
        return Skip.GONE
    if deed is Deed.RESTORE:
        return Skip.ACTIVE if state is ItemState.ACTIVE else None
    if state is ItemState.ARCHIVED:
        return Skip.ARCHIVED
    if deed is Deed.PROTECT and protected:
        return Skip.PROTECTED
    return Skip.UNPROTECTED if deed is Deed.UNPROTECT and not protected else None


def told(skipped: Mapping[Skip, int]) -> str:
    """`2 changed since, 1 in the archive`."""
    return ", ".join(f"{number:,} {skip.says}" for skip, number in sorted(skipped.items()))
