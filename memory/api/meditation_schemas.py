"""Bodies and answers of meditation: why an item is where it is, and how a run stands."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from memory.api.schemas import EXAMPLE_ID, EXAMPLE_TIME, Instant, Strict, UserId
from memory.queries.standing import Show
from memory.rules.meditation import Act, Reason, RunState, Trigger
from memory.rules.tiers import ItemState, Tier

EXAMPLE_RUN = "run_0199a3c27d1e7b6c8f21d3a4b5c6d7e8"
EXAMPLE_PARTS = {"relevance": None, "emotional": None, "predictive": 0.271186, "recency": 0.118734}
EXAMPLE_WEIGHTS = {"relevance": 0.4, "emotional": 0.3, "predictive": 0.2, "recency": 0.1}


class Components(Schema):
    """What a score came from, each from 0 to 1; null: there was nothing to go by, and it was left out."""

    relevance: float | None = Field(description="How close it is to the user's goals.", examples=[None])
    emotional: float | None = Field(description="How much it matters, as feedback said.", examples=[None])
    predictive: float = Field(description="How likely it is to be of use.", examples=[0.271186])
    recency: float = Field(description="How new it is and how often it was returned.", examples=[0.118734])


class Weights(Schema):
    """What each component weighs among those that are present."""

    relevance: float = Field(description="Of the relevance.", examples=[0.4])
    emotional: float = Field(description="Of the emotional weight.", examples=[0.3])
    predictive: float = Field(description="Of the predictive value.", examples=[0.2])
    recency: float = Field(description="Of recency and frequency.", examples=[0.1])


class ScoreNow(Schema):
    """The item's score as it is stored."""

    score: float = Field(description="0 to 1, to six decimals.", examples=[0.220369])
    components: Components = Field(description="What it came from.", examples=[EXAMPLE_PARTS])
    profile: int = Field(description="The version of the weights.", examples=[1])
    weights: Weights = Field(description="That version's weights.", examples=[EXAMPLE_WEIGHTS])
    order_key: float = Field(
        description="score / √size_bytes: where room is needed, the lowest goes first.", examples=[0.027546]
    )
    scored_at: datetime = Field(description="Since when it is so, UTC.", examples=[EXAMPLE_TIME])
    in_words: str = Field(
        description="The same as a sentence.",
        examples=["Score 0.220369 by profile 1: (0.2 × 0.271186 predictive value + 0.1 × 0.118734 recency) / 0.3."],
    )


class Decision(Schema):
    """What a meditation or a plan decided of the item. Components are told again from the inputs kept with it."""

    act: Act = Field(description="What was done.", examples=["archived"])
    reason: Reason = Field(description="Why.", examples=["soft-limit"])
    type: Tier = Field(description="The tier in which it was.", examples=["long-term"])
    size_bytes: int = Field(description="Its size in bytes.", examples=[64])
    score: float | None = Field(
        description="The score that was decided by; null: none was asked for.", examples=[0.220369]
    )
    score_told_again: float | None = Field(
        description="The formula of that profile applied to the inputs kept then: the same score.", examples=[0.220369]
    )
    components: Components | None = Field(description="Told again from the kept inputs.", examples=[EXAMPLE_PARTS])
    profile: int | None = Field(description="The version of the weights.", examples=[1])
    weights: Weights | None = Field(description="That version's weights.", examples=[EXAMPLE_WEIGHTS])
    order_key: float | None = Field(description="score / √size_bytes then.", examples=[0.027546])
    decided_at: datetime = Field(description="When, UTC.", examples=[EXAMPLE_TIME])
    undone_at: datetime | None = Field(description="When it was undone, UTC; null: it was not.", examples=[None])
    run_id: str | None = Field(description="The meditation that decided it; null: a plan did.", examples=[EXAMPLE_RUN])
    plan_id: str | None = Field(description="The plan that was applied; null: a meditation decided.", examples=[None])
    in_words: str = Field(
        description="The same as a sentence.",
        examples=[
            "Archived on 2026-11-18 02:00 UTC: its life was over, and its score 0.220369 was below the threshold 0.6."
        ],
    )


class WhyItem(Schema):
    """Why an item has its score and is where it is. Never its content."""

    id: str = Field(description="The item's id.", examples=[EXAMPLE_ID])
    user_id: str = Field(description="Your id for the user.", examples=["acct-55102"])
    type: Tier = Field(description="The tier.", examples=["long-term"])
    state: ItemState = Field(description="active, archived, or purged: its content is gone.", examples=["archived"])
    size_bytes: int = Field(description="Bytes that it counts, or counted.", examples=[64])
    protected: bool = Field(description="Never archived or purged automatically.", examples=[False])
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])
    expires_at: datetime | None = Field(
        description="When a short-term item's life ends, UTC; null: it has no end.", examples=[None]
    )
    archived_at: datetime | None = Field(description="When it was archived, UTC.", examples=[EXAMPLE_TIME])
    archive_reason: str | None = Field(
        description="Why: user (a delete), expired, no-room, soft-limit, ...; null: it is not.", examples=["soft-limit"]
    )
    restorable_until: datetime | None = Field(
        description="Until when it can be restored, UTC; null: it is not archived.", examples=[EXAMPLE_TIME]
    )
    purged_at: datetime | None = Field(description="When its content was erased, UTC.", examples=[None])
    purge_reason: str | None = Field(description="Why: user, grace, ...; null: it is not.", examples=[None])
    score: ScoreNow | None = Field(
        description="null: not scored yet, or purged.",
        examples=[None],
    )
    decisions: list[Decision] = Field(description="Every decision so far, newest first.", examples=[[]])


class Cohort(Strict):
    """Some of the customers: those to whom everything that is given applies."""

    show: Show | None = Field(default=None, description="Those of this list of the portal.", examples=["over-soft"])
    type: Tier | None = Field(
        default=None, description="Narrows what is over a limit, or raised, to this tier.", examples=["long-term"]
    )
    beginning: str = Field(default="", max_length=128, description="Their ids or names begin so.", examples=["acct-55"])
    missed_since: Instant | None = Field(
        default=None,
        description="A backfill: those on whom nobody has meditated since this time, UTC.",
        examples=[EXAMPLE_TIME],
    )
    missed_until: Instant | None = Field(
        default=None,
        description="The end of the window in which they were missed, UTC; left out: now.",
        examples=[None],
    )


class Meditate(Strict):
    """On whom to meditate."""

    user_id: UserId | None = Field(
        default=None,
        description="On whose memories. Left out: those of the key's user, or with a key that is bound to nobody "
        "those of all customers.",
        examples=["acct-55102"],
    )
    cohort: Cohort | None = Field(
        default=None,
        description="Some of the customers, with a key that is bound to nobody and without user_id.",
        examples=[None],
    )


class Progress(Schema):
    """What is done so far."""

    shards_total: int = Field(description="Parts of the run.", examples=[12])
    shards_done: int = Field(description="Parts that are done.", examples=[9])
    shards_failed: int = Field(description="Parts that were given up.", examples=[0])
    users_total: int = Field(description="Users whom the run is about.", examples=[2_310])
    users_done: int = Field(description="Users on whose memories it has meditated.", examples=[1_800])
    items_scored: int = Field(description="Items that were scored.", examples=[91_204])
    promoted: int = Field(description="Items moved to long-term.", examples=[310])
    archived: int = Field(description="Items archived.", examples=[1_204])
    purged: int = Field(description="Items whose content was erased for good.", examples=[88])
    freed_bytes: int = Field(description="Bytes that left the quotas.", examples=[402_118])
    seconds_left: int | None = Field(
        description="Seconds until it ends at the rate so far; null: not known yet, or not running.", examples=[14]
    )


EXAMPLE_PROGRESS = {
    "shards_total": 12,
    "shards_done": 9,
    "shards_failed": 0,
    "users_total": 2_310,
    "users_done": 1_800,
    "items_scored": 91_204,
    "promoted": 310,
    "archived": 1_204,
    "purged": 88,
    "freed_bytes": 402_118,
    "seconds_left": 14,
}


class Operation(Schema):
    """Long work, and how it stands."""

    id: str = Field(description="Its id.", examples=[EXAMPLE_RUN])
    kind: str = Field(description="What it is: meditation.", examples=["meditation"])
    trigger: Trigger = Field(description="Why it began.", examples=["manual"])
    user_id: str | None = Field(description="Your id for the user; null: more than one user.", examples=["acct-55102"])
    cohort: dict[str, str] | None = Field(
        description="Of which customers; null: of one user, or of all customers.", examples=[None]
    )
    state: RunState = Field(
        description="queued, running, held (an operator decides), succeeded, failed or aborted.", examples=["running"]
    )
    created_at: datetime = Field(description="When it was asked for, UTC.", examples=[EXAMPLE_TIME])
    started_at: datetime | None = Field(description="When it began, UTC.", examples=[EXAMPLE_TIME])
    ended_at: datetime | None = Field(description="When it ended, UTC; null: it has not.", examples=[None])
    progress: Progress = Field(
        description="What is done so far; when it has ended, the result.", examples=[EXAMPLE_PROGRESS]
    )
    error: str | None = Field(description="Why it failed; null: it did not.", examples=[None])
