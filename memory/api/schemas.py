"""The API's bodies and answers. Each field says what it is, in which unit, with an example."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    StrictBool,
)

from kimberly.lib import texts
from memory.rules.tiers import ItemState, Tier

EXAMPLE_ID = "mem_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"
EXAMPLE_TIME = "2026-11-17T03:12:04Z"
MOST_BULK_ITEMS = 1_000
BEGINS_WITH_A_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]", re.ASCII)
E_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
USER_ID_PATTERN = r"^[^\x00-\x20\x7f-\x9f/\\]([^\x00-\x1f\x7f-\x9f/\\]*[^\x00-\x20\x7f-\x9f/\\])?$"


def _text_only(value: Any) -> Any:
    """pydantic would take a number, even in text, as a time since 1970: only ISO 8601 is meant."""
    if not isinstance(value, str) or not BEGINS_WITH_A_DATE.match(value):
        raise ValueError("must be ISO 8601 text with an offset")
    return value


def _in_utc(value: datetime) -> datetime:
    """One instant, one way to write it. PostgreSQL knows fewer offsets than ISO 8601 does."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is past the range of times") from error


def _addressable(value: str) -> str:
    if value in (".", "..") or "/" in value or "\\" in value:
        raise ValueError("cannot stand in an address: it may not be . or .. nor have a slash")
    if value != value.strip():
        raise ValueError("begins or ends with a space")
    return _seen(value)


def _seen(value: str) -> str:
    if why := texts.unseen_error(value):
        raise ValueError(why)
    return value


def name(value: str) -> str:
    return _seen(value.strip())


def words(value: str) -> str:
    """A text that says something: blanks alone do not."""
    if not value.strip():
        raise ValueError("must not be blank")
    return name(value)


def _address(value: str) -> str:
    if value and not E_MAIL.fullmatch(value):
        raise ValueError("must be an e-mail address, as in dana@example.org")
    return _seen(value)


Instant = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
UserId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        description="Your own id for the user: 1 to 128 characters, no slash, no control character.",
        examples=["acct-55102"],
        # For the description alone: the check below says in words what is wrong, where a pattern would say itself.
        json_schema_extra={"pattern": USER_ID_PATTERN},
    ),
    AfterValidator(_addressable),
]


class Strict(BaseModel):
    """A body in which an unknown field is an error, not a typo that goes unseen."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Usage(Schema):
    """What the item's tier holds after the write."""

    tier: Tier = Field(description="The tier.", examples=["long-term"])
    used_bytes: int = Field(description="Bytes of active items.", examples=[41_250])
    items: int = Field(description="Number of active items.", examples=[131])
    soft_bytes: int = Field(
        description="Above so many bytes the next meditation archives the least useful.", examples=[1_677_721]
    )
    limit_bytes: int = Field(
        description="Effective hard limit in bytes; a write beyond it is refused.", examples=[2_097_152]
    )
    over_soft: bool = Field(description="Whether the tier is above its soft limit now.", examples=[False])


EXAMPLE_USAGE = {
    "tier": "long-term",
    "used_bytes": 41_250,
    "items": 131,
    "soft_bytes": 1_677_721,
    "limit_bytes": 2_097_152,
    "over_soft": False,
}


class NewItem(Strict):
    """A memory to keep."""

    type: Tier = Field(description="The tier; short-term lives 24 h.", examples=["long-term"])
    content: str = Field(
        min_length=1,
        description="The text, at most 200,000 characters.",
        examples=["Prefers the window seat on long flights."],
    )
    metadata: dict[str, Any] = Field(
        default_factory=dict,
        description="Any JSON object within 16 KiB (16,384 bytes as compact JSON). Recognised keys: tags, source, "
        "channels, sensitive, scope, speaker, session, title.",
        examples=[{"tags": ["travel"], "source": "chat"}],
    )
    created_at: Instant | None = Field(
        default=None, description="When it was said (UTC or with an offset); default now.", examples=[EXAMPLE_TIME]
    )
    protected: StrictBool = Field(
        default=False, description="Never archived or purged by an automatic process.", examples=[False]
    )


class CreateItem(NewItem):
    """A memory to keep, and whose it is."""

    user_id: UserId | None = Field(
        default=None, description="Whose memory it is; may be left out with a bound key.", examples=["acct-55102"]
    )
    create_user: StrictBool = Field(
        default=True, description="Make the user, on the free plan, when there is none.", examples=[True]
    )


class BulkItem(NewItem):
    """One of many memories."""

    user_id: UserId | None = Field(
        default=None, description="May be repeated here; must be the same user.", examples=["acct-55102"]
    )


class BulkCreate(Strict):
    """Up to 1,000 memories of one user. Each item is checked by itself, so that its errors can be told by index."""

    user_id: UserId | None = Field(
        default=None, description="Whose memories; may be left out with a bound key.", examples=["acct-55102"]
    )
    items: list[SkipValidation[BulkItem]] = Field(
        min_length=1,
        max_length=MOST_BULK_ITEMS,
        description="1 to 1,000 items, each as in `POST /memory` without create_user.",
        examples=[[{"type": "long-term", "content": "Allergic to hazelnuts."}]],
    )
    atomic: StrictBool = Field(
        default=True,
        description="true: all or nothing. false: what fits is stored, the rest refused by index.",
        examples=[True],
    )
    create_user: StrictBool = Field(
        default=True, description="Make the user, on the free plan, when there is none.", examples=[True]
    )


class PatchItem(Strict):
    """What to change; what is left out stays. At least one field."""

    content: str | None = Field(
        default=None,
        min_length=1,
        description="The new text, at most 200,000 characters.",
        examples=["Prefers the aisle."],
    )
    metadata: dict[str, Any] | None = Field(
        default=None,
        description="The new metadata as a whole, within 16 KiB as compact JSON.",
        examples=[{"tags": ["travel"]}],
    )
    protected: StrictBool | None = Field(default=None, description="Protect or release.", examples=[True])


class NoFields(Strict):
    """Nothing: this call takes no fields."""


class PutUser(Strict):
    """What is known of a user; what is left out stays as it is."""

    display_name: Annotated[str, Field(max_length=120), AfterValidator(name)] | None = Field(
        default=None, description="Name for the operators; empty removes it.", examples=["Dana Whitfield"]
    )
    email: Annotated[str, Field(max_length=254), AfterValidator(_address)] | None = Field(
        default=None, description="E-mail address; empty removes it.", examples=["dana@example.org"]
    )
    plan: str | None = Field(
        default=None,
        max_length=32,
        description="The plan's slug: free or paid. Not with a bound key.",
        examples=["free"],
    )
    time_zone: str | None = Field(
        default=None, max_length=64, description="IANA time zone.", examples=["Europe/Lisbon"]
    )


class Item(Schema):
    """A memory item."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_ID])
    user_id: str = Field(description="Your id for the user.", examples=["acct-55102"])
    type: Tier = Field(description="The tier.", examples=["long-term"])
    state: ItemState = Field(description="active, or archived: out of retrieval, restorable.", examples=["active"])
    content: str | None = Field(
        description="The text; null in a replayed answer when the item is gone.",
        examples=["Prefers the window seat on long flights."],
    )
    metadata: dict[str, Any] | None = Field(description="The metadata as sent.", examples=[{"tags": ["travel"]}])
    size_bytes: int = Field(description="Bytes that count against the quota: content and metadata.", examples=[64])
    protected: bool = Field(description="Never archived or purged automatically.", examples=[False])
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])
    expires_at: datetime | None = Field(
        description="When a short-term item's life ends, UTC; null: it has no end.", examples=[None]
    )
    archived_at: datetime | None = Field(description="When it was archived, UTC; null: it is active.", examples=[None])
    restorable_until: datetime | None = Field(
        description="Until when it can be restored, UTC; null: it is active.", examples=[None]
    )
    etag: str = Field(description="Send it as If-Match with a change.", examples=['"v1"'])


class StoredItem(Item):
    """A memory item that was just stored."""

    usage: Usage = Field(description="The tier after this write.", examples=[EXAMPLE_USAGE])


class BulkRow(Schema):
    """One stored item of a bulk."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_ID])
    type: Tier = Field(description="The tier.", examples=["long-term"])
    size_bytes: int = Field(description="Bytes that count against the quota.", examples=[64])
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])
    etag: str = Field(description="Its version.", examples=['"v1"'])


class BulkError(Schema):
    """Why one item of a bulk was not stored."""

    model_config = ConfigDict(extra="allow")

    index: int = Field(description="Its place in `items`, from 0.", examples=[3])
    type: str = Field(description="The problem's type.", examples=["https://kimberly.example/problems/quota-exceeded"])
    title: str = Field(description="What it is.", examples=["There is no room for this in the tier."])
    status: int = Field(description="The HTTP status it would have had alone.", examples=[413])
    detail: str = Field(
        description="This occurrence.", examples=["No room in short-term: needs 604 B, 176 B are free."]
    )


class BulkStored(Schema):
    """What became of a bulk, in the order given."""

    items: list[BulkRow | None] = Field(description="A row for each item; null where it was refused.", examples=[[]])
    errors: list[BulkError] = Field(description="Why, by index; empty when all were stored.", examples=[[]])
    usage: list[Usage] = Field(description="The tiers written to, after this write.", examples=[[]])


class ItemPage(Schema):
    """A page of items."""

    items: list[Item] = Field(description="The items, in the order asked for.", examples=[[]])
    total: int = Field(description="How many there are in all, exact up to 10,000.", examples=[131])
    total_is_estimate: bool = Field(description="Whether there are more than `total`.", examples=[False])
    next_cursor: str | None = Field(
        description="Send it as `cursor` for the next page; null: this is the last.", examples=[None]
    )


class DeletedItem(Schema):
    """What a delete did."""

    id: str = Field(description="The item's id.", examples=[EXAMPLE_ID])
    state: ItemState = Field(description="archived, or purged: its content is gone for good.", examples=["archived"])
    restorable_until: datetime | None = Field(
        description="Until when it can be restored, UTC.", examples=[EXAMPLE_TIME]
    )
    purged_items: int = Field(
        description="Archived items that this delete erased for good: the archive was full.", examples=[0]
    )
    purged_bytes: int = Field(description="Their bytes.", examples=[0])


class User(Schema):
    """A user."""

    user_id: str = Field(description="Your id for the user.", examples=["acct-55102"])
    id: str = Field(description="Our id, as the operators see it.", examples=["usr_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"])
    display_name: str = Field(description="Name for the operators.", examples=["Dana Whitfield"])
    email: str = Field(description="E-mail address, or empty.", examples=["dana@example.org"])
    plan: str = Field(description="The plan's slug.", examples=["free"])
    state: str = Field(description="active, suspended or erasing.", examples=["active"])
    time_zone: str = Field(description="IANA time zone.", examples=["Europe/Lisbon"])
    created_at: datetime = Field(description="Since when the user is known, UTC.", examples=[EXAMPLE_TIME])
    etag: str = Field(description="Send it as If-Match with a change.", examples=['"v1"'])


class TierMetrics(Schema):
    """One tier of one user."""

    tier: Tier = Field(description="The tier.", examples=["short-term"])
    used_bytes: int = Field(description="Bytes of active items.", examples=[41_250])
    items: int = Field(description="Number of active items.", examples=[131])
    soft_bytes: int = Field(description="Soft limit in bytes.", examples=[419_430])
    hard_bytes: int = Field(description="The plan's hard limit in bytes.", examples=[524_288])
    effective_limit_bytes: int = Field(description="The hard limit in force now, in bytes.", examples=[524_288])
    limit_source: str = Field(description="plan or override.", examples=["plan"])
    limit_ends_at: datetime | None = Field(
        description="When the override ends, UTC; null: the plan's limit.", examples=[None]
    )
    archived_bytes: int = Field(description="Bytes in the archive.", examples=[0])
    archived_items: int = Field(description="Items in the archive.", examples=[0])
    archived_limit_bytes: int = Field(description="The archive's own limit in bytes.", examples=[2_097_152])
    refusals_today: int = Field(description="Writes refused for lack of room since midnight UTC.", examples=[0])


class UserMetrics(Schema):
    """One user's usage."""

    user_id: str = Field(description="Your id for the user.", examples=["acct-55102"])
    tiers: list[TierMetrics] = Field(description="One entry a tier.", examples=[[]])
