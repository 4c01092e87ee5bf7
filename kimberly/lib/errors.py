"""What the service refuses, and how it says so.

A refusal is a class beside the function that raises it. It carries facts, not a sentence; API, pages, tasks and
commands render the same object. Anything that is not a Refusal is a bug.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of no it is; `kimberly.web.problems` maps each to one HTTP status."""

    UNREADABLE = "unreadable"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD = "method"
    CONFLICT = "conflict"
    STALE = "stale"
    TOO_LARGE = "too-large"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    PRECONDITION = "precondition"
    RATE = "rate"
    UNAVAILABLE = "unavailable"


class Refusal(Exception):
    """Something was asked that is not done, for a reason the asker can understand."""

    slug: ClassVar[str] = ""
    kind: ClassVar[Kind]
    title: ClassVar[str]
    explanation: ClassVar[str] = ""
    registry: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.slug:
            Refusal.registry[cls.slug] = cls

    @property
    def detail(self) -> str:
        """One sentence for this occurrence."""
        return self.title

    def facts(self) -> Mapping[str, Any]:
        """The figures a program needs to go on, ready for JSON."""
        return {}

    def remedies(self) -> list[str]:
        """What would help, most useful first."""
        return []

    @property
    def retry_after_seconds(self) -> int | None:
        """Seconds after which the same call may succeed, where time helps."""
        return None

    def __str__(self) -> str:
        return self.detail


class Invalid(Refusal):
    """One or more values cannot be accepted; each is named by JSON pointer."""

    slug = "invalid-request"
    kind = Kind.INVALID
    title = "The request has values that cannot be accepted."
    explanation = "Each entry of `errors` names the value by JSON pointer and says what is wrong with it."

    def __init__(self, *errors: tuple[str, str]) -> None:
        """Each error is (JSON pointer, sentence)."""
        super().__init__(*errors)
        self.errors = errors

    @property
    def detail(self) -> str:
        pointer, sentence = self.errors[0]
        more = f" And {len(self.errors) - 1} more." if len(self.errors) > 1 else ""
        end = "" if not more or sentence.endswith(".") else "."
        return f"{pointer or 'The request'}: {sentence}{end}{more}"

    def facts(self) -> Mapping[str, Any]:
        return {"errors": [{"pointer": pointer, "detail": sentence} for pointer, sentence in self.errors]}
