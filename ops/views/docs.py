"""Pages for those who write clients: the API, and what each type of problem means."""

import inspect

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from kimberly.lib.errors import Refusal
from kimberly.web.problems import STATUS
from ops.views.openapi import Description

# No refusal but a bug: the answer's `type` leads here all the same.
INTERNAL_ERROR = {
    "slug": "internal-error",
    "status": 500,
    "title": "Something went wrong on our side.",
    "about": "The error was recorded. Quote the request id when you report it. Whether a write took effect is unknown: "
    "repeat it with the same Idempotency-Key.",
}


@require_safe
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """What a problem's `type` address answers."""
    found = next((one for one in problems() if one["slug"] == slug), None)
    if found is None:
        raise Http404
    return render(request, "docs/problem.html", {"problem": found})


@require_safe
def api_docs(request: HttpRequest, api: NinjaAPI) -> HttpResponse:
    """The OpenAPI description as a page that needs no script and no other host."""
    description = Description(api.get_openapi_schema())
    return render(request, "docs/api.html", {"api": description, "problems": problems()})


def problems() -> list[dict[str, object]]:
    """Every type of problem, in order of status and name."""
    known: list[dict[str, object]] = [_facts(refusal) for refusal in Refusal.registry.values()]
    return sorted([*known, INTERNAL_ERROR], key=lambda one: (one["status"], one["slug"]))


def _facts(refusal: type[Refusal]) -> dict[str, object]:
    about = refusal.explanation or inspect.getdoc(refusal) or ""
    return {"slug": refusal.slug, "status": STATUS[refusal.kind], "title": refusal.title, "about": about}
