"""What every page of the portal shares: who may open it, and what it is rendered with."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from kimberly.lib import clock, ids
from kimberly.lib.errors import Invalid, Refusal
from ops import roles, zones
from ops.services import condition, sessions, signing
from ops.views import errors, proving
from ops.views.proving import Asked
from ops.views.signing import to_sign_in

View = Callable[..., HttpResponse]
Choice = TypeVar("Choice", bound=StrEnum)


def page(route: str, view: View, *, name: str) -> URLPattern:
    """The URL pattern of a page that only its roles open. ops.urls makes its patterns with nothing else."""
    return path(route, _guarded(view, f"ops:{name}"), name=name)


def _guarded(view: View, page_name: str) -> View:
    @wraps(view)
    @never_cache
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not signing.is_signed_in(request):
            return to_sign_in(request)
        held = roles.roles_of(request.user)
        if not held:
            return show(request, "ops/no_role.html", {"title": "No role"}, status=403)
        if not roles.may_open(request.user, page_name):
            return show(request, "ops/not_yours.html", {"title": "Not for your role", "held": sorted(held)}, status=403)
        _note_that_seen(request)
        with clock.reading_in(zones.zone(zones.chosen(request.COOKIES))):
            asked = proving.ask(request) if roles.needs_fresh_sign_in(request.user, page_name) else None
            if asked is not None:
                return _show_question(request, asked, page_name)
            try:
                return view(request, *args, **kwargs)
            except Refusal as refusal:
                return errors.refused(request, refusal)

    return guard


def _note_that_seen(request: HttpRequest) -> None:
    """A part of a page that refreshes itself is nobody who sits there."""
    if "HX-Request" not in request.headers:
        sessions.seen(request.session, now=clock.utc_now())


def _show_question(request: HttpRequest, asked: Asked | HttpResponse, page_name: str) -> HttpResponse:
    if isinstance(asked, HttpResponse):
        return asked
    context = {"title": "Prove that it is you", "asked": asked, "what_follows": roles.what_follows(page_name)}
    return show(request, "ops/prove.html", context, status=asked.status)


def show(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page of the portal. Its times are relative to one moment, `now`."""
    shared = {
        "now": clock.utc_now(),
        "has_permission": True,
        "is_nav_sidebar_enabled": bool(roles.roles_of(request.user)),
        "condition": condition.now(),
        "zone": zones.chosen(request.COOKIES),
    }
    return render(request, template, {**shared, **context}, status=status)


def id_or_404(prefix: ids.Prefix, text: str) -> UUID:
    """The UUID behind an id in an address."""
    found = ids.decode(prefix, text)
    if found is None:
        raise Http404
    return found


def chosen(request: HttpRequest, name: str, choices: type[Choice]) -> Choice | None:
    """The filter of this name in the address; None when it is not set. Raises Invalid for an unknown value."""
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        return choices(text)
    except ValueError as error:
        raise Invalid((f"/{name}", f"must be one of {', '.join(choices)}")) from error
