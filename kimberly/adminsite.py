"""The portal's site: signing in, signing out and one's password, at Django's own names. The pages are under /ops/."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse

from ops.services import signing
from ops.views import account
from ops.views import signing as signing_views


class PortalSite(AdminSite):
    """Django's admin with our own sign-in and templates. Models are shown only where registered."""

    site_header = "Kimberly"
    site_title = "Kimberly"

    def get_urls(self) -> list[Any]:
        return [
            path("login/code/", signing_views.code, name="code"),
            path("login/set-up/", signing_views.set_up, name="set_up"),
            *super().get_urls(),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and signing.is_signed_in(request)

    def index(  # type: ignore[override] # the stock one promises a template of its own
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The portal begins with its overview; the stock list of models would say nothing."""
        return redirect("ops:overview")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return signing_views.sign_in(request)

    def password_change(  # type: ignore[override] # the stock one promises a template of its own
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        done = reverse("admin:password_change_done", current_app=self.name)
        view = account.ChangePassword.as_view(success_url=done, extra_context=self.each_context(request))
        return view(request)


portal = PortalSite(name="admin")
