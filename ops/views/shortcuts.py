"""The keys of the portal, as a page of its own: the list that `?` opens needs a script, this needs none."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from ops.views import pages


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return pages.show(request, "ops/shortcuts.html", {"title": "Keyboard shortcuts"})
