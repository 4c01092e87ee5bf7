"""What every operation's documentation has in common."""

from typing import Any

from ninja import Schema
from pydantic import ConfigDict, Field


class Problem(Schema):
    """An error (RFC 9457). Further members are facts of that type of problem."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="What it is, as an address that explains it.",
        examples=["https://kimberly.example/problems/item-not-found"],
    )
    title: str = Field(description="The same in words.", examples=["There is no such memory item."])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="This occurrence.", examples=["There is no such memory item."])
    instance: str = Field(description="The address that was asked.", examples=["/api/v1/memory/mem_0"])
    request_id: str = Field(description="Quote it when you report this.", examples=["req_5f0c"])


def problem_answers(*statuses: int) -> dict[int, Any]:
    """The response entries of an operation for these statuses."""
    return dict.fromkeys(statuses, Problem)
