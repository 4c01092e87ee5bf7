"""The zone picker: UTC or one's own. It is no setting of the service, so the browser keeps it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from kimberly.lib.errors import Invalid
from ops import zones
from ops.views import pages

ASK = "ask"  # what the button sends where no script has put the browser's own zone into it
UTC = "UTC"


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the zone that was chosen and go back; without one, the list to choose from."""
    if request.method == "POST" and request.POST.get("zone") != ASK:
        return _keep(request, request.POST.get("zone", ""))
    context = {
        "title": "The zone of your times",
        "next": _back(request),
        "zones": zones.names(),
        "zone": zones.chosen(request.COOKIES),
    }
    return pages.show(request, "ops/zone.html", context)


def _keep(request: HttpRequest, name: str) -> HttpResponse:
    if name not in (UTC, *zones.names()):
        raise Invalid(("/zone", "is no zone that is known here"))
    response = redirect(_back(request))
    if name == UTC:
        response.delete_cookie(zones.COOKIE)
    else:
        response.set_cookie(
            zones.COOKIE,
            name,
            max_age=zones.KEPT_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _back(request: HttpRequest) -> str:
    """Where the person came from, if that is a page of ours."""
    asked = request.POST.get("next", "") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None) and asked.startswith("/")
    return asked if is_ours else reverse("ops:overview")
