"""Ids as people and programs see them: a prefix that names the kind and the UUID's 32 hex digits."""

import re
from enum import StrEnum
from uuid import UUID

_HEX = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Prefix(StrEnum):
    ITEM = "mem"
    USER = "usr"
    OVERRIDE = "ovr"
    THROTTLE = "thr"
    RUN = "run"
    PLAN = "plan"
    COHORT = "coh"


def encode(prefix: Prefix, value: UUID) -> str:
    """`mem_` and so on, followed by 32 hex digits."""
    return f"{prefix}_{value.hex}"


def decode(prefix: Prefix, text: str) -> UUID | None:
    """The UUID behind a prefixed id or a bare UUID; None when the text is neither."""
    head, separator, digits = text.partition("_")
    if not separator:
        digits = text.replace("-", "", 4) if len(text) == 36 else text
    elif head != prefix:
        return None
    return UUID(hex=digits) if _HEX.fullmatch(digits) else None
