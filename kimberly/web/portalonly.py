"""An API call passes the middlewares by that only people's pages need.

Sessions, messages and a policy for pages have no meaning for JSON, and cost an API call as much as its own work. Django
builds the chain from its inner end: `Inside` stands there and notes the way to the views, and `ShortCut`, which stands
before the middlewares of pages, sends an API call along it.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kimberly.web.middleware import API_PREFIX

PAGES_OF_THE_API = (f"{API_PREFIX}v1/docs",)

Handler = Callable[[HttpRequest], HttpResponseBase]


def is_api_call(request: HttpRequest) -> bool:
    """Whether a program asks; the API's own documentation is a page for people."""
    return request.path.startswith(API_PREFIX) and not request.path.startswith(PAGES_OF_THE_API)


class Inside:
    """The last of the middlewares: behind it are the views."""

    latest: Handler

    def __init__(self, get_response: Handler) -> None:
        self.get_response = Inside.latest = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)


class ShortCut:
    """Stands before the middlewares of pages."""

    def __init__(self, get_response: Handler) -> None:
        self.pages = get_response
        self.views = Inside.latest

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.views(request) if is_api_call(request) else self.pages(request)
