"""Bodies and answers of prune plans."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, Field

from memory.api.schemas import EXAMPLE_ID, EXAMPLE_TIME, Strict, UserId, words
from memory.rules.plans import MOST_BYTES, ItemOutcome, PlanState
from memory.rules.tiers import Tier

EXAMPLE_PLAN = "plan_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"


class MakePlan(Strict):
    """What a plan is to free, and why."""

    user_id: UserId | None = Field(
        default=None, description="Whose memories. Left out: those of the key's user.", examples=["acct-55102"]
    )
    type: Tier | None = Field(
        default=None,
        description="The only tier that it reaches. Left out: short-term and long-term. Permanent memories go only "
        "where a plan names that tier; protected ones never.",
        examples=["long-term"],
    )
    target_bytes: Annotated[int, Field(strict=True, gt=0, le=MOST_BYTES)] | None = Field(
        default=None, description="Bytes to free. Give this or target_share.", examples=[262_144]
    )
    target_share: Annotated[float, Field(strict=True, gt=0, le=1)] | None = Field(
        default=None,
        description="Share of the active bytes in scope to free, above 0 to 1.",
        examples=[None],
    )
    reason: Annotated[str, AfterValidator(words)] = Field(
        max_length=2_000,
        description="Why, in at least 10 characters: whoever reads the plan later sees it.",
        examples=["The user asked for room before the trip."],
    )
    ticket: str = Field(default="", max_length=64, description="The ticket that asks for it.", examples=["SUP-4411"])


class PlanTier(Schema):
    """One tier of a plan: as it was, and what goes of it."""

    type: Tier = Field(description="The tier.", examples=["long-term"])
    used_bytes: int = Field(description="Active bytes when the plan was made.", examples=[2_090_113])
    used_bytes_after: int = Field(description="Active bytes once the plan is applied.", examples=[1_827_969])
    limit_bytes: int = Field(description="The effective hard limit in bytes then.", examples=[2_097_152])
    items: int = Field(description="Items that go.", examples=[412])
    bytes: int = Field(description="Bytes that go.", examples=[262_144])
    protected_items: int = Field(description="Protected items, which stay.", examples=[3])
    protected_bytes: int = Field(description="Bytes of protected items, which stay.", examples=[812])


class PlanApplied(Schema):
    """What the plan did."""

    at: datetime = Field(description="When it was applied, UTC.", examples=[EXAMPLE_TIME])
    items: int = Field(description="Items that it archived.", examples=[410])
    bytes: int = Field(description="Bytes that it freed.", examples=[261_006])
    skipped: dict[str, int] = Field(
        description="Items that were left as they were, by what kept them: changed, protected, away, gone.",
        examples=[{"changed": 2}],
    )


class PlanUndone(Schema):
    """What came back."""

    at: datetime = Field(description="When it was undone, UTC.", examples=[EXAMPLE_TIME])
    items: int = Field(description="Items that came back.", examples=[410])
    bytes: int = Field(description="Bytes that came back.", examples=[261_006])


class Plan(Schema):
    """A prune plan: a frozen list of items to archive."""

    id: str = Field(description="The plan's id.", examples=[EXAMPLE_PLAN])
    user_id: str = Field(description="Your id for the user.", examples=["acct-55102"])
    state: PlanState = Field(
        description="frozen: shown, not applied; stale: frozen for more than 24 h; applied; undone.",
        examples=["frozen"],
    )
    type: Tier | None = Field(
        description="The only tier that it reaches; null: short-term and long-term.", examples=["long-term"]
    )
    target_bytes: int = Field(description="Bytes that it was to free.", examples=[262_144])
    target_share: float | None = Field(description="The share that was asked for; null: bytes were.", examples=[None])
    reason: str = Field(description="Why it was made.", examples=["The user asked for room before the trip."])
    ticket: str = Field(description="The ticket that asked for it; empty: none was named.", examples=["SUP-4411"])
    items_total: int = Field(description="Items on the list.", examples=[412])
    bytes_total: int = Field(description="Their bytes.", examples=[262_310])
    shortfall_bytes: int = Field(
        description="Bytes that are missing to the target, when there are not enough.", examples=[0]
    )
    daily_cap_times: float | None = Field(
        description="How many times that is what meditation may archive of these tiers in a day; null: it may archive "
        "nothing there.",
        examples=[0.5],
    )
    tiers: list[PlanTier] = Field(description="Each tier in scope.", examples=[[]])
    list_sha256: str = Field(
        description="SHA-256 of the lines `item's UUID:version` in order: two plans with the same one are the same.",
        examples=["9f2c" * 16],
    )
    created_at: datetime = Field(description="When it was frozen, UTC.", examples=[EXAMPLE_TIME])
    stale_at: datetime = Field(description="Until when it can be applied, UTC.", examples=[EXAMPLE_TIME])
    applied: PlanApplied | None = Field(description="What it did; null: not applied.", examples=[None])
    undone: PlanUndone | None = Field(description="What came back; null: not undone.", examples=[None])


class PlanItem(Schema):
    """One item of a plan, in the order in which items go."""

    id: str = Field(description="The item's id.", examples=[EXAMPLE_ID])
    position: int = Field(description="Its place in the order, from 1.", examples=[1])
    type: Tier = Field(description="The tier.", examples=["long-term"])
    content: str | None = Field(description="The text; null: purged since.", examples=["Prefers aisle seats."])
    metadata: dict[str, Any] | None = Field(description="What the client stored with it.", examples=[{}])
    size_bytes: int = Field(description="Its size in bytes.", examples=[64])
    score: float = Field(description="Its score when the list was frozen, 0 to 1.", examples=[0.220369])
    order_key: float = Field(description="score / √size_bytes: the lowest goes first.", examples=[0.027546])
    reason: str = Field(
        description="Why it goes.",
        examples=["Number 1 of what may go: score / √bytes is 0.220369 / √64 = 0.027546."],
    )
    outcome: ItemOutcome | None = Field(
        description="archived, or what kept the item; null: the plan is not applied.", examples=[None]
    )
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])


class PlanItemPage(Schema):
    """Items of a plan."""

    items: list[PlanItem] = Field(description="In the order in which they go.", examples=[[]])
    total: int = Field(description="Items on the whole list.", examples=[412])
    next_cursor: str | None = Field(description="Where to go on; null: this is the end.", examples=[None])
