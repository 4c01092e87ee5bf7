"""Signing in: the password, the code, and setting a second factor up at the first time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kimberly.lib import clock
from ops import qrpictures, sealed
from ops.services import lockouts, secondfactors, signing
from ops.services.lockouts import Step, Tries
from ops.services.secondfactors import AlreadySetUp, Factor
from ops.views.signinforms import CodeForm, PasswordForm, SetUpForm

# Why a session is over, as `ops.sessionstore` and those who end one name it.
OVER = {
    "idle": "You were signed out after 30 min without use.",
    "length": "You were signed out after 12 h, the longest that a session lasts.",
    "own": "You ended this session from another one.",
    "password": "Your password was changed. That ended your other sessions.",
    "administrator": "An administrator ended this session.",
    "second-factor": "Your second factor was removed. That ended your sessions.",
    "slow": "More than 15 min went by between password and code. Begin with the password again.",
}
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Attempt:
    """A step of signing in as its page shows it."""

    form: forms.Form
    tries: Tries | None = None
    """Set where something was wrong, or is locked."""

    @property
    def status(self) -> int:
        return 429 if self.tries and self.tries.locked_until else 200


@never_cache
@sensitive_post_parameters("password")
@get_or_post
def sign_in(request: HttpRequest) -> HttpResponse:
    """The first step: name and password."""
    if signing.is_signed_in(request):
        return redirect(page_after(request))
    now = clock.utc_now()
    form, tries = PasswordForm(sent(request)), None
    if form.is_bound and form.is_valid():
        username = form.cleaned_data["username"]
        person = signing.check_password(request, username=username, password=form.cleaned_data["password"])
        if person is not None:
            return _after_password(request, person, now=now)
        tries = lockouts.tries(request, Step.PASSWORD, username)
    over = OVER.get(request.GET.get("ended", ""), "")
    return _show(request, "admin/login.html", Attempt(form, tries), now=now, over=over, title="Sign in")


@never_cache
@get_or_post
def code(request: HttpRequest) -> HttpResponse:
    """The second step: a code of the authenticator, or a recovery code."""
    now = clock.utc_now()
    half = signing.halfway(request, now=now)
    if half is None:
        return _begin_again(request)
    if half.secret:
        return _step("set_up", {"next": page_after(request)})
    form, username = CodeForm(sent(request)), half.person.get_username()
    tries: Tries | None = lockouts.tries(request, Step.CODE, username)
    if form.is_bound and form.is_valid():
        factor = signing.check_code(request, half.person, form.cleaned_data["code"], now=now)
        if factor is not None:
            signing.sign_in(request, half.person, factor, now=now)
            return redirect(page_after(request))
        tries = lockouts.tries(request, Step.CODE, username)
    elif tries and not tries.locked_until:
        tries = None
    return _show(request, "signing/code.html", Attempt(form, tries), now=now, title="Enter the code")


@never_cache
@get_or_post
def set_up(request: HttpRequest) -> HttpResponse:
    """The second step of who has no second factor yet: set one up, and be signed in by it."""
    now = clock.utc_now()
    half = signing.halfway(request, now=now)
    if half is None:
        return _begin_again(request)
    if not half.secret:
        return _step("code", {"next": page_after(request)})
    secret, form = sealed.vault().open(half.secret), SetUpForm(sent(request))
    if form.is_bound and form.is_valid():
        actor = signing.actor_of(request, half.person)
        try:
            codes = secondfactors.set_up(
                person=half.person, secret=secret, code=form.cleaned_data["code"], actor=actor, now=now
            )
        except AlreadySetUp:
            return _begin_again(request)
        if codes is not None:
            signing.sign_in(request, half.person, Factor.APP, now=now)
            return _show_codes(request, codes, now=now)
        form.add_error("code", WRONG_CODE)
    picture = picture_of(half.person, secret)
    return _show(
        request, "signing/set_up.html", Attempt(form), now=now, picture=picture, title="Set up the second factor"
    )


WRONG_CODE = "This is not the code that the app shows now. Its clock must be right to half a minute."


def picture_of(person: Any, secret: str) -> dict[str, str]:
    """What an authenticator takes a secret from: a QR picture, a link, or the text."""
    address = secondfactors.address_for_apps(person, secret)
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return {"svg": qrpictures.of(address, title="QR picture of the secret"), "address": address, "secret": groups}


def sent(request: HttpRequest) -> Any:
    """What was sent; None where a page is only looked at."""
    return request.POST if request.method == "POST" else None


def page_after(request: HttpRequest) -> str:
    """Where one wanted to go; a page of this portal, whatever the request says."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse(settings.LOGIN_REDIRECT_URL)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the page to sign in, which says why the session is over, and leads back here."""
    over = getattr(request.session, "over", "")
    return _step("login", {"next": request.get_full_path(), **({"ended": over} if over in OVER else {})})


def _after_password(request: HttpRequest, person: Any, *, now: datetime) -> HttpResponse:
    then = {"next": page_after(request)}
    if secondfactors.is_on(person):
        signing.go_halfway(request, person, secret="", now=now)
        return _step("code", then)
    if signing.required():
        signing.go_halfway(request, person, secret=sealed.vault().seal(sealed.new_secret()), now=now)
        return _step("set_up", then)
    signing.sign_in(request, person, Factor.NONE, now=now)
    return redirect(then["next"])


def _begin_again(request: HttpRequest) -> HttpResponse:
    return _step("login", {"next": page_after(request), "ended": "slow"})


def _step(name: str, query: dict[str, str]) -> HttpResponse:
    return redirect(f"{reverse(f'admin:{name}')}?{urlencode(query)}".replace("%2F", "/"))


def _show_codes(request: HttpRequest, codes: list[str], *, now: datetime) -> HttpResponse:
    context = {"codes": codes, "then": page_after(request), "title": "Keep your recovery codes", "now": now}
    return render(request, "signing/codes.html", context)


def _show(request: HttpRequest, template: str, attempt: Attempt, *, now: datetime, **facts: Any) -> HttpResponse:
    context = {"attempt": attempt, "form": attempt.form, "next": page_after(request), "now": now, **facts}
    response = render(request, template, context, status=attempt.status)
    if attempt.tries and attempt.tries.locked_until:
        response["Retry-After"] = str(max(1, round((attempt.tries.locked_until - now).total_seconds())))
    return response
