"""The sessions of all staff, for administrators."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from kimberly.lib import clock
from kimberly.lib.errors import Refusal
from kimberly.web import problems, requestid
from ops import roles, words
from ops.queries import sessions as open_sessions
from ops.services import sessions
from ops.services.forms import AlreadySent
from ops.views import pages
from ops.views.account import this
from ops.views.forms import EndForm
from ops.views.signing import sent


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Who is signed in, from where, since when."""
    now = clock.utc_now()
    context = {
        "title": "Staff sessions",
        "now": now,
        "sessions": open_sessions.of_everybody(this=this(request), now=now),
        "total": open_sessions.count(now=now),
    }
    return pages.show(request, "ops/staff_sessions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, staff: int) -> HttpResponse:
    """End the sessions of one person, or the one that `session` in the address names."""
    now = clock.utc_now()
    person = get_user_model().objects.filter(pk=staff, is_staff=True).first()
    if person is None:
        raise Http404
    one = _uuid_or_404(request.GET.get("session", ""))
    form, status = EndForm(sent(request), name="end"), 200
    if form.is_bound and form.is_valid():
        sender = form.sender(request.user, request_id=requestid.of(request))
        try:
            ended = sessions.end_of_other(sender, person, one, now=now)
            messages.success(request, _done(person, ended.count))
            return redirect("ops:staff-sessions")
        except AlreadySent:
            return redirect("ops:staff-sessions")
        except Refusal as refusal:
            form.refuse(refusal)
            status = problems.STATUS[refusal.kind]
    elif form.is_bound:
        status = 422
    return pages.show(request, "ops/end_sessions.html", _context(request, person, one, form), status=status)


def _context(request: HttpRequest, person: Any, one: UUID | None, form: EndForm) -> dict[str, Any]:
    now, name = clock.utc_now(), roles.label_of(person)
    found = [row for row in open_sessions.of(person, this=this(request), now=now) if one in (None, row.id)]
    url = reverse("ops:end-sessions", args=[person.pk]) + (f"?session={one}" if one else "")
    return {
        "title": f"End {'a session' if one else 'the sessions'} of {name}",
        "name": name,
        "person": person,
        "now": now,
        "sessions": found,
        "offer": {"form": form, "url": url, "action": roles.END_SESSIONS},
    }


def _done(person: Any, count: int) -> str:
    return f"{words.counted(count, 'session')} of {roles.label_of(person)} ended."


def _uuid_or_404(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
