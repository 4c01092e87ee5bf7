"""The client API: its routers, its strict parser, and the one place that turns exceptions into answers."""

from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from kimberly.lib import clock
from kimberly.lib.errors import Invalid, Refusal
from kimberly.web import middleware, openapi, outages, problems, ratelimit, validation
from memory.api import admission, goals, items, meditation, plans, retrieval, users, why

logger = structlog.get_logger(__name__)
DESCRIPTION = """Kimberly keeps memories for an assistant's users, within byte quotas.

Errors are RFC 9457 problems. Sizes are bytes, times UTC in RFC 3339. Every answer has an `X-Request-ID`."""


NEVER_SENT = HttpResponse()


class StrictParser(Parser):
    """Hands on the body that BearerKey has read and checked."""

    def parse_body(self, request: HttpRequest) -> Any:
        return getattr(request, "parsed_json", None)


class ClientApi(NinjaAPI):
    """ninja's API, whose OpenAPI document says what the answers are in truth."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """ninja makes one for views that set headers on it; ours make their answers themselves."""
        return NEVER_SENT

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        openapi.describe_answers(document["paths"])
        return document


api = ClientApi(
    title="Kimberly",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    parser=StrictParser(),
    docs_url=None,
    openapi_url="/openapi.json",
)
# The more specific path first: /memory/metrics is no item's id.
api.add_router("/memory", users.metrics_router)
api.add_router("/memory", retrieval.router)
api.add_router("/memory", meditation.router)
api.add_router("/memory", items.router)
api.add_router("/memory", why.router)
api.add_router("/prune-plans", plans.router)
api.add_router("/operations", meditation.operations_router)
api.add_router("/users", users.router)
api.add_router("/users", goals.router)


@api.exception_handler(Refusal)
def on_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    admission.keep(request, refusal, now=clock.utc_now())
    response = problems.response_to(request, refusal)
    ratelimit.add_headers(response, getattr(request, "rate_verdicts", ()))
    return response


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = []
    for one in error.errors:
        # ninja's location begins with where it looked, and for a body with the parameter's name.
        found += validation.pointers([one], skip=2 if one["loc"][0] == "body" else 1)
    return problems.response_to(request, Invalid(*found[:20]))


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.response_to(request, problems.BadRequest())


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problems.response_to(request, problems.NoSuchAddress())


@api.exception_handler(Exception)
def on_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    outage = outages.outage_behind(error)
    if outage is not None:
        logger.warning("outage", refusal=outage.slug, error=type(error).__name__)
        return problems.response_to(request, outage)
    logger.error("unhandled", exc_info=error)
    return problems.internal_error(request)


PREFIX = "/api/v1"
middleware.announce(api.get_openapi_schema(path_prefix=PREFIX)["paths"])
