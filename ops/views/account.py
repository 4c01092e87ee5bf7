"""One's own account: its sessions, its second factor, its password."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kimberly.lib import clock
from ops import roles, sealed, sessionstore, words
from ops.queries import sessions as open_sessions
from ops.services import secondfactors, sessions, signing, staff
from ops.views import pages
from ops.views.signinforms import SetUpForm
from ops.views.signing import WRONG_CODE, Attempt, picture_of, sent

NEW_SECRET = "new_secret"  # noqa: S105 # a key of the session


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What the person has to know about their own sign-in."""
    now = clock.utc_now()
    context = {
        "title": "Your account",
        "now": now,
        "roles": sorted(roles.roles_of(request.user)),
        "factor": secondfactors.state_of(request.user),
        "sessions": open_sessions.of(request.user, this=this(request), now=now),
    }
    return pages.show(request, "ops/account.html", context)


@require_POST
def end_own_session(request: HttpRequest, session: UUID) -> HttpResponse:
    """End one of one's own sessions."""
    now = clock.utc_now()
    ended = sessions.end_own(request.user, session, actor=signing.actor_of(request, request.user), now=now)
    messages.success(request, "That session has ended." if ended else "That session had ended already.")
    return redirect("ops:account")


@require_POST
def end_own_others(request: HttpRequest) -> HttpResponse:
    """End one's other sessions."""
    actor, now = signing.actor_of(request, request.user), clock.utc_now()
    ended = sessions.end_others(request.user, this(request), actor=actor, now=now)
    messages.success(request, f"{words.counted(ended, 'other session')} ended.")
    return redirect("ops:account")


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set an authenticator up, or another one in its place."""
    now = clock.utc_now()
    kept = request.session.get(NEW_SECRET) or sealed.vault().seal(sealed.new_secret())
    secret, form = sealed.vault().open(kept), SetUpForm(sent(request))
    if form.is_bound and form.is_valid():
        typed, actor = form.cleaned_data["code"], signing.actor_of(request, request.user)
        codes = secondfactors.replace(person=request.user, secret=secret, code=typed, actor=actor, now=now)
        if codes is not None:
            del request.session[NEW_SECRET]
            signing.mark(request, second_factor=True)
            return _show_codes(request, codes)
        form.add_error("code", WRONG_CODE)
    request.session[NEW_SECRET] = kept
    context = {
        "title": "Set up the second factor",
        "attempt": Attempt(form),
        "form": form,
        "picture": picture_of(request.user, secret),
        "factor": secondfactors.state_of(request.user),
    }
    return pages.show(request, "ops/second_factor.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, and show them once."""
    factor = secondfactors.state_of(request.user)
    if request.method == "POST" and factor.is_on:
        actor = signing.actor_of(request, request.user)
        codes = secondfactors.new_recovery_codes(person=request.user, actor=actor, now=clock.utc_now())
        return _show_codes(request, codes)
    context = {"title": "Make new recovery codes", "factor": factor}
    return pages.show(request, "ops/recovery_codes.html", context, status=409 if request.method == "POST" else 200)


class ChangePassword(PasswordChangeView):
    """A new password; the other sessions end with the old one."""

    template_name = "registration/password_change_form.html"
    extra_context = {"title": "Change your password"}

    def form_valid(self, form: Any) -> HttpResponse:
        request, now = self.request, clock.utc_now()
        staff.change_password(
            person=form.user,
            password=form.cleaned_data["new_password1"],
            session=this(request),
            actor=signing.actor_of(request, form.user),
            now=now,
        )
        update_session_auth_hash(request, form.user)
        return redirect(self.get_success_url())


def this(request: HttpRequest) -> UUID:
    """The id of the session that the request belongs to."""
    return sessionstore.id_of(request.session.session_key or "")


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return pages.show(request, "ops/new_codes.html", {"title": "Keep your recovery codes", "codes": codes})
