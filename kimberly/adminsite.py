"""The portal's site: Django's admin with our own sign-in and templates. Models are shown only where registered."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class PortalSite(AdminSite):
    """Signing in, signing out and changing one's password; the pages themselves are under /ops/."""

    site_header = "Kimberly"
    site_title = "Kimberly"

    def index(  # type: ignore[override] # the stock one promises a template of its own
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The portal begins with its overview; the stock list of models would say nothing."""
        return redirect("ops:overview")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, {"title": "Sign in", **(extra_context or {})})


portal = PortalSite(name="admin")
