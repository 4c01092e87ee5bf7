"""Pages for those who write clients: the API, and what each type of problem means."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from kimberly.lib.errors import Refusal
from kimberly.web.problems import STATUS


@require_safe
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """What a problem's `type` address answers."""
    refusal = Refusal.registry.get(slug)
    if refusal is None:
        raise Http404
    return render(request, "docs/problem.html", {"refusal": refusal, "status": STATUS[refusal.kind]})


@require_safe
def api_docs(request: HttpRequest, api: NinjaAPI) -> HttpResponse:
    """The OpenAPI description as a page that needs no script and no other host."""
    return render(request, "docs/api.html", {"schema": api.get_openapi_schema()})
