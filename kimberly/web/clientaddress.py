"""Where a request comes from: the peer, or what the trusted proxies in front of us saw."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def of(request: HttpRequest) -> str | None:
    """The client's address; None where it has none, as on a Unix socket.

    Each trusted proxy adds the address that it saw at the end of X-Forwarded-For. What stands before those is the
    client's own word.
    """
    peer, proxies = request.META.get("REMOTE_ADDR", ""), settings.KIMBERLY.trusted_proxies
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    return _readable(seen[-proxies] if proxies and len(seen) >= proxies else peer)


def _readable(text: str) -> str | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
