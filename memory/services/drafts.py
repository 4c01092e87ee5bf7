"""What is about to be stored: checked and measured before any transaction begins."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kimberly.lib.errors import Invalid
from memory.embedding.base import Embedded
from memory.rules.tiers import Tier

MAX_CONTENT_CHARACTERS = 200_000
MAX_METADATA_BYTES = 16 * 1024
EARLIEST_YEAR = 1900
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Draft:
    """A memory that fits the rules; whether it fits the quota is decided when it is stored."""

    tier: Tier
    content: str
    metadata: dict[str, Any]
    metadata_json: str
    size_bytes: int
    created_at: datetime | None
    protected: bool
    embedded: Embedded | None = None


def prepare(
    *,
    tier: Tier,
    content: str,
    now: datetime,
    metadata: dict[str, Any] | None = None,
    created_at: datetime | None = None,
    protected: bool = False,
    pointer: str = "",
) -> Draft:
    """Check and measure; raise Invalid with JSON pointers that begin with `pointer`."""
    given = metadata or {}
    compact = compact_json(given)
    errors = [
        *content_errors(content, f"{pointer}/content"),
        *metadata_errors(compact, f"{pointer}/metadata"),
        *_time_errors(created_at, now, f"{pointer}/created_at"),
    ]
    if errors:
        raise Invalid(*errors)
    return Draft(tier, content, given, compact, size_of(content, compact), created_at, protected)


def content_errors(content: str, pointer: str) -> list[tuple[str, str]]:
    if len(content) > MAX_CONTENT_CHARACTERS:
        return [(pointer, f"has {len(content):,} characters; at most {MAX_CONTENT_CHARACTERS:,} are kept")]
    return [] if content else [(pointer, "is empty")]


def metadata_errors(compact: str, pointer: str) -> list[tuple[str, str]]:
    size = len(compact.encode("utf-8"))
    if size > MAX_METADATA_BYTES:
        return [(pointer, f"has {size:,} bytes as compact JSON; at most {MAX_METADATA_BYTES:,} are kept")]
    return []


def _time_errors(created_at: datetime | None, now: datetime, pointer: str) -> list[tuple[str, str]]:
    if created_at is None:
        return []
    if created_at.year < EARLIEST_YEAR:
        return [(pointer, f"is before {EARLIEST_YEAR}")]
    return [(pointer, "is in the future")] if created_at > now + CLOCK_SKEW else []


def compact_json(metadata: dict[str, Any]) -> str:
    """The metadata as compact JSON: what its size is counted from."""
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def size_of(content: str, metadata_json: str) -> int:
    """Bytes that count against the quota: UTF-8 of the content and of the compact JSON of the metadata."""
    return len(content.encode("utf-8")) + len(metadata_json.encode("utf-8"))
