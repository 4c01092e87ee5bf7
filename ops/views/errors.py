"""Pages for what goes wrong. They use no database: they must work when it does not."""

import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from kimberly.lib.errors import Refusal
from kimberly.web import outages, problems, requestid
from kimberly.web.middleware import API_PREFIX

logger = structlog.get_logger(__name__)


def _page(request: HttpRequest, status: int, **facts: object) -> HttpResponse:
    context = {"status": status, "request_id": requestid.of(request), **facts}
    return HttpResponse(render_to_string("errors/page.html", context), status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """A bug, or a database that is away: told apart by the exception being handled."""
    error = sys.exc_info()[1]
    outage = outages.outage_behind(error) if error else None
    if outage is not None:
        logger.warning("outage", refusal=outage.slug, error=type(error).__name__)
        if request.path.startswith(API_PREFIX):
            return problems.response_to(request, outage)
        response = _page(request, 503, title=outage.title, refusal=outage)
        response["Retry-After"] = str(outage.retry_seconds)
        return response
    logger.error("unhandled", exc_info=error)
    if request.path.startswith(API_PREFIX):
        return problems.internal_error(request)
    return _page(request, 500, title="Something went wrong on our side")


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal that no form of the page can show."""
    facts = {"title": refusal.title, "detail": refusal.detail, "refusal": refusal}
    return _page(request, problems.STATUS[refusal.kind], **facts)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, title="There is no such page")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403, title="Your role does not open this", detail=str(exception or ""))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, title="The request cannot be understood")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from this portal, or whose page is older than the session."""
    return _page(request, 403, title="This form is not accepted", detail="Open the page again and send it from there.")
