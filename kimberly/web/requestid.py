"""Request ids: taken from the caller when they are harmless, else made; echoed, logged, kept with what happened."""

import re
import uuid

from django.http import HttpRequest

MADE_HERE = "req_"
HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


def assign(request: HttpRequest) -> str:
    """Give the request its id and return it."""
    offered = request.META.get("HTTP_X_REQUEST_ID", "")
    chosen = offered if HARMLESS.fullmatch(offered) else f"{MADE_HERE}{uuid.uuid4().hex}"
    request.request_id = chosen  # type: ignore[attr-defined]
    return chosen


def of(request: HttpRequest) -> str:
    """The id that `assign` gave; empty before that."""
    return getattr(request, "request_id", "")
