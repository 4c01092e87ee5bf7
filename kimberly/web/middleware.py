"""What happens around every request: its id, its log line, its figures."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from kimberly.lib import logging, metrics
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid

logger = logging.straight_to_stderr("kimberly.request")

API_PREFIX = "/api/"
PATH_AS_SENT = "kimberly.path_as_sent"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "other")
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
LATENCY_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10)
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

REQUESTS = metrics.process_counter(
    "kimberly_api_requests_total",
    "API answers by operation, method and class of status.",
    {"route": (), "method": METHODS, "status_class": STATUS_CLASSES},
)
DURATION = metrics.process_histogram(
    "kimberly_api_request_duration_seconds", "Time to an API answer.", LATENCY_BUCKETS, {"route": ()}
)
IN_FLIGHT = metrics.process_gauge("kimberly_api_in_flight", "API requests being answered.")

Handler = Callable[[HttpRequest], HttpResponseBase]


class RequestMiddleware:
    """Outermost: whatever happens inside, the answer has an id, a log line and a count."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        _bind_context(request)
        is_api = f"{request.path}/".startswith(API_PREFIX)
        response = self._answer_api(request) if is_api else self.get_response(request)
        response["X-Request-ID"] = requestid.of(request)
        took_seconds = time.perf_counter() - started
        if is_api:
            _count(request, response.status_code, took_seconds)
        _log(request, response.status_code, took_seconds)
        return response

    def _answer_api(self, request: HttpRequest) -> HttpResponseBase:
        with IN_FLIGHT.track_inprogress():
            refusal = unreadable(request)
            response = problems.response_to(request, refusal) if refusal else self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        if response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            # Django's own answers (no such address, wrong method, unknown host) are pages: the API speaks problems.
            return problem_instead_of(request, response)
        return response


def unreadable(request: HttpRequest) -> Refusal | None:
    """Why the address is not UTF-8, or None; Django would put signs of its own in place of such bytes."""
    path, query = request.META.get(PATH_AS_SENT, ""), request.META.get("QUERY_STRING", "")
    try:
        if not path.isascii():
            path.encode("latin-1").decode("utf-8")  # WSGI hands each byte over as one character
        if "%" in query:
            unquote_to_bytes(query).decode("utf-8")
    except UnicodeError:
        return problems.BadRequest()
    return None


def problem_instead_of(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    """The problem that says what Django's own page said."""
    kinds: dict[int, type[Refusal]] = {404: problems.NoSuchAddress, 405: problems.MethodNotAllowed}
    if response.status_code >= 500:
        return problems.internal_error(request)
    if response.status_code == 400 and not is_host_ours(request):
        return problems.response_to(request, problems.UnknownHost())
    answer = problems.response_to(request, kinds.get(response.status_code, problems.BadRequest)())
    if "Allow" in response:
        answer["Allow"] = response["Allow"]
    return answer


def is_host_ours(request: HttpRequest) -> bool:
    """Whether the request names a host that this service answers for."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _bind_context(request: HttpRequest) -> None:
    structlog.contextvars.clear_contextvars()
    context = {"request_id": requestid.assign(request)}
    if traced := TRACEPARENT.fullmatch(request.META.get("HTTP_TRACEPARENT", "")):
        context["trace_id"] = traced[1]
    structlog.contextvars.bind_contextvars(**context)


_operations: dict[tuple[str, str], str] = {}


def announce(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Learn the API's operations from its OpenAPI paths, and let every series there will ever be begin at 0."""
    _begin_at_zero("unmatched", METHODS)
    for path, methods in paths.items():
        for method, operation in methods.items():
            name = operation["operationId"]
            _operations[(path, method.upper())] = name
            _begin_at_zero(name, [method.upper()])


def _begin_at_zero(route: str, methods: Iterable[str]) -> None:
    DURATION.labels(route)
    for method, status_class in product(methods, STATUS_CLASSES):
        REQUESTS.labels(route, method, status_class)


def route_of(request: HttpRequest) -> str:
    """The operation's name, or `unmatched`."""
    match = request.resolver_match
    if match is None:
        return "unmatched"
    path = "/" + match.route.replace("<", "{").replace(">", "}")
    return _operations.get((path, request.method or ""), "unmatched")


def _count(request: HttpRequest, status: int, took_seconds: float) -> None:
    route = route_of(request)
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    DURATION.labels(route).observe(took_seconds)


def _log(request: HttpRequest, status: int, took_seconds: float) -> None:
    refusal = getattr(request, "refusal", None)
    match = request.resolver_match
    logger.log(
        40 if status >= 500 else 20,
        "request",
        method=request.method,
        route=match.route if match else "unmatched",
        status=status,
        took_ms=round(took_seconds * 1000, 1),
        **({"refusal": refusal.slug} if refusal is not None else {}),
        **getattr(request, "log_facts", {}),
    )
