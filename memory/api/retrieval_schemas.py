"""Bodies and answers of queries, feedback and goals."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, Field, StrictBool, StrictInt

from memory.api.schemas import EXAMPLE_ID, EXAMPLE_TIME, Instant, Strict, UserId, words
from memory.rules.retrieval import LONGEST_TAG, MOST_QUERY_CHARACTERS, MOST_TAGS
from memory.rules.tiers import ItemState, Tier


class Query(Strict):
    """What to look for in one user's memories."""

    user_id: UserId | None = Field(
        default=None, description="Whose memories; may be left out with a bound key.", examples=["acct-55102"]
    )
    query: str = Field(
        min_length=1,
        max_length=MOST_QUERY_CHARACTERS,
        description="What is wanted, in the person's own words: 1 to 8,000 characters.",
        examples=["Which seat does she like on flights?"],
    )
    top_k: StrictInt = Field(
        default=10, ge=1, le=100, description="How many memories at the most, 1 to 100.", examples=[10]
    )
    type: Tier | None = Field(default=None, description="Only this tier.", examples=["long-term"])
    tags: list[Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]] = Field(
        default=[], max_length=MOST_TAGS, description="Only items that have all of these tags.", examples=[["travel"]]
    )
    since: Instant | None = Field(default=None, description="Said at this time or later.", examples=[EXAMPLE_TIME])
    until: Instant | None = Field(default=None, description="Said before this time.", examples=[EXAMPLE_TIME])
    metadata: dict[str, Any] = Field(
        default={},
        description="Only items whose metadata has these members with these values.",
        examples=[{"source": "chat"}],
    )
    include_archived: StrictBool = Field(
        default=False, description="Search the archive as well; `state` says what lies there.", examples=[False]
    )


class ScoreParts(Schema):
    """The parts of a score, each from 0 (least) to 1 (most of all candidates); null: the item has no such part."""

    semantic: float | None = Field(description="How close the meaning is.", examples=[0.81])
    own_words: float | None = Field(description="The query's words in the item itself.", examples=[1.0])
    spelling: float | None = Field(
        description="How alike it is spelled, above a half; only where no word of the query was found at all.",
        examples=[None],
    )
    context: float | None = Field(
        description="The query's rare words in the item and in what was said right before it.", examples=[0.64]
    )
    freshness: float | None = Field(description="How new it is; null where it weighs nothing.", examples=[None])


class FoundItem(Schema):
    """A memory that was found, and why."""

    id: str = Field(description="The item's id.", examples=[EXAMPLE_ID])
    type: Tier = Field(description="The tier.", examples=["long-term"])
    state: ItemState = Field(description="active or archived.", examples=["active"])
    content: str = Field(description="The text.", examples=["Prefers the window seat."])
    metadata: dict[str, Any] = Field(description="What the client keeps with it.", examples=[{"tags": ["travel"]}])
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])
    score: float = Field(description="The weighted sum of the parts, to six decimals.", examples=[0.853921])
    components: ScoreParts = Field(
        description="The parts of the score.",
        examples=[{"semantic": 0.81, "own_words": 1.0, "spelling": None, "context": 0.64, "freshness": None}],
    )


class Found(Schema):
    """What was found, best first."""

    items: list[FoundItem] = Field(
        description="The memories, best first. A search by meaning finds the least unlike where nothing is like it; "
        "empty when no memory passes the filters.",
        examples=[[]],
    )
    took_ms: float = Field(description="How long the search took, in milliseconds.", examples=[7.4])
    profile: int = Field(description="The version of the weights.", examples=[1])
    mode: Literal["hybrid", "lexical"] = Field(
        description="hybrid: by meaning and words. lexical: by words alone, while no embedder answers.",
        examples=["hybrid"],
    )


class Feedback(Strict):
    """What is said of a memory; exactly one of the two."""

    helpful: StrictBool | None = Field(default=None, description="Whether it helped.", examples=[True])
    emotional_weight: Annotated[float, Field(strict=True, ge=0, le=1)] | None = Field(
        default=None, description="How much it matters to the person, 0 to 1.", examples=[None]
    )


class FeedbackKept(Schema):
    """The feedback as it was kept."""

    item_id: str = Field(description="The item's id.", examples=[EXAMPLE_ID])
    helpful: bool | None = Field(description="Whether it helped.", examples=[True])
    emotional_weight: float | None = Field(description="How much it matters to the person.", examples=[None])
    created_at: datetime = Field(description="When it was said, UTC.", examples=[EXAMPLE_TIME])


class NewGoal(Strict):
    """Something a user is working towards."""

    text: Annotated[str, AfterValidator(words)] = Field(
        min_length=1, max_length=500, description="The goal in words.", examples=["Learn enough Italian for the trip."]
    )


class Goal(Schema):
    """A goal of a user."""

    id: str = Field(description="The goal's id.", examples=["0199a3c2-7d1e-7b6c-8f21-d3a4b5c6d7e8"])
    text: str = Field(description="The goal in words.", examples=["Learn enough Italian for the trip."])
    created_at: datetime = Field(description="When it was set, UTC.", examples=[EXAMPLE_TIME])


class Goals(Schema):
    """Every goal of a user."""

    goals: list[Goal] = Field(description="At most 50, oldest first.", examples=[[]])


class GoalsRemoved(Schema):
    """How many goals went."""

    removed: int = Field(description="How many goals were removed.", examples=[1])
