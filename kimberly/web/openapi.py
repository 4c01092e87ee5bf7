"""What every operation's documentation has in common."""

from collections.abc import Mapping
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


def describe_answers(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Add what ninja does not know: problems have a media type of their own, and some answers headers worth reading."""
    for operation in (operation for methods in paths.values() for operation in methods.values()):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                answer["content"] = {"application/problem+json": answer["content"]["application/json"]}
            answer["headers"] = {
                "X-Request-ID": REQUEST_ID,
                **({"Retry-After": RETRY_AFTER} if status in WAITS else {}),
            }


def _header(text: str, kind: str, example: Any) -> dict[str, Any]:
    return {"description": text, "schema": {"type": kind, "examples": [example]}}


REQUEST_ID = _header("The id you sent, when it is harmless, else a new one.", "string", "req_5f0c")
RETRY_AFTER = _header("Seconds after which the same call may succeed.", "integer", 30)
WAITS = (429, 503)


def problem_answers(*statuses: int) -> dict[int, Any]:
    """The response entries of an operation for these statuses."""
    return dict.fromkeys(statuses, Problem)
