"""Query parameters."""

from typing import Annotated, Literal, Self

from ninja import Schema
from pydantic import AfterValidator, Field, model_validator

from kimberly.web.bodies import text_error
from memory.api.schemas import EXAMPLE_TIME, Instant, UserId
from memory.queries.items import Filters
from memory.rules.tiers import ItemState, Tier


def _storable(value: str) -> str:
    if why := text_error(value):
        raise ValueError(why)
    return value


Words = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_storable)]


class ItemQuery(Schema):
    """Which of a user's items, in which order, which page."""

    user_id: UserId | None = Field(
        None, description="Whose items; may be left out with a bound key.", examples=["acct-55102"]
    )
    type: Tier | None = Field(None, description="Only this tier.", examples=["long-term"])
    state: Literal["active", "archived"] = Field("active", description="active or archived items.", examples=["active"])
    tag: Words | None = Field(None, description="Only items whose metadata has this in `tags`.", examples=["travel"])
    since: Instant | None = Field(None, description="Said at this time or later.", examples=[EXAMPLE_TIME])
    until: Instant | None = Field(None, description="Said before this time.", examples=[EXAMPLE_TIME])
    q: Words | None = Field(
        None, description="Only items whose text has this in it, whatever the case.", examples=["window seat"]
    )
    sort: Literal["-created_at", "created_at", "-size_bytes", "size_bytes"] = Field(
        "-created_at", description="The order; - is descending.", examples=["-created_at"]
    )
    cursor: str | None = Field(
        None, max_length=300, description="From `next_cursor` of the page before.", examples=[None]
    )
    page: int = Field(1, ge=1, le=100, description="A page by number, 1 to 100; not with cursor.", examples=[1])
    per_page: int = Field(50, ge=1, le=100, description="Items on a page, 1 to 100.", examples=[50])

    @model_validator(mode="after")
    def _one_way_to_go_on(self) -> Self:
        if self.cursor is not None and "page" in self.model_fields_set:
            raise ValueError("send cursor or page, not both")
        return self

    @property
    def offset(self) -> int:
        """Rows before the page; a cursor stands at its place already."""
        return (self.page - 1) * self.per_page

    def as_filters(self) -> Filters:
        return Filters(
            tier=self.type,
            state=ItemState(self.state),
            tag=self.tag,
            since=self.since,
            until=self.until,
            words=self.q,
        )


class DeleteQuery(Schema):
    """How to delete."""

    purge: Literal["true", "false"] = Field(
        "false", description="true: erase it for good, at once.", examples=["false"]
    )


class UserQuery(Schema):
    """Whose figures."""

    user_id: UserId | None = Field(
        None, description="Whose; may be left out with a bound key.", examples=["acct-55102"]
    )
