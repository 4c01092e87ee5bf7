"""The search in one user's memories: why it did, or did not, remember."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from kimberly.lib import clock, ids
from ops.queries import reveals, users
from ops.queries.names import Names
from ops.services import searches
from ops.views import actions, pages
from ops.views.forms import SEARCH
from ops.views.searchforms import SearchForm
from ops.views.users import head_of


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest, user: str) -> HttpResponse:
    """Ask a question as a client would. Sent by POST and answered at once: a question belongs into no address."""
    now = clock.utc_now()
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, user), names=Names(), now=now)
    if profile is None:
        raise Http404
    reveal = reveals.own(profile.reveals, request.user)
    form = SearchForm(request.POST if request.method == "POST" else None)
    answer, status = None, 200
    if request.method == "POST":
        if reveal is None:
            status = 403
        elif form.is_valid():
            answer = searches.search(form.asked(), reveal=reveal, now=now)
        else:
            status = 422
    context = {
        **head_of(request, profile, reveal, now=now),
        "tab": "search",
        "actions": actions.on(profile, staff=request.user, then=SEARCH),
        "form": form,
        "answer": answer,
        "was_sent": request.method == "POST",
    }
    return pages.show(request, "ops/search.html", context, status=status)
