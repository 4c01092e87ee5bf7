"""The words of limits: what a throttle brakes and how, and why a call was refused."""

from enum import StrEnum


class ThrottleScope(StrEnum):
    """Which calls a throttle brakes. `query` is every reading of memories, `all` is both."""

    WRITE = "write"
    QUERY = "query"
    ALL = "all"

    @property
    def call(self) -> str:
        """What people name one such call."""
        return {ThrottleScope.WRITE: "write", ThrottleScope.QUERY: "read"}.get(self, "call")


class ThrottleMode(StrEnum):
    RATE = "rate"
    BLOCK = "block"


class RefusalKind(StrEnum):
    QUOTA = "quota"
    THROTTLE = "throttle"
    RATE = "rate"
    SUSPENDED = "suspended"


class LimitSource(StrEnum):
    """Where the limit in force comes from."""

    PLAN = "plan"
    OVERRIDE = "override"
