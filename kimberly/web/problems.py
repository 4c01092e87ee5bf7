"""Refusals as RFC 9457 problems: the one place that maps kinds to HTTP."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from kimberly.lib.errors import Kind, Refusal
from kimberly.web import requestid

STATUS = {
    Kind.UNREADABLE: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.INVALID: 422,
    Kind.PRECONDITION: 428,
    Kind.RATE: 429,
    Kind.UNAVAILABLE: 503,
}
MEDIA_TYPE = "application/problem+json"
COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class NoSuchAddress(Refusal):
    """The API has nothing at this address."""

    slug = "not-found"
    kind = Kind.NOT_FOUND
    title = "There is nothing at this address."


class MethodNotAllowed(Refusal):
    """The address exists, but not for this method."""

    slug = "method-not-allowed"
    kind = Kind.METHOD
    title = "This address does not take that method."


class BadRequest(Refusal):
    """The request's line or headers cannot be used, for example an address that is not UTF-8."""

    slug = "bad-request"
    kind = Kind.UNREADABLE
    title = "The request cannot be understood."


class UnknownHost(Refusal):
    """The request's Host header names a host that this service does not answer for."""

    slug = "unknown-host"
    kind = Kind.UNREADABLE
    title = "This service does not answer for the host that the request names."

    def remedies(self) -> list[str]:
        return ["Call it under its own name, or have its operators add the name to KIMBERLY_ALLOWED_HOSTS."]


def body_of(refusal: Refusal, *, instance: str, request_id: str) -> dict[str, Any]:
    """The problem as a JSON object: the standard members, then the refusal's own facts and remedies."""
    problem: dict[str, Any] = {
        "type": f"{settings.KIMBERLY.public_url}/problems/{refusal.slug}",
        "title": refusal.title,
        "status": STATUS[refusal.kind],
        "detail": refusal.detail,
        "instance": instance,
        "request_id": request_id,
        **refusal.facts(),
    }
    if remedies := refusal.remedies():
        problem["remedies"] = remedies
    return problem


def response_to(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The HTTP answer for a refusal, with Retry-After where time helps."""
    problem = body_of(refusal, instance=request.path, request_id=requestid.of(request))
    response = json_response(problem, status=problem["status"], media_type=MEDIA_TYPE)
    if refusal.retry_after_seconds is not None:
        response["Retry-After"] = str(refusal.retry_after_seconds)
    if refusal.kind is Kind.UNAUTHENTICATED:
        response["WWW-Authenticate"] = 'Bearer realm="kimberly"'
    request.refusal = refusal  # type: ignore[attr-defined] # the request's log line names it
    return response


def internal_error(request: HttpRequest) -> HttpResponse:
    """The answer to a bug: nothing of the inside, only the id to find it by."""
    problem = {
        "type": f"{settings.KIMBERLY.public_url}/problems/internal-error",
        "title": "Something went wrong on our side.",
        "status": 500,
        "detail": "The error was recorded. Quote the request id when you report it.",
        "instance": request.path,
        "request_id": requestid.of(request),
    }
    return json_response(problem, status=500, media_type=MEDIA_TYPE)


def json_response(body: Mapping[str, Any], *, status: int = 200, media_type: str = "application/json") -> HttpResponse:
    """Compact JSON in UTF-8; a number that is not finite is a bug and raises ValueError."""
    text = COMPACT.encode(body)
    return HttpResponse(text.encode("utf-8"), status=status, content_type=media_type)
