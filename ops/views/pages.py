"""What every page of the portal shares: who may open it, and what it is rendered with."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache

from kimberly.lib import clock, ids
from kimberly.lib.errors import Invalid, Refusal
from ops import roles, zones
from ops.services import condition
from ops.views import errors

View = Callable[..., HttpResponse]
Choice = TypeVar("Choice", bound=StrEnum)


def page(route: str, view: View, *, name: str) -> URLPattern:
    """The URL pattern of a page that only its roles open. ops.urls makes its patterns with nothing else."""
    return path(route, _guarded(view, f"ops:{name}"), name=name)


def _guarded(view: View, page_name: str) -> View:
    @wraps(view)
    @never_cache
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        held = roles.roles_of(request.user)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not held:
            return show(request, "ops/no_role.html", {"title": "No role"}, status=403)
        if not roles.may_open(request.user, page_name):
            return show(request, "ops/not_yours.html", {"title": "Not for your role", "held": sorted(held)}, status=403)
        with clock.reading_in(zones.zone(zones.chosen(request.COOKIES))):
            try:
                return view(request, *args, **kwargs)
            except Refusal as refusal:
                return errors.refused(request, refusal)

    return guard


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
