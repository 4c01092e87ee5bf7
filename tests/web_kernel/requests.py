"""Requests as Django hands them on, made without a server."""

from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest


class Untouchable(BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


def request_with(body: bytes = b"", *, unread: bool = False, **environ: Any) -> WSGIRequest:
    """A POST with this body; `unread` makes reading it a failure. `environ` is laid over what WSGI gives."""
    return WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/v1/memory",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": Untouchable(body) if unread else BytesIO(body),
            "wsgi.url_scheme": "http",
            **environ,
        }
    )
