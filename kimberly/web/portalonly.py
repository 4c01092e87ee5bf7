"""Django's and django-csp's middlewares that only people's pages need: an API call passes them by.

They cost an API call more than its own work: sessions, messages and a policy for pages have no meaning for JSON.
"""

from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

from kimberly.web.middleware import API_PREFIX

PAGES_OF_THE_API = (f"{API_PREFIX}v1/docs",)


def is_api_call(request: HttpRequest) -> bool:
    """Whether a program asks; the API's own documentation is a page for people."""
    return request.path.startswith(API_PREFIX) and not request.path.startswith(PAGES_OF_THE_API)


class _PortalOnly:
    """Goes straight on for an API call. To stand before the middleware it wraps."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_api_call(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc] # the wrapped middleware comes next in the order


class Sessions(_PortalOnly, SessionMiddleware):
    """SessionMiddleware for pages."""


class Authentication(_PortalOnly, AuthenticationMiddleware):
    """AuthenticationMiddleware for pages."""


class Messages(_PortalOnly, MessageMiddleware):
    """MessageMiddleware for pages."""


class ContentSecurityPolicy(_PortalOnly, CSPMiddleware):
    """CSPMiddleware for pages."""
