"""The search in one user's memories: why it did, or did not, remember."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from kimberly.lib import clock, ids
from ops.queries import reveals, users
from ops.queries.names import Names
from ops.queries.reveals import RevealRow
from ops.queries.users import Profile
from ops.services import questions, searches
from ops.views import actions, pages
from ops.views.forms import SEARCH
from ops.views.searchforms import SearchForm
from ops.views.users import head_of


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest, user: str) -> HttpResponse:
    """Ask a question as a client would. It is sent by POST, and kept under a token: it belongs into no address."""
    now = clock.utc_now()
    profile = users.profile(pages.id_or_404(ids.Prefix.USER, user), names=Names(), now=now)
    if profile is None:
        raise Http404
    reveal = reveals.own(profile.reveals, request.user)
    if request.method == "POST":
        return _asked(request, profile, reveal, now=now)
    token = request.GET.get("asked", "")
    sent = questions.kept(token, staff=request.user, user_id=profile.user.pk) if token and reveal else None
    form = SearchForm(sent, expected=request.GET.get("expected", "")[: questions.LONGEST_TOKEN])
    return _shown(request, profile, reveal, form, now=now, is_forgotten=bool(token and reveal and sent is None))


def _asked(request: HttpRequest, profile: Profile, reveal: RevealRow | None, *, now: datetime) -> HttpResponse:
    """To the address of the answer; where none can be kept, the answer itself."""
    form = SearchForm(request.POST)
    if reveal is None:
        return _shown(request, profile, reveal, form, now=now, status=403)
    if not form.is_valid():
        return _shown(request, profile, reveal, form, now=now, status=422)
    token = questions.keep(form.sent, staff=request.user, user_id=profile.user.pk)
    if token is None:
        return _shown(request, profile, reveal, form, now=now)
    return redirect(f"{request.path}?asked={token}#answer")


def _shown(
    request: HttpRequest,
    profile: Profile,
    reveal: RevealRow | None,
    form: SearchForm,
    *,
    now: datetime,
    is_forgotten: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The page: the form, and below it the answer where the form is sent, valid, and content shows to the reader."""
    is_answered = reveal is not None and form.is_bound and form.is_valid()
    context = {
        **head_of(request, profile, reveal, now=now),
        "tab": "search",
        "actions": actions.on(profile, staff=request.user, grown={}, then=SEARCH),
        "form": form,
        "answer": searches.search(form.asked(), reveal=reveal, now=now) if reveal and is_answered else None,
        "was_sent": request.method == "POST",
        "is_forgotten": is_forgotten,
    }
    return pages.show(request, "ops/search.html", context, status=status)
