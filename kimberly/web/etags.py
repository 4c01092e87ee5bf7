"""Entity tags from version numbers, and the precondition that a change names one."""

from typing import Any

from django.http import HttpRequest

from kimberly.lib.errors import Kind, Refusal


class PreconditionRequired(Refusal):
    """A change must say which version it was made on."""

    slug = "precondition-required"
    kind = Kind.PRECONDITION
    title = "Send If-Match with the ETag that you read, so that nobody's change is overwritten."


class Stale(Refusal):
    """The thing changed since it was read."""

    slug = "stale-version"
    kind = Kind.STALE
    title = "It changed since you read it. Read it again, then decide."

    def __init__(self, current_version: int | None) -> None:
        """None: there is nothing yet that could have been read."""
        super().__init__(current_version)
        self.current_version = current_version

    def facts(self) -> dict[str, str | None]:
        return {"current_etag": None if self.current_version is None else of_version(self.current_version)}


def of_version(version: int) -> str:
    """`"v3"`, a strong entity tag."""
    return f'"v{version}"'


def expected_versions(request: HttpRequest) -> frozenset[str] | None:
    """The tags of If-Match; None without the header; `*` stays as it is and matches everything."""
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return None
    return frozenset(tag.strip() for tag in header.split(","))


def check(expected: frozenset[str] | None, *, current_version: int) -> None:
    """Raise Stale unless the tags hold the current version; without tags nothing was asked."""
    if expected is not None and "*" not in expected and of_version(current_version) not in expected:
        raise Stale(current_version)


def _if_match(*, required: bool, text: str) -> dict[str, Any]:
    schema = {"type": "string", "examples": ['"v1"', "*"]}
    return {"in": "header", "name": "If-Match", "required": required, "description": text, "schema": schema}


OPENAPI_IF_MATCH_REQUIRED = _if_match(required=True, text="The ETag that was read; 428 without, 412 when it is stale.")
OPENAPI_IF_MATCH = _if_match(required=False, text="The ETag that was read; 412 when it is stale.")
